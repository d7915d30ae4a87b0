import type { MaglevTable } from '../../algorithm/maglev-table.ts';
import { Modulus } from '../../algorithm/modulus.ts';
import { NO_SLOT, type PickContext } from '../../model/pick-context.ts';
import type { KeyedMembers } from '../keyed-members.ts';
import { formatHash, type PickHash } from '../pick-hash.ts';
import type { CandidateExplanation, Picker } from '../policy.ts';
import { completeOrder, explainPreference, explainRandomPick, scanAllowed } from '../preference.ts';

/**
 * Lookups tried with another hash before the allowed members are walked in order. Each fails with the share of the
 * excluded, so 32 suffice unless they own nearly everything (0.9^32 = 3 %).
 */
const MAX_ATTEMPTS = 32;

/**
 * One hash, one read of the table. With exclusions the hash is changed and looked up again, as Envoy does for retries
 * (`maglev_lb.cc`), which spreads the keys of an excluded endpoint over all others.
 */
export class MaglevPicker implements Picker {
  readonly #table: MaglevTable;
  readonly #members: KeyedMembers;
  readonly #slots: Int32Array;
  readonly #hash: PickHash;

  constructor(table: MaglevTable, members: KeyedMembers, hash: PickHash) {
    this.#table = table;
    this.#members = members;
    this.#slots = members.slots;
    this.#hash = hash;
  }

  pick(context: PickContext): number {
    const hash = this.#hash;
    hash.take(context);
    const { exclude } = context;
    if (exclude !== undefined && exclude.length > 0) return this.#pickAllowed(exclude);
    const member = this.#table.lookup(hash.hi, hash.lo);
    return member < 0 ? NO_SLOT : (this.#slots[member] as number);
  }

  explain(context: PickContext): readonly CandidateExplanation[] {
    const table = this.#table;
    const members = this.#members;
    const shares = sharesOf(table, members.count);
    if (context.hashKey === undefined) return explainRandomPick(context, members, shares);
    const hash = this.#hash;
    hash.takeKey(context.hashKey);
    const entry = new Modulus(table.size).reduce(hash.hi, hash.lo);
    return explainPreference(context, {
      members,
      order: completeOrder(this.#attempts(), hash.lo, members.count),
      shares,
      why: `key hash ${formatHash(hash)} leads to table entry ${entry} of ${table.size}`,
    });
  }

  #pickAllowed(exclude: readonly number[]): number {
    const slots = this.#slots;
    const table = this.#table;
    const { hi, lo } = this.#hash;
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
      const member = table.lookupAttempt(hi, lo, attempt);
      if (member < 0) return NO_SLOT;
      const slot = slots[member] as number;
      if (!exclude.includes(slot)) return slot;
    }
    return scanAllowed(slots, lo, exclude);
  }

  /** The members that the attempts find for the hash taken last, with repetitions. */
  #attempts(): readonly number[] {
    const { hi, lo } = this.#hash;
    const attempts = Array.from({ length: MAX_ATTEMPTS }, (_, attempt) =>
      this.#table.lookupAttempt(hi, lo, attempt),
    );
    return this.#members.count === 0 ? [] : attempts;
  }
}

/** Entries owned over entries, by member; 0 for members that did not fit in the table. */
function sharesOf(table: MaglevTable, count: number): Float64Array {
  const shares = new Float64Array(count);
  table.counts.forEach((entries, member) => (shares[member] = entries / table.size));
  return shares;
}
