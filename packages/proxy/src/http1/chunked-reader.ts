/**
 * Reads a chunked body piece by piece (RFC 9112 section 7.1). It is pulled: each {@link ChunkedReader.next} takes bytes
 * up to the next thing worth knowing, so that nothing is called back and nothing is allocated.
 *
 * ```text
 *   size [; extension] CR LF   data CR LF   ...   0 CR LF   trailer lines   CR LF
 * ```
 *
 * Extensions are checked and thrown away: nobody uses them, and a lone LF in one of them has led around firewalls.
 */
import { CR, FIELD_VALUE, HEX_VALUE, LF, SEMICOLON } from './byte-class.ts';
import { FieldIndex } from './field-index.ts';
import { Bad, COMPLETE, INCOMPLETE } from './verdict.ts';

/** What {@link ChunkedReader.next} came upon. */
export const ChunkEvent = {
  /** All bytes are used up. */
  more: 0,
  /** Body bytes, from `dataFrom` to `dataTo`. */
  data: 1,
  /** The body is complete, its trailers too. */
  end: 2,
  /** `problem` says what is wrong. */
  failed: 3,
} as const;

export type ChunkEvent = (typeof ChunkEvent)[keyof typeof ChunkEvent];

export interface ChunkLimits {
  /** Bytes of extensions of one chunk. Default 256. */
  readonly maxExtensionBytes: number;
  /** Bytes of the trailer section. Default 8,192. */
  readonly maxTrailerBytes: number;
  /** Lines of the trailer section. Default 32. */
  readonly maxTrailers: number;
}

export const DEFAULT_CHUNK_LIMITS: ChunkLimits = Object.freeze({
  maxExtensionBytes: 256,
  maxTrailerBytes: 8_192,
  maxTrailers: 32,
});

/** Hexadecimal digits of a size: below 2^52, so that counting down stays exact. Leading zeros count. */
const MAX_SIZE_DIGITS = 13;

const State = {
  firstDigit: 0,
  digits: 1,
  extension: 2,
  sizeLf: 3,
  data: 4,
  dataCr: 5,
  dataLf: 6,
  trailers: 7,
  lastLf: 8,
  done: 9,
} as const;

type State = (typeof State)[keyof typeof State];

export class ChunkedReader {
  /** Where the bytes of a `data` event are. */
  dataFrom = 0;
  dataTo = 0;
  /** Where to go on after an event. */
  at = 0;
  /** After `failed`: a verdict. */
  problem = 0;

  readonly #limits: ChunkLimits;
  #state: State = State.firstDigit;
  /** Bytes left of the chunk, or its size while that is being read. */
  #left = 0;
  #digits = 0;
  #extensionBytes = 0;
  /** The trailer section so far; undefined while there is none, which is nearly always. */
  #trailerBytes: Buffer | undefined = undefined;
  #trailers: FieldIndex | undefined = undefined;

  constructor(limits: ChunkLimits = DEFAULT_CHUNK_LIMITS) {
    this.#limits = limits;
  }

  /** Is the body complete? */
  get done(): boolean {
    return this.#state === State.done;
  }

  /** Trailer lines of a complete body, as offsets into {@link trailerBytes}; undefined when there are none. */
  get trailers(): FieldIndex | undefined {
    return this.#trailers;
  }

  get trailerBytes(): Buffer | undefined {
    return this.#trailerBytes;
  }

  /** Ready for another body. */
  reset(): void {
    this.#state = State.firstDigit;
    this.#left = 0;
    this.#trailerBytes = undefined;
    this.#trailers = undefined;
    this.problem = 0;
  }

