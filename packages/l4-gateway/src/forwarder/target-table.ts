import { BpfError, type BpfMap, type PerCpuMap } from '@evenkeel/bpf';
import type { Target, Traffic as TrafficRecord } from './generated/forwarder.ts';
import { addressText, type Ledger } from './ledger.ts';
import type { Traffic } from './statistics.ts';
import { NOBODY, type Path, type TargetContext, targetRecord } from './target-record.ts';
import type { ParsedReal } from './vip.ts';

export interface TargetMaps {
  readonly targets: BpfMap<number, Target>;
  readonly targetTraffic: PerCpuMap<number, TrafficRecord>;
}

/** Bits that the flow cache has for a generation: `STATE_GENERATION` of the program. */
const GENERATIONS = 2 ** 12;

/** A number that a predecessor gave out, for which nobody has asked yet. */
export interface KeptTarget {
  /** Name of the VIP. */
  readonly owner: string;
  /** Of the real. */
  readonly address: string;
  readonly weight: number;
}

/**
 * Numbers for reals, one for each pair of VIP and real.
 *
 * A number that is given back gets a new generation, so that what the flow cache still says about it does not count. It
 * is used again as late as possible: a packet that is on its way through the program finishes with the old record.
 */
export class TargetTable {
  readonly #maps: TargetMaps;
  readonly #path: Path;
  readonly #free: number[];
  readonly #generations: Uint32Array;
  /** What the counters said when the number was given out. */
  readonly #baselines = new Map<number, Traffic>();
  /** Where numbers are written down for a successor. */
  readonly #ledger: Ledger | undefined;
  /** By VIP and address. */
  readonly #kept = new Map<string, KeptTarget & { readonly number: number }>();

  /**
   * @param size numbers in the program's table; 0 means nobody
   * @param path to the reals
   * @param ledger of a predecessor whose maps these are, or a new one
   */
  constructor(
    maps: TargetMaps,
    { size, path }: { readonly size: number; readonly path: Path },
    ledger?: Ledger,
  ) {
    this.#maps = maps;
    this.#path = path;
    this.#generations = new Uint32Array(size);
    this.#ledger = ledger;
    if (ledger !== undefined) this.#readKept(ledger);
    const taken = new Set(Array.from(this.#kept.values(), ({ number }) => number));
    this.#free = Array.from({ length: size - 1 }, (_, index) => index + 1).filter(
      (number) => !taken.has(number),
    );
  }

  /** How many numbers are given out. */
  get usedCount(): number {
    return this.#generations.length - 1 - this.#free.length;
  }

  /** Numbers of a predecessor that nobody has asked for; their flows go where they went. */
  get kept(): readonly KeptTarget[] {
    return [...this.#kept.values()];
  }

  /** Gives back {@link kept}: flows that went there are placed anew. */
  releaseKept(): void {
    for (const { number } of this.#kept.values()) this.release(number);
    this.#kept.clear();
  }

  #readKept(ledger: Ledger): void {
    const records = new Map(this.#maps.targets.entries());
    for (const [number, { generation }] of records) this.#generations[number] = generation;
    for (const [number, { owner, weight, baseline }] of ledger.entries()) {
      const record = records.get(number);
      // A number on its way in or out when its process died; no ring and no flow names it.
      if (record === undefined || record.family === 0) continue;
      const address = addressText(record.address, record.family);
      this.#baselines.set(number, baseline);
      this.#kept.set(`${owner} ${address}`, { owner, address, weight, number });
    }
  }

  /**
   * A number for a real; {@link write} its record before anything names it.
   *
   * @param owner name of the VIP
   * @throws BpfError `EVENKEEL_BPF_LIMIT` when all numbers are in use
   */
  allocate(real: ParsedReal, owner: string): number {
    const key = `${owner} ${real.address.text}`;
    const kept = this.#kept.get(key);
    if (kept !== undefined) {
      this.#kept.delete(key);
      return kept.number;
    }
    const number = this.#free.shift();
    if (number === undefined) {
      throw new BpfError(
        'EVENKEEL_BPF_LIMIT',
        `no room for real ${real.address.text}: ${this.#generations.length - 1} pairs of VIP and real are in use`,
      );
    }
    const baseline = this.#counted(number);
    this.#baselines.set(number, baseline);
    this.#ledger?.write(number, { owner, weight: real.weight, baseline });
    return number;
  }

  /** Notes a weight for a successor, which begins with it. */
  note(number: number, real: ParsedReal, owner: string): void {
    const baseline = this.#baselines.get(number) ?? { packets: 0n, bytes: 0n };
    this.#ledger?.write(number, { owner, weight: real.weight, baseline });
  }

  write(number: number, real: ParsedReal, context: TargetContext): void {
    const generation = this.#generations[number] as number;
    this.#maps.targets.update(number, { ...targetRecord(real, context, this.#path), generation });
  }

  /** What the flow cache says about the number does not count any more; its next {@link write} says so. */
  renew(number: number): void {
    this.#generations[number] = ((this.#generations[number] as number) + 1) % GENERATIONS;
  }

  /** Nothing may name the number any more but the flow cache. */
  release(number: number): void {
    this.renew(number);
    const generation = this.#generations[number] as number;
    this.#maps.targets.update(number, { ...NOBODY, generation });
    this.#ledger?.delete(number);
    this.#baselines.delete(number);
    this.#free.push(number);
  }

  /** Since the number was given out. */
  traffic(number: number): Traffic {
    const now = this.#counted(number);
    const start = this.#baselines.get(number) ?? { packets: 0n, bytes: 0n };
    return { packets: now.packets - start.packets, bytes: now.bytes - start.bytes };
  }

  #counted(number: number): Traffic {
    return this.#maps.targetTraffic.reduce(number, { packets: 0n, bytes: 0n }, add);
  }
}

export function add(a: Traffic, b: Traffic): Traffic {
  return { packets: a.packets + b.packets, bytes: a.bytes + b.bytes };
}
