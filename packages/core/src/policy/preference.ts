/**
 * The preference list of a key: all members, the owner of the key first. Retries walk it: with the first excluded the
 * second is picked, and so on, always the same for the same key. Shared by the hash policies.
 */
import { NO_SLOT, type PickContext } from '../model/pick-context.ts';
import type { KeyedMembers } from './keyed-members.ts';
import type { CandidateExplanation } from './policy.ts';

/**
 * Reused lists, so that a pick with exclusions allocates nothing in the long run. A list one longer than the number of
 * exclusions must hold an allowed member, so short ones do, and sizes grow in steps of four to bound their number.
 */
export class PreferenceLists {
  readonly #count: number;
  readonly #lists: (Int32Array | undefined)[] = [];

  /** @param count of the members */
  constructor(count: number) {
    this.#count = count;
  }

  /** A list of at least `excluded + 1` places, or of as many as there are members. Valid until the next call. */
  take(excluded: number): Int32Array {
    let places = 4;
    let step = 0;
    for (; places <= excluded && places < this.#count; places *= 4) step++;
    const list = this.#lists[step] ?? new Int32Array(Math.min(places, this.#count));
    this.#lists[step] = list;
    return list;
  }
}

/**
 * Slot of the first member among the first `found` of a list that is not excluded; `NO_SLOT` when there is none. Four
 * parameters: an options object would be an allocation per pick.
 */
// oxlint-disable-next-line max-params
export function firstAllowed(
  slots: Int32Array,
  list: Int32Array,
  found: number,
  exclude: readonly number[],
): number {
  for (let place = 0; place < found; place++) {
    const slot = slots[list[place] as number] as number;
    if (!exclude.includes(slot)) return slot;
  }
  return NO_SLOT;
}

/**
 * Slot of the first member from a place that the hash chooses on, around, that is not excluded; `NO_SLOT` when all are.
 * The end of every walk: it also reaches members that own nothing because their weight is very small.
 */
export function scanAllowed(slots: Int32Array, lo: number, exclude: readonly number[]): number {
  const count = slots.length;
  let index = scanStart(lo, count);
  for (let step = 0; step < count; step++) {
    const slot = slots[index] as number;
    if (!exclude.includes(slot)) return slot;
    index = index + 1 === count ? 0 : index + 1;
  }
  return NO_SLOT;
}

/** The whole preference list: `preferred` without repetitions, then the rest in the order of {@link scanAllowed}. */
export function completeOrder(preferred: Iterable<number>, lo: number, count: number): number[] {
  const order = new Set(preferred);
  const start = scanStart(lo, count);
  for (let step = 0; step < count; step++) order.add((start + step) % count);
  return [...order];
}

function scanStart(lo: number, count: number): number {
  return Math.floor((lo >>> 0) * 2 ** -32 * count);
}

export interface PreferenceExplanation {
  readonly members: KeyedMembers;
  /** Member indexes, the owner first. */
  readonly order: readonly number[];
  /** Share of all keys that each member owns, 0..1. */
  readonly shares: ArrayLike<number>;
  /** Where the key's hash leads: "key hash 33bf00a8… is in table entry 17". */
  readonly why: string;
}

/**
 * The explanation of a pick by key: first the one that it takes, then the others in the order of the preference list,
 * at the end those that the context excludes.
 */
export function explainPreference(
  context: PickContext,
  { members, order, shares, why }: PreferenceExplanation,
): readonly CandidateExplanation[] {
  const exclude = new Set(context.exclude);
  const allowed: CandidateExplanation[] = [];
  const excluded: CandidateExplanation[] = [];
  order.forEach((member, rank) => {
    const slot = members.slots[member] as number;
    const owned = { slot, shareRatio: shares[member] as number };
    if (exclude.has(slot)) {
      excluded.push({ ...owned, reason: `choice ${rank + 1}, excluded by this request` });
    } else if (allowed.length === 0) {
      allowed.push({ ...owned, reason: `${rankOfChosen(rank)}: ${why}` });
    } else {
      allowed.push({ ...owned, reason: `choice ${rank + 1} for this key` });
    }
  });
  return [...allowed, ...excluded];
}

function rankOfChosen(rank: number): string {
  return rank === 0
    ? 'owner of the key'
    : `choice ${rank + 1}, as all before it are excluded by this request`;
}

/** The explanation of a pick without a key: a draw in which each member's chance is what it owns. */
export function explainRandomPick(
  context: PickContext,
  members: KeyedMembers,
  shares: ArrayLike<number>,
): readonly CandidateExplanation[] {
  const order = Array.from({ length: members.count }, (_, member) => member);
  order.sort((a, b) => (shares[b] as number) - (shares[a] as number) || a - b);
  const candidates = order.map((member) => ({
    slot: members.slots[member] as number,
    shareRatio: shares[member] as number,
    reason: 'no hash key, so the pick is random',
  }));
  const exclude = new Set(context.exclude);
  return [
    ...candidates.filter(({ slot }) => !exclude.has(slot)),
    ...candidates
      .filter(({ slot }) => exclude.has(slot))
      .map((candidate) => ({ ...candidate, reason: 'excluded by this request' })),
  ];
}