  /** Reads from `from`; goes on at {@link at} the next time. */
  next(bytes: Uint8Array, from: number, to: number): ChunkEvent {
    let at = from;
    while (at < to) {
      switch (this.#state) {
        case State.data: {
          const end = Math.min(to, at + this.#left);
          this.#left -= end - at;
          if (this.#left === 0) this.#state = State.dataCr;
          this.dataFrom = at;
          this.dataTo = end;
          this.at = end;
          return ChunkEvent.data;
        }
        case State.trailers: {
          this.at = at;
          if (this.#trailerBytes === undefined && bytes[at] === CR) {
            this.#state = State.lastLf;
            at++;
            break;
          }
          return this.#takeTrailers(bytes, at, to);
        }
        case State.done:
          this.at = at;
          return ChunkEvent.end;
        case State.firstDigit:
        case State.digits:
        case State.extension:
        case State.sizeLf:
        case State.dataCr:
        case State.dataLf:
        case State.lastLf: {
          const problem = this.#step(bytes[at] as number);
          if (problem !== 0) return this.#fail(problem, at);
          at++;
        }
      }
    }
    this.at = at;
    return this.#state === State.done ? ChunkEvent.end : ChunkEvent.more;
  }

  /** One byte of what stands between the data. @returns a problem or 0 */
  #step(byte: number): number {
    switch (this.#state) {
      case State.firstDigit:
        this.#left = 0;
        this.#digits = 0;
        this.#extensionBytes = 0;
        this.#state = State.digits;
        return HEX_VALUE[byte] === -1 ? Bad.chunkSize : this.#digit(byte);
      case State.digits:
        if (HEX_VALUE[byte] !== -1) return this.#digit(byte);
        if (byte === CR) this.#state = State.sizeLf;
        else if (byte === SEMICOLON) this.#state = State.extension;
        else return Bad.chunkSize;
        return 0;
      case State.extension:
        if (byte === CR) this.#state = State.sizeLf;
        else if (FIELD_VALUE[byte] !== 1 || ++this.#extensionBytes > this.#limits.maxExtensionBytes)
          return Bad.chunkExtension;
        return 0;
      case State.sizeLf:
        this.#state = this.#left === 0 ? State.trailers : State.data;
        return byte === LF ? 0 : Bad.chunkSize;
      case State.dataCr:
        this.#state = State.dataLf;
        return byte === CR ? 0 : Bad.chunkEnd;
      case State.dataLf:
        this.#state = State.firstDigit;
        return byte === LF ? 0 : Bad.chunkEnd;
      case State.lastLf:
        this.#state = State.done;
        return byte === LF ? 0 : Bad.trailer;
      case State.data:
      case State.trailers:
      case State.done:
        return 0;
    }
  }

  #digit(byte: number): number {
    this.#left = this.#left * 16 + (HEX_VALUE[byte] as number);
    return ++this.#digits > MAX_SIZE_DIGITS ? Bad.chunkSize : 0;
  }

  /** Trailers are rare and small: they are gathered, and read as a whole. */
  #takeTrailers(bytes: Uint8Array, from: number, to: number): ChunkEvent {
    const { maxTrailerBytes, maxTrailers } = this.#limits;
    const held = this.#trailerBytes ?? Buffer.alloc(0);
    const room = maxTrailerBytes - held.length;
    const taken = bytes.subarray(from, Math.min(to, from + room));
    const all = Buffer.concat([held, taken]);
    const fields = new FieldIndex(maxTrailers);
    const verdict = fields.read(all, 0, all.length);
    this.#trailerBytes = all;
    if (verdict === COMPLETE) {
      this.#trailers = fields;
      this.#state = State.done;
      this.at = from + fields.end - held.length;
      return ChunkEvent.end;
    }
    if (verdict !== INCOMPLETE)
      return this.#fail(verdict === Bad.tooManyFields ? Bad.trailersTooLarge : Bad.trailer, from);
    if (all.length === maxTrailerBytes) return this.#fail(Bad.trailersTooLarge, from);
    this.at = to;
    return ChunkEvent.more;
  }

  #fail(problem: number, at: number): ChunkEvent {
    this.problem = problem;
    this.at = at;
    return ChunkEvent.failed;
  }
}
