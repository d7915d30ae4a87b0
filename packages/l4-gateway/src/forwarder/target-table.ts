import { BpfError, type BpfMap, type PerCpuMap } from '@evenkeel/bpf';
import type { Target, Traffic as TrafficRecord } from './generated/forwarder.ts';
import type { Traffic } from './statistics.ts';
import type { ParsedReal } from './vip.ts';

export interface TargetMaps {
  readonly targets: BpfMap<number, Target>;
  readonly targetTraffic: PerCpuMap<number, TrafficRecord>;
}

/** Bits that the flow cache has for a generation: `META_GENERATION` of the program. */
const GENERATIONS = 2 ** 17;

const NOBODY = { address: new Uint8Array(16), nextHop: new Uint8Array(6), family: 0 } as const;

/**
 * Numbers for reals, one for each pair of VIP and real.
 *
 * A number that is given back gets a new generation, so that what the flow cache still says about it does not count. It
 * is used again as late as possible: a packet that is on its way through the program finishes with the old record.
 */
export class TargetTable {
  readonly #maps: TargetMaps;
  readonly #free: number[];
  readonly #generations: Uint32Array;
  /** What the counters said when the number was given out. */
  readonly #baselines = new Map<number, Traffic>();

  /** @param size numbers in the program's table; 0 means nobody */
  constructor(maps: TargetMaps, size: number) {
    this.#maps = maps;
    this.#free = Array.from({ length: size - 1 }, (_, index) => index + 1);
    this.#generations = new Uint32Array(size);
  }

  /** @throws BpfError `EVENKEEL_BPF_LIMIT` when all numbers are in use */
  allocate(real: ParsedReal): number {
    const number = this.#free.shift();
    if (number === undefined) {
      throw new BpfError(
        'EVENKEEL_BPF_LIMIT',
        `no room for real ${real.address.text}: ${this.#generations.length - 1} pairs of VIP and real are in use`,
      );
    }
    this.#baselines.set(number, this.#counted(number));
    this.write(number, real);
    return number;
  }

  write(number: number, real: ParsedReal): void {
    const { bytes: address, family } = real.address;
    this.#maps.targets.update(
      number,
      this.#record(number, { address, nextHop: real.nextHop, family }),
    );
  }

  /** Nothing may name the number any more but the flow cache. */
  release(number: number): void {
    this.#generations[number] = ((this.#generations[number] as number) + 1) % GENERATIONS;
    this.#maps.targets.update(number, this.#record(number, NOBODY));
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

  #record(number: number, of: Pick<Target, 'address' | 'nextHop' | 'family'>): Target {
    return { ...of, spare: 0, generation: this.#generations[number] as number, reserved: 0 };
  }
}

export function add(a: Traffic, b: Traffic): Traffic {
  return { packets: a.packets + b.packets, bytes: a.bytes + b.bytes };
}
