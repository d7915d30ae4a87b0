import { checkInteger } from './check.ts';
import { mulHigh64 } from './uint64.ts';

// Multiplier 2862933555777941757 of the paper's linear congruential generator, in halves.
const MULTIPLIER_HI = 0x27bb2ee6 | 0;
const MULTIPLIER_LO = 0x87b0b0fd | 0;
const MAX_BUCKETS = 2 ** 31 - 1;

/**
 * Jump consistent hash (Lamping and Veach, "A Fast, Minimal Memory, Consistent Hash Algorithm", 2014, figure 1): the
 * bucket in [0, buckets) for a 64-bit key hash given in halves.
 *
 * Perfect balance without any table, and from n to n + 1 buckets only 1/(n+1) of the keys move, all to the new one.
 * But only the *last* bucket can come or go, so it suits numbered shards, not endpoints that fail.
 *
 * @param buckets 1 to 2^31 - 1
 * @throws RangeError
 */
export function jumpHash(hi: number, lo: number, buckets: number): number {
  checkInteger('buckets', buckets, { min: 1, max: MAX_BUCKETS });
  let stateHi = hi;
  let stateLo = lo;
  let bucket = 0;
  for (let next = 0; next < buckets;) {
    bucket = next;
    // state = state * multiplier + 1
    const nextHi = mulHigh64(stateHi, stateLo, MULTIPLIER_HI, MULTIPLIER_LO);
    stateLo = (Math.imul(stateLo, MULTIPLIER_LO) + 1) | 0;
    stateHi = stateLo === 0 ? nextHi + 1 : nextHi;
    // The upper 31 bits give the distance of the jump.
    next = Math.floor((bucket + 1) * (2 ** 31 / ((stateHi >>> 1) + 1)));
  }
  return bucket;
}
