import { carryOf, mulHigh64, type Uint64 } from './uint64.ts';
import {
  PRIME1_HI,
  PRIME1_LO,
  PRIME2_HI,
  PRIME2_LO,
  PRIME4_HI,
  PRIME4_LO,
} from './xxhash64-primes.ts';

/** Inputs of at least this many bytes go through the four accumulators. */
export const STRIPE_BYTES = 32;

/** How far each accumulator is rotated before the four are added up (specification, step 3). */
const MERGE_ROTATIONS = [1, 7, 12, 18] as const;

/**
 * Steps 1 to 3 of XXH64 for long inputs: four independent accumulators take 32-byte stripes and are merged at the end.
 * The merged accumulator is left in `hi`, `lo`.
 */
export class Stripes implements Uint64 {
  hi = 0;
  lo = 0;
  /** Start values for the seed: `seed + PRIME1 + PRIME2, seed + PRIME2, seed, seed - PRIME1`; high half, low half, ... */
  readonly #initial = new Int32Array(8);
  readonly #lanes = new Int32Array(8);

  constructor(seedHi: number, seedLo: number) {
    const initial = this.#initial;
    for (let lane = 0; lane < 8; lane += 2) add(initial, lane, seedHi, seedLo);
    add(initial, 0, PRIME1_HI, PRIME1_LO);
    add(initial, 0, PRIME2_HI, PRIME2_LO);
    add(initial, 2, PRIME2_HI, PRIME2_LO);
    add(initial, 6, ~PRIME1_HI, ~PRIME1_LO); // minus PRIME1 is
    add(initial, 6, 0, 1); // plus its complement plus one
  }

  /** Takes all whole stripes of `length` bytes and returns how many words that were. */
  consume(words: Int32Array, length: number): number {
    const lanes = this.#lanes;
    lanes.set(this.#initial);
    const end = (length >>> 5) * 8;
    for (let next = 0; next < end; next += 8) {
      for (let lane = 0; lane < 8; lane += 2) {
        round(lanes, lane, words[next + lane + 1] as number, words[next + lane] as number);
      }
    }
    this.#merge();
    return end;
  }

  #merge(): void {
    const lanes = this.#lanes;
    let hi = 0;
    let lo = 0;
    for (let lane = 0; lane < 4; lane++) {
      const rotation = MERGE_ROTATIONS[lane] as number;
      const laneHi = lanes[lane * 2] as number;
      const laneLo = lanes[lane * 2 + 1] as number;
      const sum = (lo >>> 0) + (((laneLo << rotation) | (laneHi >>> (32 - rotation))) >>> 0);
      hi = (hi + ((laneHi << rotation) | (laneLo >>> (32 - rotation))) + carryOf(sum)) | 0;
      lo = sum | 0;
    }
    for (let lane = 0; lane < 8; lane += 2) {
      // acc = (acc ^ round(0, lane)) * PRIME1 + PRIME4
      const laneHi = lanes[lane] as number;
      const laneLo = lanes[lane + 1] as number;
      lanes[lane] = 0;
      lanes[lane + 1] = 0;
      round(lanes, lane, laneHi, laneLo);
      hi ^= lanes[lane] as number;
      lo ^= lanes[lane + 1] as number;
      const sum = (Math.imul(lo, PRIME1_LO) >>> 0) + (PRIME4_LO >>> 0);
      hi = (mulHigh64(hi, lo, PRIME1_HI, PRIME1_LO) + PRIME4_HI + carryOf(sum)) | 0;
      lo = sum | 0;
    }
    this.hi = hi;
    this.lo = lo;
  }
}

/** `acc = rotl(acc + lane * PRIME2, 31) * PRIME1`. Four parameters: the innermost step. */
function round(lanes: Int32Array, at: number, laneHi: number, laneLo: number): void {
  const sum = ((lanes[at + 1] as number) >>> 0) + (Math.imul(laneLo, PRIME2_LO) >>> 0);
  const lo = sum | 0;
  const hi =
    ((lanes[at] as number) + mulHigh64(laneHi, laneLo, PRIME2_HI, PRIME2_LO) + carryOf(sum)) | 0;
  const turnedHi = (hi << 31) | (lo >>> 1);
  const turnedLo = (lo << 31) | (hi >>> 1);
  lanes[at] = mulHigh64(turnedHi, turnedLo, PRIME1_HI, PRIME1_LO);
  lanes[at + 1] = Math.imul(turnedLo, PRIME1_LO);
}

/** Adds a number in halves to the one at `at`. */
function add(lanes: Int32Array, at: number, hi: number, lo: number): void {
  const sum = ((lanes[at + 1] as number) >>> 0) + (lo >>> 0);
  lanes[at] = (lanes[at] as number) + hi + carryOf(sum);
  lanes[at + 1] = sum;
}
