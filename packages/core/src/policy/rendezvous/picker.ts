import type { Rendezvous } from '../../algorithm/rendezvous.ts';
import { NO_SLOT, type PickContext } from '../../model/pick-context.ts';
import type { KeyedMembers } from '../keyed-members.ts';
import { formatHash, type PickHash } from '../pick-hash.ts';
import type { CandidateExplanation, Picker } from '../policy.ts';
import {
  explainPreference,
  explainRandomPick,
  firstAllowed,
  PreferenceLists,
} from '../preference.ts';

/** The endpoint with the highest score for the key; with exclusions the next highest. */
export class RendezvousPicker implements Picker {
  readonly #scores: Rendezvous;
  readonly #members: KeyedMembers;
  readonly #slots: Int32Array;
  readonly #hash: PickHash;
  readonly #lists: PreferenceLists;

  constructor(scores: Rendezvous, members: KeyedMembers, hash: PickHash) {
    this.#scores = scores;
    this.#members = members;
    this.#slots = members.slots;
    this.#hash = hash;
    this.#lists = new PreferenceLists(members.count);
  }

  pick(context: PickContext): number {
    const hash = this.#hash;
    hash.take(context);
    const { exclude } = context;
    if (exclude !== undefined && exclude.length > 0) return this.#pickAllowed(exclude);
    const member = this.#scores.lookup(hash.hi, hash.lo);
    return member < 0 ? NO_SLOT : (this.#slots[member] as number);
  }

  explain(context: PickContext): readonly CandidateExplanation[] {
    const members = this.#members;
    const sum = members.weights.reduce((total, weight) => total + weight, 0);
    const shares = members.weights.map((weight) => weight / sum);
    if (context.hashKey === undefined) return explainRandomPick(context, members, shares);
    const hash = this.#hash;
    hash.takeKey(context.hashKey);
    const order = new Int32Array(members.count);
    this.#scores.top(hash.hi, hash.lo, order);
    return explainPreference(context, {
      members,
      order: [...order],
      shares,
      why: `highest score of ${members.count} for key hash ${formatHash(hash)}`,
    });
  }

  #pickAllowed(exclude: readonly number[]): number {
    const list = this.#lists.take(exclude.length);
    const found = this.#scores.top(this.#hash.hi, this.#hash.lo, list);
    return firstAllowed(this.#slots, list, found, exclude);
  }
}
