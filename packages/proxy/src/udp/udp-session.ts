/**
 * All datagrams between one address and port of a client and one endpoint. Each session has a socket of its own, which is
 * connected: replies of the endpoint find their way back by it, nobody else's get in, and the kernel tells when nobody
 * listens.
 */
import { createSocket, type Socket } from 'node:dgram';
import { isIP } from 'node:net';
import { type Endpoint, Outcome } from '@evenkeel/core';
import type { Timed } from '../socket/sweeper.ts';
import type { Claim } from '../tcp/claim.ts';
import type { UdpHost } from './udp-host.ts';

/** Datagrams that wait for the socket to be ready, which takes a turn of the event loop, or a look-up of a name. */
const MAX_EARLY_DATAGRAMS = 64;
const MAX_EARLY_BYTES = 262_144;

/** Bytes that a socket may owe its network before more are dropped, as a network would do. */
export const MAX_QUEUED_BYTES = 1_048_576;

/** Whose session it is, and the endpoint's place in its cluster. */
export interface SessionOrigin {
  readonly client: ClientPlace;
  readonly claim: Claim;
}

export type UdpEndpoint = Extract<Endpoint['address'], { readonly port: number }>;

export interface ClientPlace {
  readonly address: string;
  readonly port: number;
}

export class UdpSession implements Timed {
  dueAtMs: number;
  sweepIndex = -1;
  readonly key: string;
  readonly claim: Claim;

  readonly #host: UdpHost;
  readonly #client: ClientPlace;
  readonly #socket: Socket;
  /** What came before the socket was connected; undefined since. */
  #early: Buffer[] | undefined = [];
  #earlyBytes = 0;
  #hasAnswered = false;
  #isOver = false;

  /** @param endpoint what the claim was given */
  constructor(host: UdpHost, from: SessionOrigin, endpoint: UdpEndpoint) {
    this.#host = host;
    this.#client = from.client;
    this.claim = from.claim;
    this.key = sessionKeyOf(from.client);
    this.dueAtMs = host.runtime.clock.nowMs() + host.idleTimeoutMs;
    host.sweeper.add(this);
    const socket = createSocket(isIP(endpoint.host) === 6 ? 'udp6' : 'udp4');
    this.#socket = socket;
    socket.on('message', (bytes) => this.#receive(bytes));
    // A datagram that could not be delivered (ICMP), or a name that nobody knows.
    socket.on('error', () => this.#refused());
    socket.on('connect', () => this.#connected());
    socket.connect(endpoint.port, endpoint.host);
  }

  /** Sends a datagram of the client. */
  send(bytes: Buffer): void {
    this.#touch();
    const early = this.#early;
    if (early === undefined) {
      this.#send(bytes);
      return;
    }
    if (early.length >= MAX_EARLY_DATAGRAMS || this.#earlyBytes + bytes.length > MAX_EARLY_BYTES) {
      this.#host.counters.overflowDropCount++;
      return;
    }
    early.push(bytes);
    this.#earlyBytes += bytes.length;
  }

  /** The proxy closes, or the endpoint has left. */
  close(): void {
    this.#finish(this.#hasAnswered ? Outcome.success : Outcome.cancelled);
  }

  onDue(): void {
    this.#host.counters.expiredSessionCount++;
    this.close();
  }

  #touch(): void {
    this.dueAtMs = this.#host.runtime.clock.nowMs() + this.#host.idleTimeoutMs;
  }

  #connected(): void {
    const early = this.#early ?? [];
    this.#early = undefined;
    for (const bytes of early) this.#send(bytes);
  }

  #send(bytes: Buffer): void {
    if (this.#isOver) return;
    const { counters } = this.#host;
    if (this.#socket.getSendQueueSize() > MAX_QUEUED_BYTES) {
      counters.overflowDropCount++;
      return;
    }
    counters.clientDatagramCount++;
    counters.clientByteCount += bytes.length;
    this.#socket.send(bytes);
  }

  #receive(bytes: Buffer): void {
    if (this.#isOver) return;
    if (!this.#hasAnswered) {
      this.#hasAnswered = true;
      this.claim.respond();
    }
    this.#touch();
    this.#host.reply(bytes, this.#client);
  }

  #refused(): void {
    if (this.#isOver) return;
    this.#host.counters.refusedSessionCount++;
    this.#finish(Outcome.connectFailure);
  }

  #finish(outcome: Outcome): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.dueAtMs = Number.POSITIVE_INFINITY;
    this.#early = undefined;
    this.#host.sweeper.remove(this);
    this.claim.close(outcome);
    this.#socket.close(() => this.#host.gone());
    this.#host.closed(this);
  }
}

export function sessionKeyOf({ address, port }: ClientPlace): string {
  return `${address} ${port}`;
}
