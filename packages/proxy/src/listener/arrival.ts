/**
 * A connection that has not come to its protocol yet: it has so long, in all, for what comes before that. Who the client
 * is, if a proxy in front says so; then its first bytes, where several protocols share a port; then a TLS handshake.
 */
import type { Socket } from 'node:net';
import type { Runtime } from '@evenkeel/core';
import { readProxyHeader } from '../proxy-protocol/proxy-header.ts';
import type { Sweeper, Timed } from '../socket/sweeper.ts';
import type { ArrivalCounters, Peer, Sniffer } from './arrived.ts';

export interface ArrivalHost {
  readonly runtime: Runtime;
  readonly sweeper: Sweeper;
  readonly counters: ArrivalCounters;
  readonly handshakeMs: number;
}

export interface ArrivalOptions {
  /** Does a header of the PROXY protocol come first? */
  readonly isIntroduced: boolean;
  /** Undefined when there is one protocol only. */
  readonly sniffer: Sniffer | undefined;
}

/** @param kind what the sniffer said; undefined without one @param early bytes that were read beyond the header */
export type Ready = (arrival: Arrival, kind: string | undefined, early: Buffer | undefined) => void;

export class Arrival implements Timed {
  dueAtMs: number;
  sweepIndex = -1;
  /** The socket on the wire. Nobody reads it when the arrival is ready. */
  readonly transport: Socket;
  /** Who is at the other end, as far as it is known. */
  client: Peer;

  readonly #host: ArrivalHost;
  readonly #ready: Ready;
  #isIntroduced: boolean;
  readonly #sniffer: Sniffer | undefined;
  #held: Buffer | undefined = undefined;
  #isOver = false;

  // oxlint-disable-next-line max-params -- the socket, who it is, and what becomes of it
  constructor(
    host: ArrivalHost,
    transport: Socket,
    { isIntroduced, sniffer }: ArrivalOptions,
    ready: Ready,
  ) {
    this.#host = host;
    this.transport = transport;
    this.client = { address: transport.remoteAddress ?? '', port: transport.remotePort ?? 0 };
    this.#isIntroduced = isIntroduced;
    this.#sniffer = sniffer;
    this.#ready = ready;
    this.dueAtMs = host.runtime.clock.nowMs() + host.handshakeMs;
    host.sweeper.add(this);
    transport.on('error', () => undefined);
    transport.on('close', this.#onGone);
  }

  /** Reads what comes before the protocol, if anything does. */
  begin(): void {
    if (!this.#isIntroduced && this.#sniffer === undefined) {
      this.#ready(this, undefined, undefined);
      return;
    }
    this.transport.on('data', this.#onData).on('end', this.#onGone);
    this.transport.resume();
  }

  /** The protocol begins. @returns false when the connection is gone */
  succeed(): boolean {
    if (this.#isOver) return false;
    this.#isOver = true;
    this.transport.off('close', this.#onGone);
    this.#host.sweeper.remove(this);
    return true;
  }

  /** The connection is closed, or has to be. Idempotent. */
  fail(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#host.sweeper.remove(this);
    this.#host.counters.handshakeErrorCount++;
    this.transport.destroy();
  }

  onDue(): void {
    this.#host.counters.handshakeTimeoutCount++;
    this.fail();
  }

  readonly #onGone = (): void => this.fail();

  readonly #onData = (bytes: Buffer): void => {
    const all = this.#held === undefined ? bytes : Buffer.concat([this.#held, bytes]);
    this.#held = all;
    this.#read(all);
  };

  #read(bytes: Buffer): void {
    let rest = bytes;
    if (this.#isIntroduced) {
      const read = readProxyHeader(bytes);
      if (read === 'incomplete') return;
      if (read === 'bad') {
        this.fail();
        return;
      }
      const { address, port } = read;
      if (address !== undefined) this.client = { address, port };
      this.#isIntroduced = false;
      rest = bytes.subarray(read.length);
      this.#held = rest;
      // The first bytes of the protocol may still be under way.
      if (this.#sniffer !== undefined && rest.length === 0) return;
    }
    const kind = this.#sniffer?.(rest);
    if (kind === 'incomplete') return;
    if (kind === 'bad') {
      this.fail();
      return;
    }
    const { transport } = this;
    // Within the event of the read, so that none can come in between.
    transport.off('data', this.#onData).off('end', this.#onGone).pause();
    this.#held = undefined;
    this.#ready(this, kind, rest.length === 0 ? undefined : rest);
  }
}
