/** The body of a response on its way through filters to the client. */
import type { BodyFilter } from '../../filter/filter.ts';
import { putChunk } from '../../http1/body-pump.ts';
import type { ByteStream } from '../../socket/byte-stream.ts';
import type { Output } from '../../socket/output.ts';
import { BodyChain, type BodyChainOwner } from './body-chain.ts';

export interface ResponseBodyOwner {
  readonly stream: ByteStream;
  /** Bytes were given to the stream. @param stalls does it not take them at once? */
  responseSent(byteCount: number, stalls: boolean): void;
  /** A filter takes its time. */
  responseWaits(): void;
  /** It is ready. */
  responseReady(): void;
  /** The last byte was given to the stream. */
  responseFiltered(): void;
  /** A filter threw, or the body is not as long as it was said to be. */
  responseFailed(error: unknown): void;
}

/** Where a body comes from. */
export interface BodySource {
  pause(): void;
  resume(): void;
}

/** How a body goes on. */
export interface ResponseFraming {
  readonly kind: 'length' | 'chunked' | 'close';
  /** Bytes that come out, with `length`. */
  readonly length: number;
}

export class ResponseBody implements BodyChainOwner {
  readonly #chain: BodyChain;
  readonly #output: Output;
  readonly #owner: ResponseBodyOwner;
  readonly #framing: ResponseFraming;
  /** Where the body comes from, while it comes. */
  #source: BodySource | undefined;
  #left: number;
  /** Undefined once it is sent: with the first bytes of the body, when they are there at once. */
  #head: Buffer | undefined;
  #staged: Buffer[] = [];
  #end: Buffer | undefined = undefined;
  #isComplete = false;
  #isClosed = false;
  #isTaking = false;
  /** Does the client not keep up? */
  #isStalled = false;

  // oxlint-disable-next-line max-params -- the message, how it is changed, and where it goes
  constructor(
    head: Buffer,
    filters: readonly BodyFilter[],
    framing: ResponseFraming,
    ports: {
      readonly owner: ResponseBodyOwner;
      readonly output: Output;
      readonly source: BodySource | undefined;
    },
  ) {
    this.#owner = ports.owner;
    this.#output = ports.output;
    this.#source = ports.source;
    this.#framing = framing;
    this.#left = framing.length;
    this.#head = head;
    this.#chain = new BodyChain(filters, this);
  }

  /** May more be given to it? */
  get takesMore(): boolean {
    return !this.#chain.busy && !this.#isStalled;
  }

  /**
   * Takes body bytes without their framing.
   *
   * @param end what ends the body when it is framed in chunks; undefined while more comes
   */
  take(bytes: Buffer, end: Buffer | undefined): void {
    this.#isTaking = true;
    this.#chain.write(bytes);
    if (end !== undefined) {
      this.#source = undefined;
      this.#end = end;
      this.#chain.end();
    }
    this.#isTaking = false;
    this.#flush();
    if (this.#chain.busy) this.#owner.responseWaits();
  }

  /** The client takes bytes again. */
  drained(): void {
    this.#isStalled = false;
    if (!this.#chain.busy) this.#source?.resume();
  }

  /** Nothing is sent any more. */
  close(): void {
    this.#isClosed = true;
    this.#source = undefined;
    this.#chain.close();
  }

  onChunk(bytes: Buffer): void {
    if (this.#framing.kind === 'length') {
      this.#left -= bytes.length;
      if (this.#left < 0) {
        this.#fail();
        return;
      }
    }
    this.#staged.push(bytes);
    if (this.#isTaking) return;
    this.#flush();
    this.#owner.responseWaits();
  }

  onDone(): void {
    if (this.#framing.kind === 'length' && this.#left !== 0) {
      this.#fail();
      return;
    }
    this.#isComplete = true;
    if (!this.#isTaking) this.#flush();
  }

  onError(error: unknown): void {
    if (this.#isClosed) return;
    this.close();
    this.#owner.responseFailed(error);
  }

  onReady(): void {
    this.#owner.responseReady();
    if (!this.#isStalled) this.#source?.resume();
  }

  #flush(): void {
    if (this.#isClosed) return;
    this.#send();
    if (!this.#isComplete || this.#isClosed) return;
    this.#isClosed = true;
    this.#owner.responseFiltered();
  }

  #send(): void {
    const output = this.#output.begin();
    const isChunked = this.#framing.kind === 'chunked';
    if (this.#head !== undefined) output.copy(this.#head, 0, this.#head.length);
    for (const bytes of this.#staged) {
      if (isChunked) putChunk(output, bytes, 0, bytes.length);
      else output.copy(bytes, 0, bytes.length);
    }
    this.#head = undefined;
    this.#staged = [];
    if (this.#isComplete && isChunked && this.#end !== undefined)
      output.copy(this.#end, 0, this.#end.length);
    const { length } = output;
    if (length === 0) return;
    const mayGoOn = output.sendTo(this.#owner.stream);
    if (!mayGoOn) {
      this.#isStalled = true;
      this.#source?.pause();
    }
    this.#owner.responseSent(length, !mayGoOn);
  }

  #fail(): void {
    this.#chain.close();
    this.onError(new RangeError('a body filter that keeps the length of the body changed it'));
  }
}
