/** A port that clients connect to. */
import { once } from 'node:events';
import net, { type AddressInfo } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { CidrSet } from '../address/cidr-set.ts';
import { clientPrefix } from '../address/client-prefix.ts';
import { ClientConnection } from '../engine/client-connection.ts';
import type { Http2Config } from '../config/http2-options.ts';
import { type ClientIdentity, identityOf } from '../engine/client-identity.ts';
import type { Client, EngineHost } from '../engine/host.ts';
import { ClientSession, type ClientSessionPorts } from '../http2/downstream/client-session.ts';
import type { ByteStream } from '../socket/byte-stream.ts';
import { acceptSecureStream, acceptStream } from '../socket/socket-stream.ts';
import type { ServerCredentials } from '../tls/server-credentials.ts';
import { peerCertificateOf } from '../tls/peer-certificate.ts';
import type { TlsTerminator } from '../tls/terminator.ts';
import type { AddressLimits } from './address-limits.ts';
import type { ArrivalHost } from './arrival.ts';
import type { Arrived } from './arrived.ts';
import { Doorway } from './doorway.ts';
import { FirstBytes } from './first-bytes.ts';
import { type MixedPort, snifferOf } from './mixed-port.ts';

export interface ListenerPorts {
  readonly host: EngineHost;
  readonly clients: Set<Client>;
  readonly trusted: CidrSet | undefined;
  readonly maxClients: number;
  /** Can accepted sockets be read through the shared buffer? */
  readonly rebuildsSockets: boolean;
  /** Does every connection begin with a header that tells whose it is? */
  readonly proxyProtocol: boolean;
  /** Undefined for clear text. */
  readonly credentials: ServerCredentials | undefined;
  /** Limits of connections that speak HTTP/2; undefined where none may. */
  readonly http2: Http2Config | undefined;
  /** Undefined for any number of connections of one client. */
  readonly addressLimits: AddressLimits | undefined;
  /** Undefined where all connections are in clear text, or all are secure. */
  readonly mixed: MixedPort | undefined;
  /** Of requests in clear text on a mixed port. */
  readonly clearHost: EngineHost;
}

/** What may change while it listens. */
export type ListenerChange = Pick<
  ListenerPorts,
  'trusted' | 'maxClients' | 'http2' | 'addressLimits' | 'mixed'
>;

/** A connection in clear text. */
interface Clear {
  readonly address: string;
  /** Bytes that were read before. */
  readonly early: Buffer | undefined;
  /** It is gone. */
  readonly leave: () => void;
}

export interface ListenAddress {
  readonly host: string;
  readonly port: number;
}

export class Listener {
  #ports: ListenerPorts;
  readonly #server: net.Server;
  /** What comes before requests. */
  readonly #doorway: Doorway;
  /** What to call when a connection is gone that has not come to its protocol. */
  readonly #leaves = new WeakMap<net.Socket, () => void>();
  #openCount = 0;
  #address: ListenAddress = { host: '', port: 0 };
  #onEmpty: (() => void) | undefined = undefined;

