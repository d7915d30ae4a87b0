/** Switches the program's tracer on and off. */
import type { RingBuffer } from '@evenkeel/bpf';
import { wrong } from './address.ts';
import type { TraceFilter as FilterRecord } from './generated/forwarder.ts';
import { TraceAssembler, type TracedPacket, type TraceNames } from './trace.ts';
import { parseTraceFilter, type TraceFilter } from './trace-filter.ts';

/** A trace that is running. */
export interface Trace {
  /** Records that found no room, because they are read too slowly. */
  readonly lost: bigint;
  /** Hands over what there is, without waiting for the next look, which comes within 10 ms. */
  flush(): void;
  /** Idempotent. */
  close(): void;
}

/** Variables and ring of the program. */
export interface TracerParts {
  readonly ring: RingBuffer;
  readonly names: TraceNames;
  setFilter(filter: FilterRecord): void;
  setOn(isOn: boolean): void;
  lost(): bigint;
}

export class Tracer {
  readonly #parts: TracerParts;
  #running: Trace | undefined;

  constructor(parts: TracerParts) {
    this.#parts = parts;
  }

  /** @throws ConfigError for a wrong filter, and while another trace is running: the program has one filter */
  start(filter: TraceFilter, handle: (packet: TracedPacket) => void): Trace {
    if (this.#running !== undefined) {
      throw wrong('trace', 'one trace at a time: close the other one first', 'two');
    }
    const { ring, names } = this.#parts;
    this.#parts.setFilter(parseTraceFilter(filter));
    const assembler = new TraceAssembler(names, handle);
    const reader = ring.readBytes((record) => assembler.add(record));
    const lostBefore = this.#parts.lost();
    const lostNow = (): bigint => this.#parts.lost() - lostBefore;
    const trace: Trace = {
      get lost(): bigint {
        return lostNow();
      },
      flush: () => void reader.drain(),
      close: () => {
        if (this.#running !== trace) return;
        this.#running = undefined;
        this.#parts.setOn(false);
        reader.drain();
        reader.close();
      },
    };
    this.#running = trace;
    this.#parts.setOn(true);
    return trace;
  }

  /** Ends what is running. */
  close(): void {
    this.#running?.close();
  }
}
