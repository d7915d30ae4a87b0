import type { Ketama } from '../../algorithm/ketama.ts';
import { NO_SLOT, type PickContext } from '../../model/pick-context.ts';
import type { Random } from '../../runtime/random.ts';
import type { KeyedMembers } from '../keyed-members.ts';
import type { CandidateExplanation, Picker } from '../policy.ts';
import {
  completeOrder,
  explainPreference,
  explainRandomPick,
  firstAllowed,
  PreferenceLists,
  scanAllowed,
} from '../preference.ts';

/** The owner of the first point at or behind the key's MD5 word; with exclusions the next endpoint along the ring. */
export class KetamaPicker implements Picker {
  readonly #ring: Ketama;
  readonly #members: KeyedMembers;
  readonly #slots: Int32Array;
  readonly #random: Random;
  readonly #lists: PreferenceLists;

  constructor(ring: Ketama, members: KeyedMembers, random: Random) {
    this.#ring = ring;
    this.#members = members;
    this.#slots = members.slots;
    this.#random = random;
    this.#lists = new PreferenceLists(members.count);
  }

  pick({ hashKey, exclude }: PickContext): number {
    const position = hashKey === undefined ? this.#random.nextInt32() : this.#ring.hashKey(hashKey);
    if (exclude !== undefined && exclude.length > 0) return this.#pickAllowed(position, exclude);
    const member = this.#ring.lookup(position);
    return member < 0 ? NO_SLOT : (this.#slots[member] as number);
  }

  explain(context: PickContext): readonly CandidateExplanation[] {
    const members = this.#members;
    const shares = this.#ring.shares();
    if (context.hashKey === undefined) return explainRandomPick(context, members, shares);
    const position = this.#ring.hashKey(context.hashKey);
    const list = new Int32Array(members.count);
    const found = this.#ring.preference(position, list);
    return explainPreference(context, {
      members,
      order: completeOrder(list.subarray(0, found), position, members.count),
      shares,
      why: `it owns the next of ${this.#ring.size} points behind key hash ${hex(position)}`,
    });
  }

  #pickAllowed(position: number, exclude: readonly number[]): number {
    const slots = this.#slots;
    const list = this.#lists.take(exclude.length);
    const slot = firstAllowed(slots, list, this.#ring.preference(position, list), exclude);
    return slot === NO_SLOT ? scanAllowed(slots, position, exclude) : slot;
  }
}

function hex(position: number): string {
  return (position >>> 0).toString(16).padStart(8, '0');
}
