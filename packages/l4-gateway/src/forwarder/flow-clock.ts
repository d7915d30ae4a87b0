/** The time that the program goes by, and the end of flows that nobody has heard of for long. */
import { type BpfMap, MappedArray, openKernel } from '@evenkeel/bpf';
import { everySecond } from '../runtime/clock.ts';
import type { Bucket, Target } from './generated/forwarder.ts';

/** As `bpf/flow_cache.h` has them. */
const TIME_SHIFT = 3;
const TIME_VALUES = 2 ** 15;
const CLOSING = 1;
const CONFIRMED = 2;
const LONG_WAY = 4;
/** Where the target begins in the state, counted in bits of its lower half. */
const TARGET_SHIFT = 30;
const TARGET_MASK = 2 ** 14 - 1;
/** 32-bit words of a flow: tag, tag, lower and upper half of the state. */
const FLOW_WORDS = 4;

/**
 * The whole cache is looked through once in so many seconds. A time has 15 bits, nine hours: before it comes round again,
 * each flow that has been silent for as long as its VIP allows must be gone.
 */
const SWEEP_SECONDS = 512;

export interface ClockMaps {
  readonly flows: BpfMap<number, Bucket>;
  readonly targets: BpfMap<number, Target>;
}

type Idle = Pick<Target, 'idleTcp' | 'idleUdp' | 'idleClosing'>;

export interface ClockOptions {
  readonly seconds: () => number;
  /** Hands the program the time. */
  readonly write: (clockBits: number) => void;
}

/** Ticks once a second, without keeping the process alive. */
export class FlowClock {
  readonly #maps: ClockMaps;
  readonly #memory: MappedArray<Bucket>;
  readonly #words: Uint32Array;
  readonly #options: ClockOptions;
  readonly #stop: () => void;
  #last: number;
  #isLongWay = false;
  /** Index of the flow that the next sweep begins with. */
  #next = 0;

  constructor(maps: ClockMaps, options: ClockOptions) {
    this.#maps = maps;
    this.#options = options;
    const { flows } = maps;
    const spec = { ...flows.spec, maxEntries: flows.info().maxEntries };
    this.#memory = new MappedArray<Bucket>(openKernel(), spec, flows.fd);
    this.#words = new Uint32Array(this.#memory.memory);
    this.#last = options.seconds();
    this.#write(this.#last);
    this.#stop = everySecond(() => this.tick());
  }

  /** Lets every packet take the program's long way, which has the tracer in it. */
  set isLongWay(isLongWay: boolean) {
    this.#isLongWay = isLongWay;
    this.#write(this.#last);
  }

  /** Tells the program the time, and looks through a part of the cache. */
  tick(): void {
    const now = this.#options.seconds();
    const passed = Math.min(SWEEP_SECONDS, Math.max(0, now - this.#last));
    this.#last = now;
    this.#write(now);
    this.#sweep(Math.ceil((this.#words.length / FLOW_WORDS / SWEEP_SECONDS) * passed), now);
  }

  close(): void {
    this.#stop();
    this.#memory.close();
  }

  #write(now: number): void {
    this.#options.write(
      ((now % TIME_VALUES) << TIME_SHIFT) | CONFIRMED | (this.#isLongWay ? LONG_WAY : 0),
    );
  }

  #sweep(count: number, now: number): void {
    const idleOf = new Map<number, Idle | undefined>();
    const flows = this.#words.length / FLOW_WORDS;
    for (let step = 0; step < count; step += 1) {
      const at = this.#next * FLOW_WORDS;
      this.#next = (this.#next + 1) % flows;
      const low = this.#words[at + 2] as number;
      const high = this.#words[at + 3] as number;
      if (low === 0 && high === 0) continue;
      const target = ((low >>> TARGET_SHIFT) | (high << (32 - TARGET_SHIFT))) & TARGET_MASK;
      if (!idleOf.has(target)) idleOf.set(target, this.#maps.targets.lookup(target));
      const silent = (now - ((low >>> TIME_SHIFT) % TIME_VALUES) + TIME_VALUES) % TIME_VALUES;
      if (silent > limitOf(low, idleOf.get(target))) this.#clear(at);
    }
  }

  /**
   * The state goes first: with it the entry is free. A packet that comes at this very moment may be stored in vain; its
   * flow asks the ring once more.
   */
  #clear(at: number): void {
    this.#words.fill(0, at + 2, at + 4);
    this.#words.fill(0, at, at + 2);
  }
}

/** An entry does not say its protocol: the longer of both counts here, and the program knows better. */
function limitOf(state: number, idle: Idle | undefined): number {
  if (idle === undefined) return 0;
  const { idleTcp, idleUdp, idleClosing } = idle;
  return Math.max(idleUdp, (state & CLOSING) === 0 ? idleTcp : idleClosing);
}
