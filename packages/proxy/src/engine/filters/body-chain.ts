/**
 * The body filters of one message, one after the other. Chunks go through one at a time, and wait while a filter takes
 * its time: whoever feeds the chain stops reading while it is {@link BodyChain.busy}, so that little ever waits.
 *
 * ```text
 *   write ─► queue ─► transform ─► transform ─► ... ─► onChunk        after the last chunk: flush of each filter, whose
 *                                                                     bytes go through those behind it; then onDone
 * ```
 */
import type { BodyFilter } from '../../filter/filter.ts';

export interface BodyChainOwner {
  /** Bytes that go on: never none. They are the owner's. */
  onChunk(bytes: Buffer): void;
  /** All has come out. */
  onDone(): void;
  /** A filter threw. Nothing more comes out. */
  onError(error: unknown): void;
  /** A filter that took its time is ready: the chain may be fed again. */
  onReady(): void;
}

const NOTHING: Buffer = Buffer.alloc(0);

export class BodyChain {
  readonly #filters: readonly BodyFilter[];
  readonly #owner: BodyChainOwner;
  readonly #queue: Buffer[] = [];
  /** On its way; undefined between two chunks. */
  #chunk: Buffer | undefined = undefined;
  /** The filter that gets it next. */
  #stage = 0;
  /** Filters that were flushed. */
  #flushedCount = 0;
  #isEnding = false;
  #isClosed = false;
  #isPending = false;

  constructor(filters: readonly BodyFilter[], owner: BodyChainOwner) {
    this.#filters = filters;
    this.#owner = owner;
  }

  /** Does a filter take its time? */
  get busy(): boolean {
    return this.#isPending;
  }

  /** @param chunk the chain's from now on */
  write(chunk: Buffer): void {
    if (this.#isClosed || chunk.length === 0) return;
    this.#queue.push(chunk);
    if (!this.#isPending) this.#run();
  }

  /** That was the last chunk. */
  end(): void {
    if (this.#isClosed || this.#isEnding) return;
    this.#isEnding = true;
    if (!this.#isPending) this.#run();
  }

  /** Nothing goes on any more. Idempotent. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#queue.length = 0;
    this.#chunk = undefined;
    for (const filter of this.#filters) {
      try {
        filter.close?.();
      } catch {
        // The message is over: there is nothing left that could fail.
      }
    }
  }

  #run(): void {
    try {
      while (!this.#isClosed && !this.#isPending) if (!this.#step()) return;
    } catch (error) {
      this.#fail(error);
    }
  }

  /** @returns false when there is nothing to do */
  #step(): boolean {
    const filters = this.#filters;
    const chunk = this.#chunk;
    if (chunk !== undefined) {
      if (chunk.length > 0 && this.#stage < filters.length)
        this.#take((filters[this.#stage++] as BodyFilter).transform(chunk));
      else {
        this.#chunk = undefined;
        if (chunk.length > 0) this.#owner.onChunk(chunk);
      }
      return true;
    }
    const next = this.#queue.shift();
    if (next !== undefined) {
      this.#chunk = next;
      this.#stage = 0;
      return true;
    }
    if (!this.#isEnding) return false;
    if (this.#flushedCount < filters.length) {
      const filter = filters[this.#flushedCount++] as BodyFilter;
      this.#stage = this.#flushedCount;
      this.#take(filter.flush?.() ?? NOTHING);
      return true;
    }
    this.close();
    this.#owner.onDone();
    return false;
  }

  #take(result: Buffer | Promise<Buffer>): void {
    if (Buffer.isBuffer(result)) {
      this.#chunk = result;
      return;
    }
    if (typeof (result as Partial<Promise<Buffer>> | undefined)?.then !== 'function')
      throw new TypeError('a body filter has to return a Buffer, or a promise of one');
    this.#isPending = true;
    result.then(
      (bytes) => this.#settled(bytes),
      (error: unknown) => this.#fail(error),
    );
  }

  #settled(bytes: Buffer): void {
    this.#isPending = false;
    if (this.#isClosed) return;
    if (!Buffer.isBuffer(bytes)) {
      this.#fail(new TypeError('the promise of a body filter has to be one of a Buffer'));
      return;
    }
    this.#chunk = bytes;
    this.#run();
    if (!this.#isClosed && !this.#isPending) this.#owner.onReady();
  }

  #fail(error: unknown): void {
    if (this.#isClosed) return;
    this.#isPending = false;
    this.close();
    this.#owner.onError(error);
  }
}
