import type { CookieAffinityConfig } from './config.ts';

const SAME_SITE = { strict: 'Strict', lax: 'Lax', none: 'None' } as const;

/** What follows `name=value` in a Set-Cookie header (RFC 6265 section 4.1.1), the same for every cookie of one affinity. */
export function cookieAttributes(config: CookieAffinityConfig): string {
  const { path, domain, maxAgeMs, session, secure, httpOnly, sameSite } = config;
  return [
    '',
    `Path=${path}`,
    ...(domain === undefined ? [] : [`Domain=${domain}`]),
    // Max-Age only: Expires says the same for browsers of before 2012, by a clock that may be wrong.
    ...(session ? [] : [`Max-Age=${Math.floor(maxAgeMs / 1_000)}`]),
    ...(secure ? ['Secure'] : []),
    ...(httpOnly ? ['HttpOnly'] : []),
    `SameSite=${SAME_SITE[sameSite]}`,
  ].join('; ');
}
