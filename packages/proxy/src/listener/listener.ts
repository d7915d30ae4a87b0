/** A port that clients connect to. */
import { once } from 'node:events';
import net, { type AddressInfo, type BlockList } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { ClientConnection } from '../engine/client-connection.ts';
import { identityOf } from '../engine/client-identity.ts';
import type { EngineHost } from '../engine/host.ts';
import { acceptSecureStream, acceptStream, type ByteStream } from '../socket/byte-stream.ts';
import type { ServerCredentials } from '../tls/server-credentials.ts';
import { TlsTerminator } from '../tls/terminator.ts';
import { Arrival } from './arrival.ts';
import { Introduction } from './introduction.ts';

export interface ListenerPorts {
  readonly host: EngineHost;
  readonly clients: Set<ClientConnection>;
  readonly trusted: BlockList | undefined;
  readonly maxClients: number;
  /** Can accepted sockets be read through the shared buffer? */
  readonly rebuildsSockets: boolean;
  /** Does every connection begin with a header that tells whose it is? */
  readonly proxyProtocol: boolean;
  /** Undefined for clear text. */
  readonly credentials: ServerCredentials | undefined;
}

export interface ListenAddress {
  readonly host: string;
  readonly port: number;
}

export class Listener {
  /** Undefined for clear text. */
  readonly tls: TlsTerminator | undefined;

  readonly #ports: ListenerPorts;
  readonly #server: net.Server;
  /** What has not come to requests yet, by the addresses of the connection. */
  readonly #arrivals = new Map<string, Arrival>();
  readonly #rebuilds: boolean;
  readonly #hasArrivals: boolean;
  #openCount = 0;
  #address: ListenAddress = { host: '', port: 0 };
  #onEmpty: (() => void) | undefined = undefined;

  constructor(ports: ListenerPorts) {
    this.#ports = ports;
    const { credentials, rebuildsSockets } = ports;
    this.tls = credentials && new TlsTerminator(credentials, (secure) => this.#secured(secure));
    // Node gives no such way into the sockets of TLS.
    this.#rebuilds = rebuildsSockets && credentials === undefined;
    this.#hasArrivals = this.tls !== undefined || ports.proxyProtocol;
    this.#server = net.createServer(
      { noDelay: true, allowHalfOpen: true, pauseOnConnect: this.#rebuilds },
      (socket) => this.#accept(socket),
    );
    // A server that cannot accept for a moment (no file descriptor left) goes on afterwards.
    this.#server.on('error', () => undefined);
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
    for (const arrival of [...this.#arrivals.values()]) arrival.fail();
  }

  /** @returns once no connection is left */
  gone(): Promise<void> {
    if (this.#openCount === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.#onEmpty = resolve;
    });
  }

  #accept(socket: net.Socket): void {
    const { host, maxClients, proxyProtocol } = this.#ports;
    const address = socket.remoteAddress;
    // Reset before it was accepted.
    if (address === undefined) {
      socket.destroy();
      return;
    }
    // Not left to the server: it does not see the end of a socket that is read through the shared buffer.
    if (this.#openCount >= maxClients) {
      host.counters.refusedCount++;
      socket.destroy();
      return;
    }
    host.counters.acceptedCount++;
    if (proxyProtocol) {
      this.#introduce(socket, address);
      return;
    }
    if (this.tls !== undefined) {
      this.#count(socket);
      this.#handshake(this.tls, this.#arrivalOf(socket, address));
      return;
    }
    const client = this.#clientOf(address, 'http');
    const stream = acceptStream(socket, client, this.#rebuilds);
    this.#count(stream.socket);
    this.#start(client, stream);
  }

  /** Who the client is comes first, from a peer that may say so. */
  #introduce(socket: net.Socket, address: string): void {
    const { host, trusted } = this.#ports;
    if (!identityOf(address, 'http', trusted).isTrusted) {
      host.counters.handshakeErrorCount++;
      socket.destroy();
      return;
    }
    const arrival = this.#arrivalOf(socket, address);
    const introduction = new Introduction({
      onIntroduced: (stream, client, rest) => {
        arrival.address = client.address ?? address;
        if (this.tls === undefined) this.#serve(arrival, stream, rest);
        else {
          socket.pause();
          if (rest.length > 0) socket.unshift(Buffer.from(rest));
          this.#handshake(this.tls, arrival);
        }
      },
      onUnknown: () => arrival.fail(),
    });
    const stream = acceptStream(socket, introduction, this.#rebuilds);
    introduction.attach(stream);
    arrival.transport = stream.socket;
    this.#count(stream.socket);
  }

  #serve(arrival: Arrival, stream: ByteStream, rest: Buffer): void {
    if (!arrival.succeed()) return;
    this.#arrivals.delete(keyOf(stream.socket));
    const client = this.#clientOf(arrival.address, 'http');
    stream.owner = client;
    this.#start(client, stream);
    if (rest.length > 0) client.onBytes(rest, 0, rest.length);
  }

  #arrivalOf(socket: net.Socket, address: string): Arrival {
    const arrival = new Arrival(this.#ports.host, socket, address);
    this.#arrivals.set(keyOf(socket), arrival);
    return arrival;
  }

  #handshake(tls: TlsTerminator, arrival: Arrival): void {
    const { transport } = arrival;
    transport.on('error', () => undefined);
    transport.on('close', () => arrival.fail());
    tls.begin(transport);
  }

  #secured(secure: TLSSocket): void {
    const key = keyOf(secure);
    const arrival = this.#arrivals.get(key);
    if (arrival?.succeed() !== true) {
      secure.destroy();
      return;
    }
    this.#arrivals.delete(key);
    const { counters } = this.#ports.host;
    counters.handshakeCount++;
    if (secure.isSessionReused()) counters.resumedHandshakeCount++;
    const client = this.#clientOf(arrival.address, 'https');
    this.#start(client, acceptSecureStream(secure, client, arrival.transport));
  }

  #clientOf(address: string, scheme: 'http' | 'https'): ClientConnection {
    const { host, trusted } = this.#ports;
    return new ClientConnection(host, identityOf(address, scheme, trusted));
  }

  #start(client: ClientConnection, stream: ByteStream): void {
    const { host, clients } = this.#ports;
    clients.add(client);
    host.sweeper.add(client);
    client.attach(stream);
    if (host.draining) client.drain();
  }

  #count(socket: net.Socket): void {
    this.#openCount++;
    const key = this.#hasArrivals ? keyOf(socket) : '';
    socket.on('close', () => {
      const arrival = this.#arrivals.get(key);
      // Another connection may have come from the same port since.
      if (arrival?.transport === socket) this.#arrivals.delete(key);
      this.#openCount--;
      if (this.#openCount === 0) this.#onEmpty?.();
    });
  }
}

/** One and the same for a socket and the TLS over it, and for no other one of a listener. */
function keyOf({ remoteAddress, remotePort, localAddress }: net.Socket): string {
  return `${remoteAddress} ${remotePort} ${localAddress}`;
}
