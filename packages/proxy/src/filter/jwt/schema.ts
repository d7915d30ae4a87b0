/** Options of the filter `jwt`. */
import { durationMs, flag, integer, object, oneOf, text } from '@evenkeel/core/schema';
import { z } from 'zod';
import { editableField, fieldName, parameterName } from '../shared/fields.ts';

/**
 * Signatures of public keys. Shared secrets (HS256) are left out on purpose: who can check with one can also sign, and
 * mixing both kinds is how tokens have been forged ("key confusion"). `none` is nothing at all.
 */
export const ALGORITHMS = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
  'Ed25519',
] as const;

export type JwtAlgorithm = (typeof ALGORITHMS)[number];

/** Requests need a signed token (RFC 7519, RFC 8725). */
export interface JwtOptions {
  /** Where the public keys are (RFC 7517 section 5); either this or `jwks`. */
  readonly jwksUrl?: string | undefined;
  /** The public keys themselves. */
  readonly jwks?: JwkSet | undefined;
  /** `iss`: one of these. */
  readonly issuer: string | readonly string[];
  /** `aud`: one of these. */
  readonly audience: string | readonly string[];
  /** Default RS256, ES256, PS256, EdDSA and Ed25519. */
  readonly algorithms?: readonly JwtAlgorithm[] | undefined;
  /** `typ` of the token, `at+jwt`; default any. */
  readonly type?: string | undefined;
  /** How far clocks may differ. 0..5 min, default 5,000. */
  readonly clockToleranceMs?: number | undefined;
  /** Claims that have to be there beside `iss` and `aud`. Default `exp`. */
  readonly requiredClaims?: readonly string[] | undefined;
  /** All of these have to be in `scope` or `scp`. Default none. */
  readonly scopes?: readonly string[] | undefined;
  /** Headers for the endpoint, each with the claim that it is made of: `{ 'x-user': 'sub' }`. What clients write there is dropped. */
  readonly claimsToHeaders?: Readonly<Record<string, string>> | undefined;
  /** Where the token is; the first place that has one counts. Default `[{ header: 'authorization' }]`. */
  readonly from?: readonly TokenPlace[] | undefined;
  /** Is the token passed on to the endpoint? A query parameter always is. Default true. */
  readonly forwardToken?: boolean | undefined;
  /** Are requests without a token let in, without the headers of claims? Default false. */
  readonly optional?: boolean | undefined;
  /** Of the challenge. Default `jwt`. */
  readonly realm?: string | undefined;
  /** How old keys may be before they are asked for anew, in the background. 1 s..24 h, default 600,000. */
  readonly refreshMs?: number | undefined;
  /** Between two questions for keys at least, however many unknown keys tokens name. 100 ms..1 h, default 30,000. */
  readonly minRefreshMs?: number | undefined;
  /** How long keys are good that cannot be asked for anew. 1 s..30 days, default 86,400,000. */
  readonly maxStaleMs?: number | undefined;
  /** For the answer with keys. 1 ms..60 s, default 5,000. */
  readonly timeoutMs?: number | undefined;
  /** Tokens whose signature need not be checked again. 2..1,000,000, default 2,000; each takes its own length. */
  readonly maxCached?: number | undefined;
}

/** Default scheme of a header `Bearer`; '' for the bare token. */
export type TokenPlace =
  | { readonly header: string; readonly scheme?: string | undefined }
  | { readonly cookie: string }
  | { readonly query: string };

export interface JwkSet {
  readonly keys: readonly Readonly<Record<string, unknown>>[];
}

export interface JwtConfig {
  readonly jwksUrl: string | undefined;
  readonly jwks: JwkSet | undefined;
  readonly issuer: readonly string[];
  readonly audience: readonly string[];
  readonly algorithms: readonly JwtAlgorithm[];
  readonly type: string | undefined;
  readonly clockToleranceMs: number;
  readonly requiredClaims: readonly string[];
  readonly scopes: readonly string[];
  readonly claimsToHeaders: Readonly<Record<string, string>>;
  readonly from: readonly TokenPlace[];
  readonly forwardToken: boolean;
  readonly optional: boolean;
  readonly realm: string;
  readonly refreshMs: number;
  readonly minRefreshMs: number;
  readonly maxStaleMs: number;
  readonly timeoutMs: number;
  readonly maxCached: number;
}

const DAY_MS = 86_400_000;
const NAMES = 'a text, or a list of texts';
const names = z
  .union([text(), z.array(text()).min(1, { error: NAMES })], { error: NAMES })
  .transform((value) => (typeof value === 'string' ? [value] : value));

const PUBLIC_KEYS = 'a set of public keys, { keys: [...] } (RFC 7517)';
const jwk = z
  .record(z.string(), z.unknown(), { error: PUBLIC_KEYS })
  .refine((key) => typeof key['kty'] === 'string' && key['kty'] !== 'oct' && !('d' in key), {
    error: 'a public key: neither a private one nor a shared secret',
  });

