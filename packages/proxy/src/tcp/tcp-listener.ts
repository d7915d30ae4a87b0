/** A port whose connections are passed on as they are. */
import { once } from 'node:events';
import net, { type AddressInfo } from 'node:net';
import type { Cluster } from '@evenkeel/core';
import { RelayEnd } from './relay-end.ts';
import { TcpConnection } from './tcp-connection.ts';
import type { TcpHost } from './tcp-host.ts';

export interface TcpListenerPorts {
  readonly host: Omit<TcpHost, 'closed'>;
  /** Connections at a time. */
  readonly maxClients: number;
  /** Can accepted sockets be read through a buffer of ours? */
  readonly rebuildsSockets: boolean;
}

export class TcpListener {
  /** It is the endpoints that speak TLS here, if anybody does. */
  readonly tls = undefined;

  readonly #ports: TcpListenerPorts;
  readonly #host: TcpHost;
  readonly #server: net.Server;
  readonly #connections = new Set<TcpConnection>();
  #address: { readonly host: string; readonly port: number } = { host: '', port: 0 };
  #onEmpty: (() => void) | undefined = undefined;

  constructor(ports: TcpListenerPorts) {
    this.#ports = ports;
    this.#host = { ...ports.host, closed: (connection) => this.#closed(connection) };
    this.#server = net.createServer(
      { noDelay: true, allowHalfOpen: true, pauseOnConnect: true },
      (socket) => this.#accept(socket),
    );
    // A server that cannot accept for a moment (no file descriptor left) goes on afterwards.
    this.#server.on('error', () => undefined);
  }

  /** Where it listens, or listened. */
  get address(): { readonly host: string; readonly port: number } {
    return this.#address;
  }

  /** Connections of clients at this moment. */
  get activeCount(): number {
    return this.#connections.size;
  }

  /** @throws what listening fails with */
  async listen(host: string, port: number): Promise<void> {
    this.#server.listen({ host, port });
    await once(this.#server, 'listening');
    const { address, port: bound } = this.#server.address() as AddressInfo;
    this.#address = { host: address, port: bound };
  }

  /** Accepts nobody from now on; connections stay. */
  close(): void {
    this.#server.close();
  }

  /** An endpoint has had its time to finish. */
  endpointRemoved(cluster: Cluster, slot: number): void {
    for (const connection of this.#connections) {
      const { claim } = connection;
      if (claim?.slot === slot && claim.target.cluster === cluster) connection.cutOff();
    }
  }

  /** Cuts off what is left. */
  destroy(): void {
    for (const connection of this.#connections) connection.cutOff();
  }

  /** @returns once no connection is left */
  gone(): Promise<void> {
    if (this.#connections.size === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.#onEmpty = resolve;
    });
  }

  #accept(socket: net.Socket): void {
    const { maxClients, rebuildsSockets } = this.#ports;
    const { counters } = this.#host;
    const address = socket.remoteAddress;
    // Until it has an owner.
    socket.on('error', () => undefined);
    // Reset before it was accepted.
    if (address === undefined) {
      socket.destroy();
      return;
    }
    if (this.#connections.size >= maxClients) {
      counters.refusedCount++;
      socket.resetAndDestroy();
      return;
    }
    counters.acceptedCount++;
    const connection = new TcpConnection(this.#host, address, (owner) =>
      RelayEnd.accept(socket, owner, rebuildsSockets),
    );
    this.#connections.add(connection);
    connection.begin();
  }

  #closed(connection: TcpConnection): void {
    this.#connections.delete(connection);
    this.#host.sweeper.remove(connection);
    if (this.#connections.size === 0) this.#onEmpty?.();
  }
}
