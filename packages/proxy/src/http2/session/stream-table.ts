/** The streams of one connection: those that are open, the numbers they have, and how the last ones ended. */
import { ClosedStreams, type Ending } from './closed-streams.ts';
import type { Http2Role } from './session-options.ts';
import type { SessionStream } from './session-stream.ts';

export class StreamTable {
  readonly #open: Map<number, SessionStream> = new Map();
  readonly #closed: ClosedStreams = new ClosedStreams();
  readonly #role: Http2Role;
  /** Streams that are gone, and whose work goes on. */
  #heldCount = 0;
  /** The highest number that the peer has used. */
  lastPeerId = 0;
  #nextOwnId = 1;

  constructor(role: Http2Role) {
    this.#role = role;
  }

  get openCount(): number {
    return this.#open.size;
  }

  /** Open ones, and those that still cause work. */
  get busyCount(): number {
    return this.#open.size + this.#heldCount;
  }

  get(streamId: number): SessionStream | undefined {
    return this.#open.get(streamId);
  }

  all(): MapIterator<SessionStream> {
    return this.#open.values();
  }

  add(stream: SessionStream): void {
    this.#open.set(stream.id, stream);
  }

  /** A number for a stream of ours: section 5.1.1. */
  takeId(): number {
    const id = this.#nextOwnId;
    this.#nextOwnId += 2;
    return id;
  }

  get nextOwnId(): number {
    return this.#nextOwnId;
  }

  remove(stream: SessionStream, ending: Ending): void {
    this.#open.delete(stream.id);
    this.#closed.add(stream.id, ending);
    if (stream.isHeld) this.#heldCount++;
  }

  /** A stream's work is done. */
  released(stream: SessionStream): void {
    if (stream.isClosed && stream.id !== 0) this.#heldCount--;
  }

  /** Never opened. */
  refused(streamId: number, ending: Ending): void {
    this.#closed.add(streamId, ending);
  }

  /** Was the stream never there? Frames for it break the connection: section 5.1, "idle". */
  isIdle(streamId: number): boolean {
    const isPeers = ((streamId & 1) === 1) === (this.#role === 'server');
    return isPeers ? streamId > this.lastPeerId : streamId >= this.#nextOwnId;
  }

  endingOf(streamId: number): Ending {
    return this.#closed.endingOf(streamId);
  }
}
