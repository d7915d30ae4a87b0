/** Checks signatures of tokens (RFC 7515 section 5.2) with jose, and keeps what was found. */
import type { CompactVerifyResult, JSONWebKeySet } from 'jose';
import { Generations } from '../shared/generations.ts';
import type { Claims } from './claims.ts';
import type { Jose } from './jose.ts';
import type { JwkSet } from './schema.ts';

export interface VerifiedToken {
  readonly claims: Claims;
  readonly type: string | undefined;
}

/** `unknown-key`: perhaps one that the issuer has changed to since. */
export type TokenVerdict = VerifiedToken | 'invalid' | 'unknown-key';

/** Tokens that do not name their key are tried with so many. */
const MAX_CANDIDATES = 16;

export class TokenVerifier {
  readonly #jose: Jose;
  readonly #algorithms: string[];
  readonly #known: Generations<VerifiedToken>;
  #keyOf: ReturnType<Jose['createLocalJWKSet']> | undefined = undefined;
  #keyCount = 0;

  constructor(jose: Jose, algorithms: readonly string[], maxCached: number) {
    this.#jose = jose;
    this.#algorithms = [...algorithms];
    this.#known = new Generations(maxCached);
  }

  get keyCount(): number {
    return this.#keyCount;
  }

  /** What was found with other keys does not count any more. */
  setKeys(keys: JwkSet): void {
    this.#keyOf = this.#jose.createLocalJWKSet(keys as unknown as JSONWebKeySet);
    this.#keyCount = keys.keys.length;
    this.#known.clear();
  }

  /** What is known of a token whose signature was right. */
  known(token: string): VerifiedToken | undefined {
    return this.#known.get(token);
  }

  async verify(token: string): Promise<TokenVerdict> {
    const keyOf = this.#keyOf;
    if (keyOf === undefined) return 'unknown-key';
    let found: CompactVerifyResult;
    try {
      found = await this.#check(token, keyOf);
    } catch (error) {
      return error instanceof this.#jose.errors.JWKSNoMatchingKey ? 'unknown-key' : 'invalid';
    }
    const verified = readPayload(found);
    if (verified === undefined) return 'invalid';
    // Keys may have been taken away while the signature was checked.
    if (keyOf === this.#keyOf) this.#known.set(token, verified);
    return verified;
  }

  async #check(
    token: string,
    keyOf: ReturnType<Jose['createLocalJWKSet']>,
  ): Promise<CompactVerifyResult> {
    const options = { algorithms: this.#algorithms };
    try {
      return await this.#jose.compactVerify(token, keyOf, options);
    } catch (error) {
      if (!(error instanceof this.#jose.errors.JWKSMultipleMatchingKeys)) throw error;
      let tried = 0;
      for await (const key of error) {
        if (++tried > MAX_CANDIDATES) break;
        try {
          return await this.#jose.compactVerify(token, key, options);
        } catch (inner) {
          if (!(inner instanceof this.#jose.errors.JWSSignatureVerificationFailed)) throw inner;
        }
      }
      throw error;
    }
  }
}

const decoder = new TextDecoder('utf-8', { fatal: true });

function readPayload({ payload, protectedHeader }: CompactVerifyResult): VerifiedToken | undefined {
  // A payload that is not encoded is no JWT (RFC 7797 section 7).
  if (protectedHeader.b64 === false) return undefined;
  try {
    const claims: unknown = JSON.parse(decoder.decode(payload));
    if (typeof claims !== 'object' || claims === null || Array.isArray(claims)) return undefined;
    return { claims: claims as Claims, type: protectedHeader.typ };
  } catch {
    return undefined;
  }
}
