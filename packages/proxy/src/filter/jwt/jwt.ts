/**
 * `jwt`: lets requests in that carry a token signed by an issuer. Refusals are those of bearer tokens (RFC 6750 section
 * 3): 401 without an error code where there is no token, 401 `invalid_token`, 403 `insufficient_scope`.
 */
import type { z } from 'zod';
import type { Filter, FilterAnswer, FilterRequest, FilterStatus } from '../filter.ts';
import type { FilterKind } from '../filter-kind.ts';
import { nameText } from '../shared/field-text.ts';
import { claimFault, claimOf, claimText, scopesOf } from './claims.ts';
import { loadJose } from './jose.ts';
import { KeySet } from './key-set.ts';
import { type JwtConfig, type JwtOptions, jwtSchema, type TokenPlace } from './schema.ts';
import { type TokenVerdict, type VerifiedToken, TokenVerifier } from './token-verifier.ts';

export const jwtKind: FilterKind<z.ZodType<JwtConfig, JwtOptions>> = {
  name: 'jwt',
  about: 'Requests need a token that an issuer has signed.',
  schema: jwtSchema,
  create: async (config, { runtime }) => {
    const verifier = new TokenVerifier(await loadJose(), config.algorithms, config.maxCached);
    if (config.jwks !== undefined) verifier.setKeys(config.jwks);
    const keys =
      config.jwksUrl === undefined
        ? undefined
        : new KeySet({
            ...config,
            url: config.jwksUrl,
            runtime,
            onKeys: (set) => verifier.setKeys(set),
          });
    // An issuer that is away must not keep a proxy from starting: requests say so until it is back.
    await keys?.refresh();
    return new JwtFilter({ config, verifier, keys, wallMs: () => runtime.clock.wallMs() });
  },
};

interface JwtParts {
  readonly config: JwtConfig;
  readonly verifier: TokenVerifier;
  /** Undefined for keys that are in the options. */
  readonly keys: KeySet | undefined;
  readonly wallMs: () => number;
}

/** Longer ones are not looked at. */
const MAX_TOKEN_CHARACTERS = 16_384;

const NO_KEYS: FilterAnswer = {
  status: 503,
  headers: { 'retry-after': '1' },
  reason: 'no-keys',
};

class JwtFilter implements Filter {
  readonly name = 'jwt';
  readonly #config: JwtConfig;
  readonly #verifier: TokenVerifier;
  readonly #keys: KeySet | undefined;
  readonly #wallMs: () => number;
  readonly #claimHeaders: readonly (readonly [string, string])[];

  constructor({ config, verifier, keys, wallMs }: JwtParts) {
    this.#config = config;
    this.#verifier = verifier;
    this.#keys = keys;
    this.#wallMs = wallMs;
    this.#claimHeaders = Object.entries(config.claimsToHeaders);
  }

  onRequest(request: FilterRequest): FilterAnswer | undefined | Promise<FilterAnswer | undefined> {
    const token = this.#tokenOf(request);
    // Before anything else: an endpoint believes these, so that a client must not write them.
    for (const [name] of this.#claimHeaders) request.headers.remove(name);
    if (token === undefined) return this.#config.optional ? undefined : this.#challenge();
    if (token.length > MAX_TOKEN_CHARACTERS) return this.#invalid('The token is too long');
    if (this.#keys?.isUsable === false) return this.#waitForKeys(token, request);
    const known = this.#verifier.known(token);
    return known === undefined ? this.#verify(token, request) : this.#judge(known, request);
  }

  status(): FilterStatus {
    return {
      keyCount: this.#verifier.keyCount,
      keyFetchCount: this.#keys?.fetchCount,
      keyFailureCount: this.#keys?.failureCount,
    };
  }

  async close(): Promise<void> {
    await this.#keys?.close();
  }

  async #waitForKeys(token: string, request: FilterRequest): Promise<FilterAnswer | undefined> {
    await this.#keys?.refresh();
    return this.#keys?.isUsable === true ? this.#verify(token, request) : NO_KEYS;
  }

  async #verify(token: string, request: FilterRequest): Promise<FilterAnswer | undefined> {
    let verdict: TokenVerdict = await this.#verifier.verify(token);
    if (verdict === 'unknown-key' && this.#keys !== undefined) {
      await this.#keys.refresh();
      verdict = await this.#verifier.verify(token);
    }
    return typeof verdict === 'string'
      ? this.#invalid('The token has no valid signature')
      : this.#judge(verdict, request);
  }

