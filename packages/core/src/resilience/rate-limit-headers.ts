/**
 * What a server tells about its limits.
 *
 * | header | value | of |
 * | --- | --- | --- |
 * | `ratelimit-policy` | `"default";q=20;w=1` | draft-ietf-httpapi-ratelimit-headers-10, section 3 |
 * | `ratelimit` | `"default";r=7;t=1` | the same, section 4 |
 * | `retry-after` | `1` | RFC 9110 section 10.2.3; only with a refusal |
 *
 * For a bucket the quota `q` is its size, the window `w` the time in which it fills, and `t` the time after which it is
 * full again. All times are whole seconds, rounded up: who waits that long is not sent away again.
 */
import { configError } from '../error/config-error.ts';
import type { RateLimitConfig } from './rate-limiter.ts';

/** How a limit stands at a moment, from `RateLimiter` or `KeyedRateLimiter`. */
export interface RateLimitState {
  readonly config: RateLimitConfig;
  readonly remaining: number;
  /** Until the request that was refused would be admitted; leave it out after an admission. */
  readonly waitMs?: number | undefined;
}

/** The headers for a response, with names in lower case. */
export interface RateLimitHeaders {
  readonly 'ratelimit-policy': string;
  readonly ratelimit: string;
  readonly 'retry-after'?: string;
}

/**
 * @param name of the limit: printable ASCII without `"` and `\`
 * @throws ConfigError for another name
 */
export function rateLimitHeaders(name: string, state: RateLimitState): RateLimitHeaders {
  // A string of structured fields (RFC 9651 section 3.3.3); what would need escapes is not worth it in a name.
  if (!/^[ !#-[\]-~]{1,64}$/.test(name)) {
    throw configError(
      'rateLimit.name',
      '1 to 64 printable ASCII characters without " and \\',
      name,
    );
  }
  const { requestsPerSecond, burst } = state.config;
  const windowSeconds = Math.ceil(burst / requestsPerSecond);
  const remaining = Math.max(0, Math.floor(state.remaining));
  const resetSeconds = Math.ceil((burst - remaining) / requestsPerSecond);
  const headers = {
    'ratelimit-policy': `"${name}";q=${burst};w=${windowSeconds}`,
    ratelimit: `"${name}";r=${remaining};t=${resetSeconds}`,
  };
  const { waitMs } = state;
  return waitMs === undefined || !Number.isFinite(waitMs)
    ? headers
    : { ...headers, 'retry-after': retryAfterSeconds(waitMs) };
}

/** A wait as `retry-after` says it: whole seconds, rounded up, at least 1, because 0 would invite a loop. */
export function retryAfterSeconds(waitMs: number): string {
  return String(Math.max(1, Math.ceil(waitMs / 1_000)));
}
