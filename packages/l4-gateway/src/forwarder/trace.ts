/** The tracer: what the program reports about single packets, put together and into words. */
import { Counter, ForwardKind, TraceStep } from './generated/forwarder.ts';

/** A frame, as far as it was captured. */
export interface TracedFrame {
  /** Nanoseconds of the monotonic clock (`process.hrtime.bigint`). */
  readonly timeNs: bigint;
  /** At most its first 256 bytes. */
  readonly bytes: Uint8Array;
  /** Of the whole frame. */
  readonly length: number;
}

/** One packet on its way through the program. */
export interface TracedPacket {
  readonly id: number;
  readonly cpu: number;
  /** Index of the interface that it came in by; 0 in a test run. */
  readonly interfaceIndex: number;
  readonly received: TracedFrame;
  /** As the program left it. */
  readonly left: TracedFrame;
  readonly verdict: 'aborted' | 'drop' | 'pass' | 'tx' | 'redirect';
  /** What happened, in order, in words: `VIP 10.200.1.1:80/tcp`, `flow cache: 10.0.0.1`, `dropped: tooBig`. */
  readonly steps: readonly string[];
}

/** Numbers in the program's tables, as users know them. */
export interface TraceNames {
  vip(number: number): string;
  /** Of a target: its real. */
  real(number: number): string;
}

const VERDICTS = ['aborted', 'drop', 'pass', 'tx', 'redirect'] as const;
/** `struct trace_record`. */
const AT = { packet: 8, step: 12, number: 16, detail: 20, cpu: 24, length: 28, captured: 32 };
const INTERFACE_AT = 36;
const DATA_AT = 40;
/** Packets of which the beginning is known; those whose end got lost are forgotten. */
const MAX_PENDING = 256;

const COUNTER_NAMES: ReadonlyMap<number, string> = new Map(
  Object.entries(Counter).map(([name, value]) => [value, camelCase(name, 'COUNTER_')]),
);
const KIND_NAMES: ReadonlyMap<number, string> = new Map(
  Object.entries(ForwardKind).map(([name, value]) => [value, camelCase(name, 'FORWARD_')]),
);

interface Pending {
  readonly frame: TracedFrame;
  readonly cpu: number;
  readonly interfaceIndex: number;
  readonly steps: string[];
}

/** Puts records of the ring together to packets. */
export class TraceAssembler {
  readonly #names: TraceNames;
  readonly #handle: (packet: TracedPacket) => void;
  readonly #pending = new Map<number, Pending>();

  constructor(names: TraceNames, handle: (packet: TracedPacket) => void) {
    this.#names = names;
    this.#handle = handle;
  }

  /** @param record valid during the call only */
  add(record: Uint8Array): void {
    const view = new DataView(record.buffer, record.byteOffset, record.byteLength);
    const id = view.getUint32(AT.packet, true);
    const step = view.getUint32(AT.step, true);
    const number = view.getUint32(AT.number, true);
    if (step === TraceStep.TRACE_IN) {
      this.#begin(id, {
        frame: frameOf(view, record),
        cpu: view.getUint32(AT.cpu, true),
        interfaceIndex: view.getUint32(INTERFACE_AT, true),
        steps: [],
      });
      return;
    }
    const pending = this.#pending.get(id);
    if (pending === undefined) return;
    if (step === TraceStep.TRACE_OUT) {
      this.#pending.delete(id);
      const { frame: received, cpu, interfaceIndex, steps } = pending;
      const left = frameOf(view, record);
      const verdict = VERDICTS[number] ?? 'aborted';
      this.#handle({ id, cpu, interfaceIndex, received, left, verdict, steps });
      return;
    }
    pending.steps.push(this.#describe(step, number, view.getUint32(AT.detail, true)));
  }

  #begin(id: number, pending: Pending): void {
    this.#pending.set(id, pending);
    const [oldest] = this.#pending.keys();
    if (this.#pending.size > MAX_PENDING && oldest !== undefined) this.#pending.delete(oldest);
  }

  #describe(step: number, number: number, detail: number): string {
    const real = (): string => (number === 0 ? 'nobody' : this.#names.real(number));
    switch (step) {
      case TraceStep.TRACE_VIP:
        return `VIP ${this.#names.vip(number)}`;
      case TraceStep.TRACE_NO_VIP:
        return 'no VIP';
      case TraceStep.TRACE_CACHE:
        return detail === 0 ? `flow cache: ${real()}, out of date` : `flow cache: ${real()}`;
      case TraceStep.TRACE_RING_PLACE:
        return `ring: ${real()}`;
      case TraceStep.TRACE_QUIC:
        return `QUIC connection id: ${real()}`;
      case TraceStep.TRACE_SEND:
        return `to ${real()} by ${KIND_NAMES.get(detail) ?? detail}`;
      case TraceStep.TRACE_NAT_BACK:
        return `answer of ${real()}`;
      case TraceStep.TRACE_ICMP:
        return 'ICMP error about a flow';
      case TraceStep.TRACE_REASON:
        return `dropped: ${COUNTER_NAMES.get(number) ?? number}`;
      default:
        return `step ${step}: ${number}`;
    }
  }
}

function frameOf(view: DataView, record: Uint8Array): TracedFrame {
  const captured = view.getUint32(AT.captured, true);
  return {
    timeNs: view.getBigUint64(0, true),
    bytes: record.slice(DATA_AT, DATA_AT + captured),
    length: view.getUint32(AT.length, true),
  };
}

function camelCase(name: string, prefix: string): string {
  return name
    .slice(prefix.length)
    .toLowerCase()
    .replaceAll(/_(.)/gu, (_, letter: string) => letter.toUpperCase());
}
