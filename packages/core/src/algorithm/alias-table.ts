import { checkWeights } from './check.ts';
import type { RandomSource } from './random-source.ts';

/**
 * Draws indexes in proportion to weights, in constant time whatever their number (Walker, 1977; built in O(n) as in
 * Vose, "A Linear Algorithm for Generating Random Numbers with a Given Distribution", 1991).
 *
 * The weights are cut and restacked into n columns of equal height, each holding at most two indexes: the column's own
 * up to a threshold, and one alias above it. A draw picks a column and a height in it.
 *
 * ```text
 * weights 3 1 2      column   0    1    2
 * height  2          above    .    0    .      column 1: own part 1, the rest belongs to index 0
 *                    below    0    1    2
 * ```
 *
 * ```ts
 * const table = new AliasTable([3, 1, 2]);
 * table.sample(random); // 0, 1 or 2, with probability 1/2, 1/6 and 1/3
 * ```
 */
export class AliasTable {
  /** How many indexes there are. */
  readonly size: number;
  /** Share of a column that is its own, 0..1. */
  readonly #thresholds: Float64Array;
  readonly #aliases: Int32Array;
  readonly #columnsPerBit: number;

  /** @param weights one or more, each above 0 and finite @throws RangeError, TypeError */
  constructor(weights: ArrayLike<number>) {
    const heights = checkWeights(weights.length, weights);
    const size = heights.length;
    if (size === 0) throw new RangeError('weights must not be empty');
    this.size = size;
    this.#thresholds = new Float64Array(size).fill(1);
    this.#aliases = Int32Array.from({ length: size }, (_, index) => index);
    this.#columnsPerBit = size * 2 ** -32;
    this.#stack(heights);
  }

  /**
   * An index, with probability weight / sum of weights. One draw: its upper part is the column, what is left over the
   * height in it. A weight is off by at most size / 2^32 of a column, 2 in a million at 10,000 indexes.
   */
  sample(random: RandomSource): number {
    const place = (random.nextInt32() >>> 0) * this.#columnsPerBit;
    const column = Math.floor(place);
    return place - column < (this.#thresholds[column] as number)
      ? column
      : (this.#aliases[column] as number);
  }

  /** Fills each column that is too low from one that is too high, which may make that one too low in turn. */
  #stack(heights: Float64Array): void {
    let sum = 0;
    for (const height of heights) sum += height;
    const scale = heights.length / sum;
    const low: number[] = [];
    const high: number[] = [];
    for (let index = 0; index < heights.length; index++) {
      const height = (heights[index] as number) * scale;
      heights[index] = height;
      (height < 1 ? low : high).push(index);
    }
    let donor = high.pop();
    for (let index = low.pop(); index !== undefined && donor !== undefined; index = low.pop()) {
      const height = heights[index] as number;
      this.#thresholds[index] = height;
      this.#aliases[index] = donor;
      const left = (heights[donor] as number) - (1 - height);
      heights[donor] = left;
      if (left < 1) {
        low.push(donor);
        donor = high.pop();
      }
    }
    // What remains differs from a full column only by rounding, and keeps its threshold of 1.
  }
}
