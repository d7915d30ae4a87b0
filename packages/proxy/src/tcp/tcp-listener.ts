/** A port whose connections are passed on as they are, but for TLS that ends here. */
import { once } from 'node:events';
import net, { type AddressInfo } from 'node:net';
import type { CidrSet } from '../address/cidr-set.ts';
import { clientPrefix } from '../address/client-prefix.ts';
import { type AddressLimitOptions, AddressLimits } from '../listener/address-limits.ts';
import { Doorway, type DoorwayOptions } from '../listener/doorway.ts';
import type { TlsTerminator } from '../tls/terminator.ts';
import type { TcpConnections } from './tcp-connections.ts';
import type { TcpCounters } from './tcp-counters.ts';
import type { TcpHost } from './tcp-host.ts';

export interface TcpListenerPorts extends Omit<DoorwayOptions, 'onArrived'> {
  readonly connections: TcpConnections;
  readonly counters: TcpCounters;
  /** Connections at a time. */
  readonly maxClients: number;
  /** What one client may have; undefined for anything. */
  readonly perClient: AddressLimitOptions | undefined;
}

/** What may change while it listens. */
export interface TcpListenerChange extends Pick<TcpHost, 'timeouts' | 'targets'> {
  readonly maxClients: number;
  readonly perClient: AddressLimitOptions | undefined;
  readonly trusted: CidrSet | undefined;
}

export class TcpListener {
  readonly #ports: TcpListenerPorts;
  #maxClients: number;
  #limits: AddressLimits | undefined;
  readonly #server: net.Server;
  readonly #doorway: Doorway;
  /** What to call when a connection with a limit is gone. */
  readonly #leaves = new WeakMap<net.Socket, () => void>();
  #address: { readonly host: string; readonly port: number } = { host: '', port: 0 };

  constructor(ports: TcpListenerPorts) {
    this.#ports = ports;
    const { connections } = ports;
    this.#maxClients = ports.maxClients;
    this.#limits = ports.perClient && new AddressLimits(ports.perClient);
    this.#doorway = new Doorway({
      ...ports,
      onArrived: (arrived) => {
        const leave = this.#leaves.get(arrived.transport);
        if (leave !== undefined) arrived.transport.off('close', leave);
        connections.take(arrived, leave);
      },
    });
    this.#server = net.createServer(
      { noDelay: true, allowHalfOpen: true, pauseOnConnect: true },
      (socket) => this.#accept(socket),
    );
    // A server that cannot accept for a moment (no file descriptor left) goes on afterwards.
    this.#server.on('error', () => undefined);
  }

  /** Undefined where TLS, if there is any, is the endpoints'. */
  get tls(): TlsTerminator | undefined {
    return this.#doorway.tls;
  }

  /** Where it listens, or listened. */
  get address(): { readonly host: string; readonly port: number } {
    return this.#address;
  }

  get connections(): TcpConnections {
    return this.#ports.connections;
  }

  /** Connections of clients at this moment. */
  get activeCount(): number {
    return this.#ports.connections.activeCount;
  }

  /** @throws what listening fails with */
  async listen(host: string, port: number): Promise<void> {
    this.#server.listen({ host, port });
    await once(this.#server, 'listening');
    const { address, port: bound } = this.#server.address() as AddressInfo;
    this.#address = { host: address, port: bound };
  }

  /** For connections that come from now on. */
  update({ maxClients, perClient, trusted, ...changed }: TcpListenerChange): void {
    this.#maxClients = maxClients;
    // Who has how many connections is not forgotten.
    if (perClient === undefined) this.#limits = undefined;
    else if (this.#limits === undefined) this.#limits = new AddressLimits(perClient);
    else this.#limits.configure(perClient);
    this.#doorway.update({ trusted });
    this.#ports.connections.update(changed);
  }

  /** Accepts nobody from now on; connections stay, but for those that have not come to their bytes yet. */
  close(): void {
    this.#server.close();
    this.#doorway.close();
  }

  /** Nothing tells a connection that is passed on as it is that it should end. */
  drain(): void {
    // It ends by itself.
  }

  /** Cuts off what is left. */
  destroy(): void {
    this.#ports.connections.destroy();
  }

  /** @returns once no connection is left */
  gone(): Promise<void> {
    return this.#ports.connections.gone();
  }

  #accept(socket: net.Socket): void {
    const { connections, counters } = this.#ports;
    // Until it has an owner.
    socket.on('error', () => undefined);
    // Reset before it was accepted.
    if (socket.remoteAddress === undefined) {
      socket.destroy();
      return;
    }
    if (connections.activeCount + this.#doorway.count >= this.#maxClients) {
      counters.refusedCount++;
      socket.resetAndDestroy();
      return;
    }
    if (!this.#enter(socket, socket.remoteAddress)) {
      counters.limitedCount++;
      socket.resetAndDestroy();
      return;
    }
    counters.acceptedCount++;
    this.#doorway.enter(socket);
  }

  #enter(socket: net.Socket, address: string): boolean {
    const limits = this.#limits;
    if (limits === undefined) return true;
    const key = clientPrefix(address);
    if (!limits.enter(key, this.#ports.host.runtime.clock.nowMs())) return false;
    const leave = (): void => limits.leave(key);
    this.#leaves.set(socket, leave);
    socket.on('close', leave);
    return true;
  }
}
