/** A port that clients connect to. */
import { once } from 'node:events';
import net, { type AddressInfo, type BlockList } from 'node:net';
import { ClientConnection } from '../engine/client-connection.ts';
import { identityOf } from '../engine/client-identity.ts';
import type { EngineHost } from '../engine/host.ts';
import { acceptStream } from '../socket/byte-stream.ts';

export interface ListenerPorts {
  readonly host: EngineHost;
  readonly clients: Set<ClientConnection>;
  readonly trusted: BlockList | undefined;
  readonly maxClients: number;
  /** Can accepted sockets be read through the shared buffer? */
  readonly rebuildsSockets: boolean;
}

export interface ListenAddress {
  readonly host: string;
  readonly port: number;
}

export class Listener {
  readonly #ports: ListenerPorts;
  readonly #server: net.Server;
  #address: ListenAddress = { host: '', port: 0 };

  constructor(ports: ListenerPorts) {
    this.#ports = ports;
    this.#server = net.createServer(
      { noDelay: true, allowHalfOpen: true, pauseOnConnect: ports.rebuildsSockets },
      (socket) => this.#accept(socket),
    );
    this.#server.maxConnections = ports.maxClients;
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

  /** Accepts nobody from now on. Connections stay. */
  close(): void {
    this.#server.close();
  }

  #accept(socket: net.Socket): void {
    const { host, clients, trusted, rebuildsSockets } = this.#ports;
    const address = socket.remoteAddress;
    // Reset before it was accepted.
    if (address === undefined) {
      socket.destroy();
      return;
    }
    host.counters.acceptedCount++;
    const client = new ClientConnection(host, identityOf(address, 'http', trusted));
    clients.add(client);
    host.sweeper.add(client);
    client.attach(acceptStream(socket, client, rebuildsSockets));
    if (host.draining) client.drain();
  }
}
