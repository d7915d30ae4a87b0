/** TLS towards one endpoint. */
import type { Endpoint } from '@evenkeel/core';
import type { ConnectionOptions, SecureContext } from 'node:tls';

/** TLS towards the endpoints of a cluster. */
export interface SecureUpstream {
  /** Certificates and authorities in force; may be replaced at any time. */
  readonly context: SecureContext;
  readonly rejectUnauthorized: boolean;
  /** What an endpoint has to prove to be; '' for its address. */
  serverNameOf(endpoint: Endpoint): string;
}

export class SecureTarget {
  readonly #upstream: SecureUpstream;
  readonly #serverName: string;
  #session: Buffer | undefined = undefined;
  /** A session is good only with what it was made with. */
  #sessionContext: SecureContext | undefined = undefined;

  constructor(upstream: SecureUpstream, endpoint: Endpoint) {
    this.#upstream = upstream;
    this.#serverName = upstream.serverNameOf(endpoint);
  }

  /** For the next connection. @param protocols for ALPN, the best one first */
  options(protocols: readonly string[] = ['http/1.1']): ConnectionOptions {
    const { context, rejectUnauthorized } = this.#upstream;
    const session = this.#sessionContext === context ? this.#session : undefined;
    return {
      secureContext: context,
      rejectUnauthorized,
      servername: this.#serverName,
      ALPNProtocols: [...protocols],
      ...(session !== undefined && { session }),
    };
  }

  /** The endpoint offers to go on with a session later. */
  keep(session: Buffer, context: SecureContext | undefined): void {
    this.#session = session;
    this.#sessionContext = context;
  }
}