const KEYS_URL = 'a URL of https, or of http for addresses of this machine';
const SCOPE = /^[!#-[\]-~]+$/;

const schema = object({
  jwksUrl: z
    .string({ error: KEYS_URL })
    .refine(isKeysUrl, { error: KEYS_URL })
    .optional()
    .describe('Where the public keys are (RFC 7517 section 5); either this or `jwks`.'),
  jwks: object({
    keys: z
      .array(jwk, { error: PUBLIC_KEYS })
      .min(1, { error: PUBLIC_KEYS })
      .describe('Public keys (RFC 7517).'),
  })
    .optional()
    .describe('The public keys themselves.'),
  issuer: names.describe('`iss`: one of these.'),
  audience: names.describe('`aud`: one of these.'),
  algorithms: z
    .array(oneOf(ALGORITHMS), { error: 'a list of algorithms' })
    .min(1, { error: 'at least one algorithm' })
    .default(['RS256', 'ES256', 'PS256', 'EdDSA', 'Ed25519'])
    .describe('Of signatures that are accepted.'),
  type: text(64).optional().describe('`typ` of the token, `at+jwt`.'),
  clockToleranceMs: durationMs({ min: 0, max: 300_000 })
    .default(5_000)
    .describe('How far clocks may differ.'),
  requiredClaims: z
    .array(text(256).regex(/^[ !#-[\]-~]+$/, { error: 'printable ASCII without " and \\' }), {
      error: 'a list of claims',
    })
    .default(['exp'])
    .describe('Claims that have to be there beside `iss` and `aud`.'),
  scopes: z
    .array(text(256).regex(SCOPE, { error: 'a scope (RFC 6749 section 3.3)' }), {
      error: 'a list of scopes',
    })
    .default([])
    .describe('All of these have to be in `scope` or `scp`.'),
  claimsToHeaders: z
    .record(editableField, text(256))
    .default({})
    .describe(
      "Headers for the endpoint, each with the claim that it is made of: `{ 'x-user': 'sub' }`. What clients write there is dropped.",
    ),
  from: z
    .array(
      z.union(
        [
          object({
            header: fieldName.describe('Name of a header of the request.'),
            scheme: z
              .string()
              .max(32)
              .optional()
              .describe("What stands before the token; '' for nothing. Left out: `Bearer`."),
          }),
          object({ cookie: parameterName.describe('Name of a cookie of the request.') }),
          object({ query: parameterName.describe('Name of a parameter of the query.') }),
        ],
        { error: 'one of { header }, { cookie } and { query }' },
      ),
      { error: 'a list of places' },
    )
    .min(1, { error: 'at least one place' })
    .default([{ header: 'authorization' }])
    .describe('Where the token is; the first place that has one counts.'),
  forwardToken: flag()
    .default(true)
    .describe('Is the token passed on to the endpoint? A query parameter always is.'),
  optional: flag()
    .default(false)
    .describe('Are requests without a token let in, without the headers of claims?'),
  realm: text(128)
    .regex(/^[ !#-[\]-~]+$/, { error: 'printable ASCII without " and \\' })
    .default('jwt')
    .describe('Of the challenge.'),
  refreshMs: durationMs({ min: 1_000, max: DAY_MS })
    .default(600_000)
    .describe('How old keys may be before they are asked for anew, in the background.'),
  minRefreshMs: durationMs({ min: 100, max: 3_600_000 })
    .default(30_000)
    .describe('Between two questions for keys at least, however many unknown keys tokens name.'),
  maxStaleMs: durationMs({ min: 1_000, max: 30 * DAY_MS })
    .default(DAY_MS)
    .describe('How long keys are good that cannot be asked for anew.'),
  timeoutMs: durationMs({ min: 1, max: 60_000 })
    .default(5_000)
    .describe('For the answer with keys.'),
  maxCached: integer({ min: 2, max: 1_000_000 })
    .default(2_000)
    .describe('Tokens whose signature need not be checked again.'),
}).refine(({ jwksUrl, jwks }) => (jwksUrl === undefined) !== (jwks === undefined), {
  error: 'either jwksUrl or jwks',
});

export const jwtSchema: z.ZodType<JwtConfig, JwtOptions> = schema as unknown as z.ZodType<
  JwtConfig,
  JwtOptions
>;

/** Who can change the keys on their way can sign what they like. */
function isKeysUrl(value: string): boolean {
  if (!URL.canParse(value)) return false;
  const { protocol, hostname, username, password } = new URL(value);
  if (username !== '' || password !== '') return false;
  if (protocol === 'https:') return true;
  return protocol === 'http:' && /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(hostname);
}
