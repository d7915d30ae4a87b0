import { type Codec, decodeValue } from '../codec/codec.ts';
import { argumentError } from '../error/bpf-error.ts';
import { explainFailure } from '../kernel/failure.ts';
import { pageBytes } from '../kernel/page-size.ts';
import { MapHandle } from '../map/map-handle.ts';
import { systemTimers, type Timers } from '../runtime/timers.ts';
import type { MapSpec } from '../spec/spec.ts';
import { RingMemory } from './ring-memory.ts';

export interface RingReadOptions {
  /** How often to look for new records, in milliseconds. Range 1 to 60 000, default 10. Looking costs 0.2 µs. */
  readonly intervalMs?: number;
  /** Most records handed over before other work gets its turn. Default 1 024. */
  readonly recordsPerTurn?: number;
  /** Whether reading keeps the process alive. Default false. */
  readonly keepAlive?: boolean;
  /** Default: those of the system. */
  readonly timers?: Timers;
}

/** A ring buffer: programs put records in, this process takes them out, in order. */
export class RingBuffer extends MapHandle<MapSpec> {
  /**
   * Reads records until closed, without a thread and without a blocking call: a timer looks into shared memory. So the
   * event loop stays free, and neither a quiet ring nor a pending read keeps the process from ending.
   *
   * Records of another length than the codec's are counted as malformed and left out; longer ones are cut. Have one
   * reader per ring: two would take each other's records.
   */
  read<T>(codec: Codec<T>, handle: (record: T) => void, options: RingReadOptions = {}): RingReader {
    return new RingReader(this.#open(), { ...options, decoder: decoderFor(codec, handle) });
  }

  /** As {@link read}, with the bytes as they are. They are valid during the call only: copy what is kept. */
  readBytes(handle: (record: Uint8Array) => void, options: RingReadOptions = {}): RingReader {
    const decoder = (record: Uint8Array): boolean => {
      handle(record);
      return true;
    };
    return new RingReader(this.#open(), { ...options, decoder });
  }

  #open(): OpenRing {
    const size = this.spec.maxEntries;
    const page = pageBytes();
    const consumer = this.#map({ bytes: page, writable: true, offset: 0 });
    try {
      const producer = this.#map({ bytes: page + 2 * size, writable: false, offset: page });
      const memory = new RingMemory({ consumer, producer, pageBytes: page, ringBytes: size });
      const release = (): void => {
        this.kernel.munmap(consumer);
        this.kernel.munmap(producer);
      };
      return { memory, release };
    } catch (error) {
      this.kernel.munmap(consumer);
      throw error;
    }
  }

  #map(request: {
    readonly bytes: number;
    readonly writable: boolean;
    readonly offset: number;
  }): ArrayBuffer {
    const mapped = this.kernel.mmap({ fd: this.fd, ...request });
    if (typeof mapped !== 'number') return mapped;
    throw explainFailure({ operation: `mapping ${this.descriptor.what}`, errno: -mapped });
  }
}

interface OpenRing {
  readonly memory: RingMemory;
  release(): void;
}

/** Takes a record; false when it is malformed. */
type Decoder = (record: Uint8Array) => boolean;

function decoderFor<T>(codec: Codec<T>, handle: (record: T) => void): Decoder {
  return (record) => {
    if (record.length < codec.bytes) return false;
    handle(decodeValue(codec, record));
    return true;
  };
}

/** A running reader. Who started it closes it. */
export class RingReader {
  readonly #ring: OpenRing;
  readonly #decoder: Decoder;
  readonly #timers: Timers;
  readonly #intervalMs: number;
  readonly #recordsPerTurn: number;
  readonly #keepAlive: boolean;
  #cancel: (() => void) | undefined;
  #isOpen = true;
  #isReading = false;
  #recordCount = 0;
  #malformedCount = 0;

  constructor(ring: OpenRing, options: RingReadOptions & { readonly decoder: Decoder }) {
    const { intervalMs = 10, recordsPerTurn = 1_024, keepAlive = false } = options;
    if (!(intervalMs >= 1 && intervalMs <= 60_000)) {
      ring.release();
      throw argumentError(`intervalMs: expected 1 to 60000, got ${intervalMs}`);
    }
    if (!(Number.isInteger(recordsPerTurn) && recordsPerTurn >= 1)) {
      ring.release();
      throw argumentError(`recordsPerTurn: expected an integer from 1, got ${recordsPerTurn}`);
    }
    this.#ring = ring;
    this.#decoder = options.decoder;
    this.#timers = options.timers ?? systemTimers;
    this.#intervalMs = intervalMs;
    this.#recordsPerTurn = recordsPerTurn;
    this.#keepAlive = keepAlive;
    this.#schedule(intervalMs);
  }

  /** Records handed over so far. */
  get recordCount(): number {
    return this.#recordCount;
  }

  /** Records left out because they were shorter than the codec's type. */
  get malformedCount(): number {
    return this.#malformedCount;
  }

  /**
   * Reads what is there, now, up to the limit of a turn. An exception of the handler comes out here; in a read by
   * timer it is an uncaught exception, like that of any timer.
   *
   * @returns the number of records
   */
  drain(): number {
    if (!this.#isOpen || this.#isReading) return 0;
    this.#isReading = true;
    try {
      return this.#ring.memory.read(this.#recordsPerTurn, (record) => {
        this.#recordCount += 1;
        if (!this.#decoder(record)) {
          this.#recordCount -= 1;
          this.#malformedCount += 1;
        }
        return this.#isOpen;
      });
    } finally {
      this.#isReading = false;
      if (!this.#isOpen) this.#ring.release();
    }
  }

  /** Stops. Records still in the ring stay there for the next reader. Idempotent. */
  close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#cancel?.();
    // From inside a handler the memory is in use: the read gives it up when it ends.
    if (!this.#isReading) this.#ring.release();
  }

  #schedule(delayMs: number): void {
    this.#cancel = this.#timers.after(delayMs, () => this.#turn(), this.#keepAlive);
  }

  #turn(): void {
    let count = this.#recordsPerTurn;
    try {
      count = this.drain();
    } finally {
      // A full turn means that there is more: at once, after whatever else waits.
      if (this.#isOpen) this.#schedule(count < this.#recordsPerTurn ? this.#intervalMs : 0);
    }
  }
}
