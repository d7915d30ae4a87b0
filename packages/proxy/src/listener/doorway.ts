/** All that connections go through before their protocol begins, for listeners of whatever protocol. */
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { CidrSet } from '../address/cidr-set.ts';
import type { ServerCredentials } from '../tls/server-credentials.ts';
import { TlsTerminator } from '../tls/terminator.ts';
import { Arrival, type ArrivalHost } from './arrival.ts';
import type { Arrived, Sniffer } from './arrived.ts';

export interface DoorwayOptions {
  readonly host: ArrivalHost;
  /** Does every connection begin with a header that tells whose it is? Only those of {@link trusted} may. */
  readonly proxyProtocol: boolean;
  readonly trusted: CidrSet | undefined;
  /** Undefined for clear text. */
  readonly credentials: ServerCredentials | undefined;
  /** Undefined when there is one protocol only. */
  readonly sniffer?: Sniffer | undefined;
  /** Is TLS terminated for this kind of connection? Default for all, where there are credentials. */
  readonly isTerminated?: ((kind: string) => boolean) | undefined;
  onArrived(arrived: Arrived): void;
}

export class Doorway {
  /** Undefined for clear text. */
  readonly tls: TlsTerminator | undefined;

  #options: DoorwayOptions;
  /** By the addresses of the connection, which a socket and the TLS over it have in common. */
  readonly #arrivals = new Map<string, Arrival>();

  constructor(options: DoorwayOptions) {
    this.#options = options;
    const { credentials } = options;
    this.tls = credentials && new TlsTerminator(credentials, (secure) => this.#secured(secure));
  }

  /** Is there nothing before the protocol, so that {@link enter} calls back at once? */
  get isOpen(): boolean {
    const { proxyProtocol, sniffer } = this.#options;
    return this.tls === undefined && !proxyProtocol && sniffer === undefined;
  }

  /** Connections that have not come to their protocol. */
  get count(): number {
    return this.#arrivals.size;
  }

  /** @param socket that nobody reads */
  enter(socket: Socket): void {
    const { host, proxyProtocol, trusted, sniffer } = this.#options;
    if (this.isOpen) {
      const { remoteAddress = '', remotePort = 0 } = socket;
      const client = { address: remoteAddress, port: remotePort };
      this.#options.onArrived({
        transport: socket,
        secure: undefined,
        client,
        early: undefined,
        kind: undefined,
      });
      return;
    }
    if (proxyProtocol && trusted?.has(socket.remoteAddress ?? '') !== true) {
      host.counters.handshakeErrorCount++;
      socket.destroy();
      return;
    }
    const options = { isIntroduced: proxyProtocol, sniffer };
    const arrival = new Arrival(host, socket, options, (ready, kind, early) => {
      this.#introduced(ready, kind, early);
    });
    const key = keyOf(socket);
    this.#arrivals.set(key, arrival);
    socket.on('close', () => {
      // Another connection may have come from the same port since.
      if (this.#arrivals.get(key) === arrival) this.#arrivals.delete(key);
    });
    arrival.begin();
  }

  /** For connections that enter from now on. */
  update(changed: Partial<Pick<DoorwayOptions, 'host' | 'trusted' | 'sniffer'>>): void {
    this.#options = { ...this.#options, ...changed };
  }

  /** Nobody comes in any more. */
  close(): void {
    for (const arrival of [...this.#arrivals.values()]) arrival.fail();
    this.#arrivals.clear();
  }

  #introduced(arrival: Arrival, kind: string | undefined, early: Buffer | undefined): void {
    const { isTerminated } = this.#options;
    const { transport } = arrival;
    const { tls } = this;
    if (tls !== undefined && (kind === undefined || isTerminated?.(kind) !== false)) {
      if (early !== undefined) transport.unshift(early);
      tls.begin(transport);
      return;
    }
    if (!arrival.succeed()) return;
    this.#arrivals.delete(keyOf(transport));
    const { client } = arrival;
    this.#options.onArrived({ transport, secure: undefined, client, early, kind });
  }

  #secured(secure: TLSSocket): void {
    const key = keyOf(secure);
    const arrival = this.#arrivals.get(key);
    this.#arrivals.delete(key);
    if (arrival?.succeed() !== true) {
      secure.destroy();
      return;
    }
    const { transport, client } = arrival;
    this.#options.onArrived({ transport, secure, client, early: undefined, kind: undefined });
  }
}

/** One and the same for a socket and the TLS over it, and for no other one of a listener. */
function keyOf({ remoteAddress, remotePort, localAddress }: Socket): string {
  return `${remoteAddress} ${remotePort} ${localAddress}`;
}