  constructor(ports: ListenerPorts) {
    this.#ports = ports;
    const { credentials, rebuildsSockets, host, proxyProtocol, trusted, mixed } = ports;
    this.#doorway = new Doorway({
      host: arrivalHostOf(host),
      proxyProtocol,
      trusted,
      credentials,
      sniffer: mixed && snifferOf(mixed),
      isTerminated: (kind) => kind === 'secure',
      onArrived: (arrived) => this.#arrived(arrived),
    });
    this.#server = net.createServer(
      {
        noDelay: true,
        allowHalfOpen: true,
        // Node gives no such way into the sockets of TLS.
        pauseOnConnect: rebuildsSockets && credentials === undefined,
      },
      (socket) => this.#accept(socket),
    );
    // A server that cannot accept for a moment (no file descriptor left) goes on afterwards.
    this.#server.on('error', () => undefined);
  }

  /** Undefined for clear text. */
  get tls(): TlsTerminator | undefined {
    return this.#doorway.tls;
  }

  /** For connections that are accepted from now on. */
  update(changed: ListenerChange): void {
    this.#ports = { ...this.#ports, ...changed };
    const { trusted, mixed } = changed;
    const sniffer = mixed && snifferOf(mixed);
    this.#doorway.update({ trusted, sniffer, host: arrivalHostOf(this.#ports.host) });
  }

  /** Where it listens, or listened. */
  get address(): ListenAddress {
    return this.#address;
  }

  /** @throws what listening fails with: the port is taken, may not be used, ... */
  async listen(host: string, port: number): Promise<void> {
    this.#server.listen({ host, port });
    await once(this.#server, 'listening');
    const { address, port: bound } = this.#server.address() as AddressInfo;
    this.#address = { host: address, port: bound };
  }

  /** Accepts nobody from now on. Connections stay, but for those that have not come to a request yet. */
  close(): void {
    this.#server.close();
    this.#doorway.close();
  }

  /** @returns once no connection is left */
  gone(): Promise<void> {
    if (this.#openCount === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.#onEmpty = resolve;
    });
  }

  #accept(socket: net.Socket): void {
    const { host, maxClients } = this.#ports;
    // Reset before it was accepted.
    if (socket.remoteAddress === undefined) {
      socket.destroy();
      return;
    }
    // Not left to the server: it does not see the end of a socket that is read through the shared buffer.
    if (this.#openCount >= maxClients) {
      host.counters.refusedCount++;
      socket.destroy();
      return;
    }
    const leave = this.#enter(socket.remoteAddress);
    if (leave === undefined) {
      socket.resetAndDestroy();
      return;
    }
    host.counters.acceptedCount++;
    this.#openCount++;
    if (this.#doorway.isOpen) {
      this.#serveClear(socket, { address: socket.remoteAddress, early: undefined, leave });
      return;
    }
    socket.on('close', leave);
    this.#leaves.set(socket, leave);
    this.#doorway.enter(socket);
  }

  /** @returns what to call when the connection is gone; undefined when the client has as many as it may have */
  #enter(address: string): (() => void) | undefined {
    const { addressLimits: limits, host } = this.#ports;
    if (limits === undefined) return this.#onClose;
    const key = clientPrefix(address);
    if (!limits.enter(key, host.runtime.clock.nowMs())) {
      host.counters.limitedCount++;
      return undefined;
    }
    return () => {
      limits.leave(key);
      this.#onClose();
    };
  }

  #arrived(arrived: Arrived): void {
    const { transport, secure, client, early, kind } = arrived;
    const leave = this.#leaves.get(transport) ?? this.#onClose;
    if (kind === 'passed') {
      transport.off('close', leave);
      this.#ports.mixed?.pass(arrived, leave);
    } else if (secure === undefined)
      this.#serveClear(transport, { address: client.address, early, leave });
    else this.#serveSecure(secure, transport, client.address);
  }

  #serveClear(socket: net.Socket, { address, early, leave }: Clear): void {
    const { http2, clearHost, rebuildsSockets } = this.#ports;
    const identity = this.#identityOf(address, 'http');
    const client = new ClientConnection(clearHost, identity);
    const first = http2 === undefined ? client : this.#firstBytes(client, identity, http2);
    const stream = acceptStream(socket, first, rebuildsSockets);
    // Of the two only the one that is read sees the end.
    if (this.#doorway.isOpen || stream.socket !== socket) stream.socket.on('close', leave);
    this.#start(client, stream);
    if (early !== undefined) first.onBytes(early, 0, early.length);
  }

  #serveSecure(secure: TLSSocket, transport: net.Socket, address: string): void {
    const { counters } = this.#ports.host;
    counters.handshakeCount++;
    if (secure.isSessionReused()) counters.resumedHandshakeCount++;
    const identity = {
      ...this.#identityOf(address, 'https'),
      certificate: lazily(() => peerCertificateOf(secure)),
    };
    const client = new ClientConnection(this.#ports.host, identity);
    const stream = acceptSecureStream(secure, client, transport);
    const { http2 } = this.#ports;
    if (secure.alpnProtocol === 'h2' && http2 !== undefined)
      this.#startSession(stream, { host: this.#ports.host, identity, http2 }, undefined);
    else this.#start(client, stream);
  }

  #identityOf(address: string, scheme: 'http' | 'https'): ClientIdentity {
    return identityOf(address, scheme, this.#ports.trusted);
  }

  #start(client: ClientConnection, stream: ByteStream): void {
    const { host, clients } = this.#ports;
    clients.add(client);
    host.sweeper.add(client);
    client.attach(stream);
    if (host.draining) client.drain();
  }

  /** A connection in clear text may turn out to speak HTTP/2. */
  #firstBytes(client: ClientConnection, identity: ClientIdentity, http2: Http2Config): FirstBytes {
    const { host, clearHost, clients } = this.#ports;
    return new FirstBytes({
      client,
      passOn: () => {
        client.stream.owner = client;
      },
      takeOver: (bytes) => {
        clients.delete(client);
        host.sweeper.remove(client);
        this.#startSession(client.stream, { host: clearHost, identity, http2 }, bytes);
      },
    });
  }

  #startSession(stream: ByteStream, ports: ClientSessionPorts, early: Buffer | undefined): void {
    const session = new ClientSession(ports);
    this.#ports.clients.add(session);
    session.attach(stream, early);
  }

  readonly #onClose = (): void => {
    this.#openCount--;
    if (this.#openCount === 0) this.#onEmpty?.();
  };
}

function arrivalHostOf({ runtime, sweeper, counters, timeouts }: EngineHost): ArrivalHost {
  return { runtime, sweeper, counters, handshakeMs: timeouts.handshakeMs };
}

/** Asked for by few, and then by every request. */
function lazily<Value>(make: () => Value): () => Value {
  let made: { readonly value: Value } | undefined = undefined;
  return () => (made ??= { value: make() }).value;
}
