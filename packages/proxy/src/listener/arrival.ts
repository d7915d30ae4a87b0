/** A connection that has not come to requests yet: it has so long, in all, for what comes before them. */
import type { Socket } from 'node:net';
import type { EngineHost } from '../engine/host.ts';
import type { Timed } from '../socket/sweeper.ts';

export class Arrival implements Timed {
  dueAtMs: number;
  sweepIndex = -1;
  /** The socket on the wire. */
  transport: Socket;
  /** Who is at the other end, as far as it is known. */
  address: string;

  readonly #host: EngineHost;
  #isOver = false;

  constructor(host: EngineHost, transport: Socket, address: string) {
    this.#host = host;
    this.transport = transport;
    this.address = address;
    this.dueAtMs = host.runtime.clock.nowMs() + host.timeouts.handshakeMs;
    host.sweeper.add(this);
  }

  /** Requests may come. @returns false when the connection is gone */
  succeed(): boolean {
    if (this.#isOver) return false;
    this.#isOver = true;
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
}
