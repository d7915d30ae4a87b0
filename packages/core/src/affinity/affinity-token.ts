import { createHmac, timingSafeEqual } from 'node:crypto';

/**
 * The value of an affinity cookie: which endpoint, until when, and a signature over both.
 *
 * ```text
 *   0        1                6                      18                            36 bytes
 *   | version | expiry (s)    | endpoint             | signature                   |
 *   |    1    | 40 bits, big- | first 96 bits of     | first 144 bits of           |
 *   |         | endian        | HMAC(name key, id)   | HMAC(sign key, all before)  |
 *                                                         = 48 characters of base64url, no padding bits
 * ```
 *
 * The endpoint is named by a hash under a secret: equal in every process that has the secret, of no use to anybody who
 * wants to know addresses or try out guesses. HMAC-SHA256, both shortened as RFC 2104 section 5 allows (not below half).
 * The two keys are derived from the secret, and both hashes contain the cluster and the cookie's name, so that a cookie
 * of one cluster is nothing but noise to another.
 */
const VERSION = 1;
const EXPIRY_AT = 1;
const ENDPOINT_AT = 6;
const SIGNATURE_AT = 18;
const TOTAL_BYTES = 36;
const SHAPE = /^[A-Za-z0-9_-]{48}$/;

/** What a token says once its signature is right. */
export interface VerifiedToken {
  /** Name of the endpoint, under the secret that signed. */
  readonly endpointName: string;
  /** Seconds since 1970. */
  readonly expiresAtS: number;
  /** Which of the secrets signed: 0 is the current one. */
  readonly secretIndex: number;
}

/** Where tokens belong: one cookie of one cluster. */
export interface TokenScope {
  readonly cluster: string;
  readonly cookie: string;
}

interface Keys {
  readonly name: Buffer;
  readonly sign: Buffer;
}

/** Writes and reads the tokens of one scope. */
export class AffinityTokens {
  readonly #keys: readonly Keys[];
  readonly #scope: string;

  /** @param secrets the first signs, all verify */
  constructor(secrets: readonly (string | Uint8Array)[], { cluster, cookie }: TokenScope) {
    this.#keys = secrets.map((secret) => ({
      name: createHmac('sha256', secret).update('evenkeel affinity 1 endpoint').digest(),
      sign: createHmac('sha256', secret).update('evenkeel affinity 1 signature').digest(),
    }));
    // Neither name contains a zero byte, so no two scopes look alike.
    this.#scope = `${cluster}\0${cookie}\0`;
  }

  get secretCount(): number {
    return this.#keys.length;
  }

  /** The name that an endpoint has under one of the secrets: 24 hexadecimal digits. */
  endpointName(endpointId: string, secretIndex: number): string {
    return this.#endpointHash(endpointId, this.#keyAt(secretIndex)).toString('hex');
  }

  /** @param expiresAtS seconds since 1970 */
  sign(endpointId: string, expiresAtS: number): string {
    const keys = this.#keyAt(0);
    const bytes = Buffer.alloc(TOTAL_BYTES);
    bytes[0] = VERSION;
    bytes.writeUIntBE(expiresAtS, EXPIRY_AT, ENDPOINT_AT - EXPIRY_AT);
    bytes.set(this.#endpointHash(endpointId, keys), ENDPOINT_AT);
    bytes.set(this.#signature(bytes, keys), SIGNATURE_AT);
    return bytes.toString('base64url');
  }

  /** What a token says, or undefined for anything that none of the secrets has signed. Does not look at the time. */
  verify(token: string): VerifiedToken | undefined {
    // Length and alphabet first: the decoder would skip what does not belong, and hostile values shall cost no hashing.
    if (!SHAPE.test(token)) return undefined;
    const bytes = Buffer.from(token, 'base64url');
    if (bytes[0] !== VERSION) return undefined;
    const signature = bytes.subarray(SIGNATURE_AT);
    const secretIndex = this.#keys.findIndex((keys) =>
      timingSafeEqual(signature, this.#signature(bytes, keys)),
    );
    if (secretIndex < 0) return undefined;
    return {
      endpointName: bytes.toString('hex', ENDPOINT_AT, SIGNATURE_AT),
      expiresAtS: bytes.readUIntBE(EXPIRY_AT, ENDPOINT_AT - EXPIRY_AT),
      secretIndex,
    };
  }

  #endpointHash(endpointId: string, keys: Keys): Buffer {
    return createHmac('sha256', keys.name)
      .update(this.#scope)
      .update(endpointId)
      .digest()
      .subarray(0, SIGNATURE_AT - ENDPOINT_AT);
  }

  #signature(bytes: Buffer, keys: Keys): Buffer {
    return createHmac('sha256', keys.sign)
      .update(this.#scope)
      .update(bytes.subarray(0, SIGNATURE_AT))
      .digest()
      .subarray(0, TOTAL_BYTES - SIGNATURE_AT);
  }

  #keyAt(index: number): Keys {
    const keys = this.#keys[index];
    if (keys === undefined) throw new RangeError(`there is no secret ${index}`);
    return keys;
  }
}
