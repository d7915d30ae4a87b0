/** What the endpoints of a cluster get before the bytes of a client: whose connection it is, and TLS. */
import type { Endpoint } from '@evenkeel/core';
import {
  type Place,
  type ProxyProtocolVersion,
  writeProxyHeader,
} from '../proxy-protocol/write-header.ts';
import { SecureTarget, type SecureUpstream } from '../socket/secure-target.ts';
import type { Dialing } from './relay-end.ts';

export interface DialerOptions {
  /** Undefined for no header. */
  readonly proxyProtocol: ProxyProtocolVersion | undefined;
  /** Undefined for clear text. */
  readonly tls: SecureUpstream | undefined;
}

/** Both ends of a connection of a client. */
export interface Ends {
  readonly client: Place;
  /** Where it connected to. */
  readonly local: Place;
}

export class Dialer {
  readonly #options: DialerOptions;
  /** Sessions of TLS are kept per endpoint. */
  readonly #targets = new WeakMap<Endpoint, SecureTarget>();

  constructor(options: DialerOptions) {
    this.#options = options;
  }

  dialing(endpoint: Endpoint, { client, local }: Ends): Dialing {
    const { proxyProtocol, tls } = this.#options;
    return {
      header: proxyProtocol && writeProxyHeader(proxyProtocol, client, local),
      secure: tls && this.#targetOf(endpoint, tls),
    };
  }

  #targetOf(endpoint: Endpoint, tls: SecureUpstream): SecureTarget {
    const known = this.#targets.get(endpoint);
    if (known !== undefined) return known;
    const made = new SecureTarget(tls, endpoint);
    this.#targets.set(endpoint, made);
    return made;
  }
}
