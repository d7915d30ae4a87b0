import { once } from 'node:events';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, generateKeyPair, type JWTPayload, SignJWT } from 'jose';

export interface IssuerKey {
  readonly id: string;
  readonly alg: string;
  readonly privateKey: CryptoKey;
  readonly publicJwk: Readonly<Record<string, unknown>>;
}

export async function issuerKey(id: string, alg = 'ES256'): Promise<IssuerKey> {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true });
  return {
    id,
    alg,
    privateKey,
    publicJwk: { ...(await exportJWK(publicKey)), kid: id, alg, use: 'sig' },
  };
}

/** A server with the keys of an issuer, as a real one: keys change, and it may be away. */
export class Issuer {
  readonly #server: Server;
  keys: readonly IssuerKey[];
  requestCount = 0;
  /** Instead of the keys. */
  answer: ((response: ServerResponse) => void) | undefined = undefined;

  private constructor(server: Server, keys: readonly IssuerKey[]) {
    this.#server = server;
    this.keys = keys;
    server.on('request', (_, response: ServerResponse) => {
      this.requestCount++;
      if (this.answer !== undefined) this.answer(response);
      else response.end(JSON.stringify({ keys: this.keys.map(({ publicJwk }) => publicJwk) }));
    });
  }

  static async start(keys: readonly IssuerKey[]): Promise<Issuer> {
    const server = createServer();
    const issuer = new Issuer(server, keys);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return issuer;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/jwks`;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }
}

/** @param nowSeconds when it is made; it is good for an hour */
export function sign(
  key: IssuerKey,
  claims: JWTPayload = {},
  header: Readonly<Record<string, unknown>> = {},
): Promise<string> {
  return new SignJWT({ iss: 'me', aud: 'api', sub: 'jo', exp: 4_000_000_000, ...claims })
    .setProtectedHeader({ alg: key.alg, kid: key.id, ...header } as { alg: string })
    .sign(key.privateKey);
}
