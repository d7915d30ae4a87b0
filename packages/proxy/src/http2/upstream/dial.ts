/** A connection to an endpoint that is being made. */
import type { StreamOwner } from '../../socket/byte-stream.ts';
import type { SocketStream } from '../../socket/socket-stream.ts';
import type { Sweeper, Timed } from '../../socket/sweeper.ts';
import type { UpstreamLane } from './upstream-lane.ts';

export interface DialHost {
  readonly sweeper: Sweeper;
  /** The time for it begins now; on the clock of the sweeper. */
  connectDueAtMs(): number;
  connected(dial: Dial): void;
  failed(dial: Dial, error: Error): void;
}

export class Dial implements StreamOwner, Timed {
  dueAtMs: number;
  sweepIndex = -1;
  readonly stream: SocketStream;
  /** Whose connection it is to be; undefined for one that is to be shared. */
  readonly lane: UpstreamLane | undefined;
  readonly #host: DialHost;
  #isOver = false;

  constructor(
    host: DialHost,
    lane: UpstreamLane | undefined,
    connect: (owner: StreamOwner) => SocketStream,
  ) {
    this.#host = host;
    this.lane = lane;
    this.dueAtMs = host.connectDueAtMs();
    host.sweeper.add(this);
    this.stream = connect(this);
  }

  /** Whatever comes of it is not wanted any more. */
  cancel(): void {
    this.#isOver = true;
    this.#host.sweeper.remove(this);
    this.stream.destroy();
  }

  onConnect(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#host.sweeper.remove(this);
    this.#host.connected(this);
  }

  onClose(error: Error | undefined): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#host.sweeper.remove(this);
    this.#host.failed(this, error ?? new Error('the endpoint closed the connection'));
  }

  onDue(): void {
    this.dueAtMs = Number.POSITIVE_INFINITY;
    this.stream.destroy();
  }

  onEnd(): void {
    this.stream.destroy();
  }

  onBytes(): void {
    // Nothing was asked for.
    this.stream.destroy();
  }

  onDrain(): void {
    // Nothing was written.
  }
}
