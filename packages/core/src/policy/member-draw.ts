import { AliasTable } from '../algorithm/alias-table.ts';
import { type RandomSource, uniformBelow } from '../algorithm/random-source.ts';
import { otherIndex } from '../algorithm/sample-two.ts';
import type { Members } from '../model/members.ts';

/** Draws tried before an allowed member is looked for one by one. With half of all excluded, 1 pick in 256 gets there. */
const MAX_REDRAWS = 8;

/** No member is allowed. */
export const NO_INDEX = -1;

/**
 * Random members in proportion to their weights: the sampling half of every policy that draws candidates. Works on
 * positions in `Members`, not on slots.
 */
export class MemberDraw {
  readonly count: number;
  /** Do all members weigh the same? Then a uniform draw will do. */
  readonly uniform: boolean;
  readonly #slots: Int32Array;
  readonly #weights: Float64Array;
  readonly #random: RandomSource;
  /** Built on the first draw: round robin needs it only around excluded endpoints. */
  #alias: AliasTable | undefined;

  constructor(members: Members, random: RandomSource) {
    this.count = members.slots.length;
    this.uniform = isUniform(members.weights);
    this.#slots = members.slots;
    this.#weights = members.weights;
    this.#random = random;
  }

  /** Any member; there must be one. */
  draw(): number {
    if (this.uniform) return uniformBelow(this.#random, this.count);
    this.#alias ??= new AliasTable(this.#weights);
    return this.#alias.sample(this.#random);
  }

  /** A member other than `first`; there must be two. */
  drawOther(first: number): number {
    for (let attempt = 0; attempt < MAX_REDRAWS; attempt++) {
      const other = this.draw();
      if (other !== first) return other;
    }
    // `first` has nearly all of the weight. A scan for an exact draw would cost O(n) in most picks: any other will do.
    return otherIndex(this.#random, this.count, first);
  }

  /** A member whose slot is not in `exclude`, or {@link NO_INDEX}. Weights among the allowed ones are kept exactly. */
  drawAllowed(exclude: readonly number[]): number {
    if (this.count === 0) return NO_INDEX;
    for (let attempt = 0; attempt < MAX_REDRAWS; attempt++) {
      const index = this.draw();
      if (!exclude.includes(this.#slots[index] as number)) return index;
    }
    return this.#scanAllowed(exclude);
  }

  /** As {@link drawOther}, outside `exclude`; `first` when there is no other. */
  drawOtherAllowed(first: number, exclude: readonly number[]): number {
    for (let attempt = 0; attempt < MAX_REDRAWS; attempt++) {
      const other = this.draw();
      if (other !== first && !exclude.includes(this.#slots[other] as number)) return other;
    }
    // Seldom: an array for this one pick is cheaper than a second form of the scan.
    const other = this.#scanAllowed([...exclude, this.#slots[first] as number]);
    return other === NO_INDEX ? first : other;
  }

  /** Probability of every member in a single draw, given that none in `exclude` is drawn: 0 for those. */
  probabilities(exclude: readonly number[] = NOTHING): Float64Array {
    const sum = this.#sum(exclude);
    return this.#weights.map((weight, index) =>
      exclude.includes(this.#slots[index] as number) ? 0 : weight / sum,
    );
  }

  #scanAllowed(exclude: readonly number[]): number {
    let place = (this.#random.nextInt32() >>> 0) * 2 ** -32 * this.#sum(exclude);
    let last = NO_INDEX;
    for (let index = 0; index < this.count; index++) {
      if (exclude.includes(this.#slots[index] as number)) continue;
      last = index;
      place -= this.#weights[index] as number;
      if (place < 0) break;
    }
    // Rounding may leave a rest after the last allowed member: it gets it.
    return last;
  }

  #sum(exclude: readonly number[]): number {
    let sum = 0;
    for (let index = 0; index < this.count; index++) {
      if (!exclude.includes(this.#slots[index] as number)) sum += this.#weights[index] as number;
    }
    return sum;
  }
}

const NOTHING: readonly number[] = [];

function isUniform(weights: Float64Array): boolean {
  return weights.every((weight) => weight === weights[0]);
}
