/** Options of the affinity cookie. */
import { z } from 'zod';
import { durationMs, flag, object, oneOf } from '../schema/fields.ts';

export interface CookieAffinityOptions {
  /**
   * What the cookies are signed with, 16 bytes or more each (32 random ones are a good choice), 1 to 8 of them. The first
   * signs, all verify: to change the secret, put the new one in front and drop the old one after `maxAgeMs`. All
   * processes that share clients need the same.
   */
  readonly secrets: readonly (string | Uint8Array)[];
  /** Name of the cookie. Default `evenkeel`; each cluster that a browser sees under one host needs its own. */
  readonly name?: string | undefined;
  /** Default `/`. */
  readonly path?: string | undefined;
  /** Left out: the cookie goes back to exactly the host that set it. */
  readonly domain?: string | undefined;
  /** How long a cookie is valid, counted from its last renewal. 1 s..400 days (RFC 6265bis). Default 24 h. */
  readonly maxAgeMs?: number | undefined;
  /** Shall the browser forget the cookie when it is closed? The time limit holds all the same. Default false. */
  readonly session?: boolean | undefined;
  /** Only over TLS. Default false, because over plain HTTP the cookie would silently never come back. */
  readonly secure?: boolean | undefined;
  /** Hidden from scripts. Default true. */
  readonly httpOnly?: boolean | undefined;
  /** Default `lax`. `none` needs `secure`. */
  readonly sameSite?: 'strict' | 'lax' | 'none' | undefined;
  /**
   * Stay with an endpoint as long as it exists: also while it is ejected, unhealthy, draining or of weight 0. For
   * services that keep state which no other endpoint has. Only an operator's `setEnabled(id, false)` and an exclusion
   * by the request still send it elsewhere. Default false.
   */
  readonly strict?: boolean | undefined;
}

export interface CookieAffinityConfig {
  readonly secrets: readonly (string | Uint8Array)[];
  readonly name: string;
  readonly path: string;
  readonly domain?: string | undefined;
  readonly maxAgeMs: number;
  readonly session: boolean;
  readonly secure: boolean;
  readonly httpOnly: boolean;
  readonly sameSite: 'strict' | 'lax' | 'none';
  readonly strict: boolean;
}

const MIN_SECRET_BYTES = 16;
const MAX_SECRETS = 8;
const DAY_MS = 86_400_000;

/** RFC 6265 section 4.1.1 with RFC 9110 section 5.6.2. */
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,128}$/;
/** RFC 6265 section 4.1.1 `path-value`: anything visible in ASCII but `;`. */
const PATH = /^\/[\x20-\x3a\x3c-\x7e]{0,1023}$/;
/** RFC 6265 section 5.2.3; a leading dot is ignored there, so it is not asked for. */
const DOMAIN = /^(?=.{1,253}$)[a-z0-9-]{1,63}(\.[a-z0-9-]{1,63})*$/i;

const secret = z.custom<string | Uint8Array>(
  (value) =>
    (typeof value === 'string' || value instanceof Uint8Array) &&
    Buffer.byteLength(value) >= MIN_SECRET_BYTES,
  { error: `a secret of ${MIN_SECRET_BYTES} bytes or more, as a text or as bytes` },
);

function matching(pattern: RegExp, what: string): z.ZodString {
  return z.string({ error: what }).regex(pattern, { error: what });
}

export const cookieAffinitySchema: z.ZodType<CookieAffinityConfig, CookieAffinityOptions> = object({
  secrets: z
    .array(secret, { error: `1 to ${MAX_SECRETS} secrets` })
    .min(1, { error: `1 to ${MAX_SECRETS} secrets` })
    .max(MAX_SECRETS, { error: `1 to ${MAX_SECRETS} secrets` }),
  name: matching(TOKEN, "a cookie name of 1 to 128 characters out of RFC 9110's token").default(
    'evenkeel',
  ),
  path: matching(
    PATH,
    "a path that begins with '/', without ';', of up to 1024 characters",
  ).default('/'),
  domain: matching(DOMAIN, 'a domain name').optional(),
  maxAgeMs: durationMs({ min: 1_000, max: 400 * DAY_MS }).default(DAY_MS),
  session: flag().default(false),
  secure: flag().default(false),
  httpOnly: flag().default(true),
  sameSite: oneOf(['strict', 'lax', 'none']).default('lax'),
  strict: flag().default(false),
}).superRefine(({ name, path, domain, secure, sameSite }, context) => {
  const refuse = (option: string, message: string): void =>
    context.addIssue({ code: 'custom', path: [option], message });
  // What browsers refuse (RFC 6265bis sections 4.1.2.7 and 4.1.3) would look like affinity that does not work.
  if (sameSite === 'none' && !secure) refuse('secure', "true with sameSite 'none'");
  const prefix = name.toLowerCase();
  if ((prefix.startsWith('__secure-') || prefix.startsWith('__host-')) && !secure)
    refuse('secure', `true for a cookie named ${name}`);
  if (prefix.startsWith('__host-') && (domain !== undefined || path !== '/'))
    refuse('name', "no '__Host-' in front with a domain or with a path other than '/'");
});
