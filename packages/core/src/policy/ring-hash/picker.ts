import type { HashRing } from '../../algorithm/hash-ring.ts';
import { NO_SLOT, type PickContext } from '../../model/pick-context.ts';
import type { KeyedMembers } from '../keyed-members.ts';
import { formatHash, type PickHash } from '../pick-hash.ts';
import type { CandidateExplanation, Picker } from '../policy.ts';
import {
  completeOrder,
  explainPreference,
  explainRandomPick,
  firstAllowed,
  PreferenceLists,
  scanAllowed,
} from '../preference.ts';

/** The owner of the first point at or behind the key's hash; with exclusions the next endpoint along the ring. */
export class RingHashPicker implements Picker {
  readonly #ring: HashRing;
  readonly #members: KeyedMembers;
  readonly #slots: Int32Array;
  readonly #hash: PickHash;
  readonly #lists: PreferenceLists;

  constructor(ring: HashRing, members: KeyedMembers, hash: PickHash) {
    this.#ring = ring;
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
    const member = this.#ring.lookup(hash.hi, hash.lo);
    return member < 0 ? NO_SLOT : (this.#slots[member] as number);
  }

  explain(context: PickContext): readonly CandidateExplanation[] {
    const members = this.#members;
    const shares = this.#ring.shares();
    if (context.hashKey === undefined) return explainRandomPick(context, members, shares);
    const hash = this.#hash;
    hash.takeKey(context.hashKey);
    const list = new Int32Array(members.count);
    const found = this.#ring.preference(hash.hi, hash.lo, list);
    return explainPreference(context, {
      members,
      order: completeOrder(list.subarray(0, found), hash.lo, members.count),
      shares,
      why: `it owns the next of ${this.#ring.size} points behind key hash ${formatHash(hash)}`,
    });
  }

  #pickAllowed(exclude: readonly number[]): number {
    const slots = this.#slots;
    const { hi, lo } = this.#hash;
    const list = this.#lists.take(exclude.length);
    const slot = firstAllowed(slots, list, this.#ring.preference(hi, lo, list), exclude);
    return slot === NO_SLOT ? scanAllowed(slots, lo, exclude) : slot;
  }
}
