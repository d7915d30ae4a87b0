/** The connections of a listener that are passed on. */
import type { Cluster } from '@evenkeel/core';
import type { Arrived } from '../listener/arrived.ts';
import type { RelayOwner } from './relay-end.ts';
import { RelayEnd } from './relay-end.ts';
import { TcpConnection } from './tcp-connection.ts';
import type { TcpHost } from './tcp-host.ts';

export class TcpConnections {
  #host: TcpHost;
  /** Can accepted sockets be read through a buffer of ours? */
  readonly #rebuildsSockets: boolean;
  /** With what to call when each is gone. */
  readonly #all = new Map<TcpConnection, (() => void) | undefined>();
  #onEmpty: (() => void) | undefined = undefined;

  constructor(host: Omit<TcpHost, 'closed'>, rebuildsSockets: boolean) {
    this.#host = { ...host, closed: (connection) => this.#closed(connection) };
    this.#rebuildsSockets = rebuildsSockets;
  }

  /** For connections that come from now on. */
  update(changed: Pick<TcpHost, 'timeouts' | 'targets'>): void {
    this.#host = { ...this.#host, ...changed };
  }

  get activeCount(): number {
    return this.#all.size;
  }

  /** A connection whose bytes are the client's from now on. */
  take({ transport, secure, client, early }: Arrived, onGone?: () => void): void {
    const { localAddress = '', localPort = 0 } = transport;
    const ends = { client, local: { address: localAddress, port: localPort } };
    const accept = (owner: RelayOwner): RelayEnd =>
      secure === undefined
        ? RelayEnd.accept(transport, owner, this.#rebuildsSockets)
        : RelayEnd.acceptSecure(secure, transport, owner);
    const connection = new TcpConnection(this.#host, ends, accept);
    this.#all.set(connection, onGone);
    connection.begin(early);
  }

  /** An endpoint has had its time to finish. */
  endpointRemoved(cluster: Cluster, slot: number): void {
    for (const connection of this.#all.keys()) {
      const { claim } = connection;
      if (claim?.slot === slot && claim.target.cluster === cluster) connection.cutOff();
    }
  }

  /** Cuts off what is left. */
  destroy(): void {
    for (const connection of this.#all.keys()) connection.cutOff();
  }

  /** @returns once no connection is left */
  gone(): Promise<void> {
    if (this.#all.size === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.#onEmpty = resolve;
    });
  }

  #closed(connection: TcpConnection): void {
    const onGone = this.#all.get(connection);
    this.#all.delete(connection);
    this.#host.sweeper.remove(connection);
    onGone?.();
    if (this.#all.size === 0) this.#onEmpty?.();
  }
}
