/** The body of a request on its way through filters to the endpoint. */
import type { BodyFilter } from '../../filter/filter.ts';
import { putChunk } from '../../http1/body-pump.ts';
import type { Output } from '../../socket/output.ts';
import { BodyChain, type BodyChainOwner } from './body-chain.ts';

export interface RequestBodyOwner {
  /** Some of it can be sent: {@link RequestBody.putInto} has it. */
  bodyFiltered(): void;
  /** The filters take more again. */
  bodyReady(): void;
  /** A filter threw, or the body is not as long as it was said to be. */
  bodyFailed(error: unknown): void;
}

export class RequestBody implements BodyChainOwner {
  /** Has all of it been filtered and put into an output? */
  done = false;
  readonly #chain: BodyChain;
  readonly #owner: RequestBodyOwner;
  /** Bytes that still have to come of a body whose length was said; undefined for one in chunks. */
  #left: number | undefined;
  #staged: Buffer[] = [];
  /** What ends the body, once it is complete: the last chunk with its trailers. */
  #end: Buffer | undefined = undefined;
  #isComplete = false;
  /** Is the owner in a call that fetches what comes out? */
  #isTaking = false;

  /** @param length of what comes out; undefined for chunks */
  constructor(filters: readonly BodyFilter[], length: number | undefined, owner: RequestBodyOwner) {
    this.#owner = owner;
    this.#left = length;
    this.#chain = new BodyChain(filters, this);
  }

  /** Does a filter take its time, so that reading should pause? */
  get busy(): boolean {
    return this.#chain.busy;
  }

  /**
   * Takes body bytes without their framing. What comes out at once is there for {@link putInto} when the call returns.
   *
   * @param end what ends the body when it is framed in chunks; undefined while more comes
   */
  take(bytes: Buffer, end: Buffer | undefined): void {
    this.#isTaking = true;
    this.#chain.write(bytes);
    if (end !== undefined) {
      this.#end = end;
      this.#chain.end();
    }
    this.#isTaking = false;
  }

  /** Adds what has come out since the last time, framed. */
  putInto(output: Output): void {
    for (const bytes of this.#staged) {
      if (this.#left === undefined) putChunk(output, bytes, 0, bytes.length);
      else output.copy(bytes, 0, bytes.length);
    }
    this.#staged = [];
    if (!this.#isComplete || this.done) return;
    this.done = true;
    if (this.#left === undefined && this.#end !== undefined)
      output.copy(this.#end, 0, this.#end.length);
  }

  close(): void {
    this.#chain.close();
    this.#staged = [];
  }

  onChunk(bytes: Buffer): void {
    if (this.#left !== undefined) {
      this.#left -= bytes.length;
      if (this.#left < 0) {
        this.#fail();
        return;
      }
    }
    this.#staged.push(bytes);
    if (!this.#isTaking) this.#owner.bodyFiltered();
  }

  onDone(): void {
    if (this.#left !== undefined && this.#left !== 0) {
      this.#fail();
      return;
    }
    this.#isComplete = true;
    if (!this.#isTaking) this.#owner.bodyFiltered();
  }

  onError(error: unknown): void {
    this.#staged = [];
    this.#owner.bodyFailed(error);
  }

  onReady(): void {
    this.#owner.bodyReady();
  }

  #fail(): void {
    this.#chain.close();
    this.onError(new RangeError('a body filter that keeps the length of the body changed it'));
  }
}
