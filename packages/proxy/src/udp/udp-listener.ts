/** A port whose datagrams are passed on, and the answers back. */
import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { isIP } from 'node:net';
import { type Cluster, Outcome } from '@evenkeel/core';
import { Claim, type ClaimTarget } from '../tcp/claim.ts';
import type { UdpHost } from './udp-host.ts';
import { MAX_QUEUED_BYTES, sessionKeyOf, UdpSession } from './udp-session.ts';

export interface UdpListenerPorts {
  readonly host: Omit<UdpHost, 'reply' | 'closed' | 'gone'>;
  readonly target: ClaimTarget;
  readonly maxSessions: number;
}

export class UdpListener {
  readonly tls = undefined;

  #ports: UdpListenerPorts;
  readonly #host: { -readonly [Key in keyof UdpHost]: UdpHost[Key] };
  readonly #sessions = new Map<string, UdpSession>();
  #socket: Socket | undefined = undefined;
  #address: { readonly host: string; readonly port: number } = { host: '', port: 0 };
  /** Sockets that are not closed yet. */
  #openCount = 0;
  #isClosing = false;
  #onEmpty: (() => void) | undefined = undefined;

  constructor(ports: UdpListenerPorts) {
    this.#ports = ports;
    const { counters } = ports.host;
    this.#host = {
      ...ports.host,
      reply: (bytes, { address, port }) => {
        const socket = this.#socket;
        if (socket === undefined) return;
        if (socket.getSendQueueSize() > MAX_QUEUED_BYTES) {
          counters.overflowDropCount++;
          return;
        }
        counters.endpointDatagramCount++;
        counters.endpointByteCount += bytes.length;
        socket.send(bytes, port, address, ignore);
      },
      closed: ({ key }) => this.#sessions.delete(key),
      gone: () => this.#gone(),
    };
  }

  /** The silence that ends a session counts from now on; the target and the limit are for sessions that begin. */
  update(
    changed: Pick<UdpHost, 'idleTimeoutMs'> & Pick<UdpListenerPorts, 'target' | 'maxSessions'>,
  ): void {
    const { idleTimeoutMs, target, maxSessions } = changed;
    this.#ports = { ...this.#ports, target, maxSessions };
    this.#host.idleTimeoutMs = idleTimeoutMs;
  }

  /** Where it listens, or listened. */
  get address(): { readonly host: string; readonly port: number } {
    return this.#address;
  }

  /** Sessions at this moment. */
  get activeCount(): number {
    return this.#sessions.size;
  }

  /** @throws what binding fails with */
  async listen(host: string, port: number): Promise<void> {
    this.#isClosing = false;
    const socket = createSocket(isIP(host) === 6 ? 'udp6' : 'udp4');
    const listening = once(socket, 'listening');
    try {
      socket.bind(port, host);
      await listening;
    } catch (error) {
      socket.close();
      throw error;
    }
    // A reply that cannot be delivered is the client's loss.
    socket.on('error', ignore);
    socket.on('message', (bytes, from) => this.#receive(bytes, from));
    const { address, port: bound } = socket.address();
    this.#address = { host: address, port: bound };
    this.#socket = socket;
    this.#openCount++;
  }

  /** Begins no session from now on; those that there are go on. */
  close(): void {
    this.#isClosing = true;
    if (this.#sessions.size === 0) this.#closeSocket();
  }

  /** Nothing tells a session that it should end. */
  drain(): void {
    // It ends by its silence.
  }

  /** An endpoint has had its time to finish. */
  endpointRemoved(cluster: Cluster, slot: number): void {
    for (const session of this.#sessions.values()) {
      const { claim } = session;
      if (claim.slot === slot && claim.target.cluster === cluster) session.close();
    }
  }

  /** Ends what is left. */
  destroy(): void {
    for (const session of this.#sessions.values()) session.close();
    this.#closeSocket();
  }

  /** @returns once no socket is left */
  gone(): Promise<void> {
    if (this.#openCount === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.#onEmpty = resolve;
    });
  }

  #receive(bytes: Buffer, from: RemoteInfo): void {
    let session = this.#sessions.get(sessionKeyOf(from));
    if (session?.claim.isServing === false) {
      // There is no connection that would break: without this a client that keeps asking would ask a dead endpoint for ever.
      this.#host.counters.movedSessionCount++;
      session.close();
      session = undefined;
    }
    session ??= this.#begin(from);
    session?.send(bytes);
  }

  #begin(from: RemoteInfo): UdpSession | undefined {
    const { counters } = this.#host;
    const { target, maxSessions } = this.#ports;
    if (this.#isClosing) return undefined;
    if (this.#sessions.size >= maxSessions) {
      counters.sessionLimitDropCount++;
      return undefined;
    }
    const claim = new Claim(target, from.address);
    const place = claim.open()?.address;
    // There are no datagrams to a path.
    if (place === undefined || place.kind === 'unix') {
      counters.unservedDropCount++;
      claim.close(Outcome.cancelled);
      return undefined;
    }
    counters.sessionCount++;
    this.#openCount++;
    const session = new UdpSession(this.#host, { client: from, claim }, place);
    this.#sessions.set(session.key, session);
    return session;
  }

  #closeSocket(): void {
    const socket = this.#socket;
    this.#socket = undefined;
    socket?.close(() => this.#gone());
  }

  #gone(): void {
    this.#openCount--;
    if (this.#isClosing && this.#sessions.size === 0) this.#closeSocket();
    if (this.#openCount === 0) this.#onEmpty?.();
  }
}

const ignore = (): void => undefined;
