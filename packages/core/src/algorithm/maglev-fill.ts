/** The permutations of a Maglev table's endpoints, in the order in which they take their turns. */
export interface Permutations {
  /** What to write for each: its endpoint. */
  readonly endpoints: Uint32Array;
  /** First preferred entry of each, below the size. */
  readonly offsets: Uint32Array;
  /** Distance to the next preferred entry of each, between 1 and size - 1. */
  readonly skips: Uint32Array;
}

export type MaglevEntries = Uint16Array | Uint32Array;

/** Fills a table in turns (paper, listing 1): one entry for every endpoint, again and again. */
export function fillEqual(permutations: Permutations, size: number): MaglevEntries {
  const filling = new Filling(permutations, size);
  const { length } = permutations.endpoints;
  if (length === 0) return filling.entries;
  for (let turn = 0; filling.free > 0;) {
    filling.claim(turn);
    turn = turn + 1 === length ? 0 : turn + 1;
  }
  return filling.entries;
}

/**
 * Above this ratio of the heaviest share to the mean one, most of a round is endpoints that sit out, and looking each
 * one up in a calendar is cheaper than asking them all.
 */
const CALENDAR_RATIO = 64;

/**
 * Fills a table in rounds in which an endpoint of weight w takes a turn about w / heaviest of the time: in round r it
 * sits out while `r * w` has not reached its target, which grows by the heaviest weight with each turn. These are
 * Envoy's floating-point operations on weights normalised to a sum of 1, so that ties fall alike.
 *
 * @param weights by endpoint
 */
export function fillWeighted(
  permutations: Permutations,
  size: number,
  weights: Float64Array,
): MaglevEntries {
  const { endpoints } = permutations;
  const filling = new Filling(permutations, size);
  const sum = weights.reduce((total, weight) => total + weight, 0);
  const shares = Float64Array.from(endpoints, (endpoint) => (weights[endpoint] as number) / sum);
  const heaviest = shares.reduce((most, share) => Math.max(most, share), 0);
  if (heaviest * endpoints.length <= CALENDAR_RATIO) askInRounds(filling, shares, heaviest);
  else callInRounds(filling, shares, heaviest);
  return filling.entries;
}

function askInRounds(filling: Filling, shares: Float64Array, heaviest: number): void {
  const targets = new Float64Array(shares.length);
  for (let round = 1; filling.free > 0; round++) {
    for (let turn = 0; turn < shares.length && filling.free > 0; turn++) {
      const target = targets[turn] as number;
      if (round * (shares[turn] as number) < target) continue;
      targets[turn] = target + heaviest;
      filling.claim(turn);
    }
  }
}

/** The same turns from a calendar: for each round a linked list of those who take part. */
function callInRounds(filling: Filling, shares: Float64Array, heaviest: number): void {
  const targets = new Float64Array(shares.length);
  // The heaviest takes part in every round, so there are at most as many rounds as entries.
  const rounds = filling.free;
  const first = new Int32Array(rounds + 2).fill(-1);
  const after = new Int32Array(shares.length);
  const due = new Uint32Array(shares.length);
  const enter = (round: number, turn: number): void => {
    after[turn] = first[round] as number;
    first[round] = turn;
  };
  for (let turn = 0; turn < shares.length; turn++) enter(1, turn);
  for (let round = 1; filling.free > 0; round++) {
    let count = 0;
    for (let turn = first[round] as number; turn >= 0; turn = after[turn] as number)
      due[count++] = turn;
    due.subarray(0, count).sort();
    for (let place = 0; place < count && filling.free > 0; place++) {
      const turn = due[place] as number;
      const target = (targets[turn] as number) + heaviest;
      targets[turn] = target;
      filling.claim(turn);
      enter(Math.min(rounds + 1, nextRound(round, shares[turn] as number, target)), turn);
    }
  }
}

/** The first round after `round` in which `round * share` is not below the target, exactly as the comparison rounds. */
function nextRound(round: number, share: number, target: number): number {
  let next = Math.max(round + 1, Math.ceil(target / share));
  while (next * share < target) next++;
  while (next - 1 > round && (next - 1) * share >= target) next--;
  return next;
}

/** A table under construction. */
class Filling {
  readonly entries: MaglevEntries;
  /** Entries that nobody owns yet. */
  free: number;
  /** What marks them: the largest value, which is no endpoint's. */
  readonly #freeMark: number;
  readonly #size: number;
  /** The entry that each endpoint looks at next. */
  readonly #next: Uint32Array;
  readonly #skips: Uint32Array;
  readonly #endpoints: Uint32Array;

  constructor({ endpoints, offsets, skips }: Permutations, size: number) {
    const narrow = endpoints.length <= 0xffff;
    this.free = size;
    this.#freeMark = narrow ? 0xffff : 0xffff_ffff;
    this.entries = narrow ? new Uint16Array(size) : new Uint32Array(size);
    this.entries.fill(this.#freeMark);
    this.#size = size;
    this.#next = offsets.slice();
    this.#skips = skips;
    this.#endpoints = endpoints;
  }

  /** Gives the endpoint of a turn its next preferred entry among those that are free; there must be one. */
  claim(turn: number): void {
    const { entries } = this;
    const freeMark = this.#freeMark;
    const size = this.#size;
    const skip = this.#skips[turn] as number;
    let at = this.#next[turn] as number;
    while (entries[at] !== freeMark) {
      at += skip;
      if (at >= size) at -= size;
    }
    entries[at] = this.#endpoints[turn] as number;
    this.free--;
    at += skip;
    this.#next[turn] = at >= size ? at - size : at;
  }
}