  #judge(token: VerifiedToken, request: FilterRequest): FilterAnswer | undefined {
    const { type } = this.#config;
    if (type !== undefined && typeOf(token.type) !== typeOf(type)) {
      return this.#invalid('The token is of another type');
    }
    const fault = claimFault(token.claims, this.#config, this.#wallMs());
    return fault === undefined ? this.#admit(token, request) : this.#invalid(fault);
  }

  #admit({ claims }: VerifiedToken, request: FilterRequest): FilterAnswer | undefined {
    const { scopes, forwardToken } = this.#config;
    if (scopes.length > 0) {
      const granted = scopesOf(claims);
      if (!scopes.every((scope) => granted.includes(scope))) return this.#insufficient();
    }
    if (!forwardToken) this.#removeToken(request);
    for (const [name, path] of this.#claimHeaders) {
      const value = claimText(claimOf(claims, path));
      if (value !== undefined) request.headers.set(name, nameText(value));
    }
    return undefined;
  }

  #tokenOf(request: FilterRequest): string | undefined {
    for (const place of this.#config.from) {
      const token = tokenAt(place, request);
      if (token !== undefined && token !== '') return token;
    }
    return undefined;
  }

  /** Cookies of other names stay. */
  #removeToken(request: FilterRequest): void {
    for (const place of this.#config.from) {
      if ('header' in place) request.headers.remove(place.header);
      if (!('cookie' in place)) continue;
      const others = (request.header('cookie') ?? '')
        .split(';')
        .map((pair) => pair.trim())
        .filter((pair) => pair !== '' && pair.split('=', 1)[0]?.trim() !== place.cookie);
      if (others.length === 0) request.headers.remove('cookie');
      else request.headers.set('cookie', others.join('; '));
    }
  }

  /** RFC 6750 section 3.1: without information about the request, no error code. */
  #challenge(): FilterAnswer {
    return this.#refusal(401, 'unauthorized', '');
  }

  #invalid(description: string): FilterAnswer {
    const error = `, error="invalid_token", error_description="${description}"`;
    return this.#refusal(401, 'invalid-token', error);
  }

  #insufficient(): FilterAnswer {
    const scope = this.#config.scopes.join(' ');
    return this.#refusal(
      403,
      'insufficient-scope',
      `, error="insufficient_scope", scope="${scope}"`,
    );
  }

  #refusal(status: number, reason: string, error: string): FilterAnswer {
    const challenge = `Bearer realm="${this.#config.realm}"${error}`;
    return { status, headers: { 'www-authenticate': challenge }, reason };
  }
}

function tokenAt(place: TokenPlace, request: FilterRequest): string | undefined {
  if ('cookie' in place) return request.cookie(place.cookie);
  if ('query' in place) return request.query(place.query);
  const value = request.header(place.header);
  const scheme = place.scheme ?? 'Bearer';
  if (value === undefined || scheme === '') return value?.trim();
  // Schemes are compared without their case (RFC 9110 section 11.1).
  if (value.slice(0, scheme.length).toLowerCase() !== scheme.toLowerCase()) return undefined;
  const rest = value.slice(scheme.length);
  return rest.startsWith(' ') ? rest.trim() : undefined;
}

/** `application/` may be left out (RFC 7515 section 4.1.9). */
function typeOf(type: string | undefined): string {
  return (type ?? '').toLowerCase().replace(/^application\//, '');
}
