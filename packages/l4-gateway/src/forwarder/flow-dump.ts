/** What the flow cache holds, read from its memory. */
import { addressText } from './ledger.ts';
import type { Vip } from './vip.ts';

/** A flow that a CPU remembers. */
export interface CachedFlow {
  /** `192.0.2.1:40000`; undefined for IPv6, of which the cache keeps a hash alone. */
  readonly client: string | undefined;
  /** Port of the VIP that it is for; undefined for IPv6. */
  readonly port: number | undefined;
  /** Name of the VIP. */
  readonly vip: string;
  readonly real: string;
  readonly cpu: number;
  /** Since its last packet. */
  readonly silentSeconds: number;
  /** Has it had more than one packet? */
  readonly confirmed: boolean;
  /** TCP: has the client ended it? */
  readonly closing: boolean;
}

/** What a number in the cache stands for. */
export interface FlowTarget {
  readonly vip: Vip;
  readonly name: string;
  readonly family: 4 | 6;
  readonly real: string;
  readonly generation: number;
}

export interface DumpOptions {
  /** The cache, as 32-bit words. */
  readonly words: Uint32Array;
  readonly cpus: number;
  readonly nowSeconds: number;
  /** Undefined for a number that is free. */
  readonly targetOf: (number: number) => FlowTarget | undefined;
  /** Entries that are handed out; the others are only counted. */
  readonly limit: number;
  readonly keep?: (flow: CachedFlow) => boolean;
}

export interface FlowDump {
  readonly flows: readonly CachedFlow[];
  /** How many there are that `keep` takes. */
  readonly count: number;
}

/** `struct flow` and the bits of its state, as `bpf/flow_cache.h` has them: tag, tag, lower and upper half of the state. */
const FLOW_WORDS = 4;
const CLOSING = 1;
const CONFIRMED = 2;
const TIME_SHIFT = 3;
const TIME_VALUES = 2 ** 15;
const GENERATION_SHIFT = 18;
const GENERATION_MASK = 2 ** 12 - 1;
const TARGET_SHIFT = 30;
const TARGET_MASK = 2 ** 14 - 1;

/** Looks through the whole cache: some milliseconds for a million places. */
export function dumpFlows(options: DumpOptions): FlowDump {
  const { words, cpus, limit, keep = () => true } = options;
  const flows: CachedFlow[] = [];
  let count = 0;
  const perCpu = words.length / cpus;
  for (let at = 0; at < words.length; at += FLOW_WORDS) {
    if ((words[at + 2] as number) === 0 && (words[at + 3] as number) === 0) continue;
    const flow = decode(words.subarray(at, at + FLOW_WORDS), {
      ...options,
      cpu: Math.floor(at / perCpu),
    });
    if (flow === undefined || !keep(flow)) continue;
    count += 1;
    if (flows.length < limit) flows.push(flow);
  }
  return { flows, count };
}

/** Undefined for an entry that does not count any more: its real has left. */
function decode(
  words: Uint32Array,
  { cpu, nowSeconds, targetOf }: Pick<DumpOptions, 'nowSeconds' | 'targetOf'> & { cpu: number },
): CachedFlow | undefined {
  const [source = 0, ports = 0, low = 0, high = 0] = words;
  const number = ((low >>> TARGET_SHIFT) | (high << (32 - TARGET_SHIFT))) & TARGET_MASK;
  const target = targetOf(number);
  if (target === undefined) return undefined;
  if (((low >>> GENERATION_SHIFT) & GENERATION_MASK) !== (target.generation & GENERATION_MASK)) {
    return undefined;
  }
  const isSix = target.family === 6;
  return {
    client: isSix ? undefined : `${sourceText(source)}:${swap16(ports & 0xffff)}`,
    port: isSix ? undefined : swap16(ports >>> 16),
    vip: target.name,
    real: target.real,
    cpu,
    silentSeconds: (nowSeconds - ((low >>> TIME_SHIFT) % TIME_VALUES) + TIME_VALUES) % TIME_VALUES,
    confirmed: (low & CONFIRMED) !== 0,
    closing: (low & CLOSING) !== 0,
  };
}

/** The program keeps addresses and ports as they lie in the packet, and reads them as numbers of the machine. */
function sourceText(word: number): string {
  return addressText(
    Uint8Array.from([0, 8, 16, 24], (shift) => (word >>> shift) & 0xff),
    4,
  );
}

function swap16(value: number): number {
  return ((value & 0xff) << 8) | (value >>> 8);
}
