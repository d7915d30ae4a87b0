import type { BoundedLoad } from '../../algorithm/bounded-load.ts';
import { NO_SLOT, type PickContext } from '../../model/pick-context.ts';
import type { KeyedMembers } from '../keyed-members.ts';
import type { PickHash } from '../pick-hash.ts';
import { type CandidateExplanation, nameOf, type Picker } from '../policy.ts';
import type { ActiveTotal } from './active-total.ts';

/** What the picker is made of. */
export interface BoundedLoadPickerParts {
  readonly child: Picker;
  readonly members: KeyedMembers;
  /** Over the members, in their order. */
  readonly bounds: BoundedLoad;
  /** Requests in flight, by slot. */
  readonly active: Int32Array;
  readonly total: ActiveTotal;
  readonly hash: PickHash;
}

/** No position in `members`. */
const NO_MEMBER = -1;

/**
 * The wrapped policy's choice if that has room, else the first with room in an order that the key seeds, else the least
 * loaded of those allowed (only exclusions can fill everybody else).
 */
export class BoundedLoadPicker implements Picker {
  /** The picker of the wrapped policy. */
  readonly child: Picker;
  readonly #members: KeyedMembers;
  readonly #bounds: BoundedLoad;
  readonly #active: Int32Array;
  readonly #total: ActiveTotal;
  readonly #hash: PickHash;
  /** Member of each slot. */
  readonly #memberOf: Int32Array;

  constructor(parts: BoundedLoadPickerParts) {
    this.child = parts.child;
    this.#members = parts.members;
    this.#bounds = parts.bounds;
    this.#active = parts.active;
    this.#total = parts.total;
    this.#hash = parts.hash;
    this.#memberOf = new Int32Array(parts.active.length).fill(NO_MEMBER);
    parts.members.slots.forEach((slot, member) => (this.#memberOf[slot] = member));
  }

  pick(context: PickContext, nowMs: number): number {
    const total = this.#total.take();
    const slot = this.child.pick(context, nowMs);
    if (slot === NO_SLOT) return NO_SLOT;
    const member = this.#memberOf[slot] as number;
    if (this.#bounds.hasRoom(member, total)) return slot;
    this.#hash.take(context);
    return this.#slotOf(this.#overflow(member, total, context.exclude ?? NOTHING));
  }

  explain(context: PickContext, nowMs: number): readonly CandidateExplanation[] {
    const exclude = context.exclude ?? NOTHING;
    const candidates = this.child.explain(context, nowMs);
    const chosen = this.#explainedChoice(context, candidates);
    const owner = candidates[0]?.slot;
    const ranked = candidates.map((candidate) => {
      const member = this.#memberOf[candidate.slot] as number;
      const isFull = !this.#bounds.hasRoom(member, this.#total.value);
      const isChosen = candidate.slot === chosen;
      const overflow =
        isChosen && chosen !== owner ? `takes the overflow of ${this.#name(owner)}; ` : '';
      const group = exclude.includes(candidate.slot) ? 3 : isChosen ? 0 : isFull ? 2 : 1;
      const reason = `${overflow}${this.#describeLoad(member, isFull)}; ${candidate.reason}`;
      return { group, candidate: { ...candidate, reason } };
    });
    return ranked.sort((a, b) => a.group - b.group).map(({ candidate }) => candidate);
  }

  /** Another member than the one that hashing chose and that is full. The key's hash must have been taken. */
  #overflow(member: number, total: number, exclude: readonly number[]): number {
    const { hi, lo } = this.#hash;
    const other = this.#bounds.pick(member, hi ^ lo, total, exclude);
    return this.#bounds.hasRoom(other, total) ? other : this.#leastLoaded(exclude);
  }

  /** In flight over weight, each counted with one request more. There is one: the child has just found one allowed. */
  #leastLoaded(exclude: readonly number[]): number {
    const { slots, weights, count } = this.#members;
    let best = NO_MEMBER;
    let lowest = Number.POSITIVE_INFINITY;
    for (let member = 0; member < count; member++) {
      const slot = slots[member] as number;
      const load = ((this.#active[slot] as number) + 1) / (weights[member] as number);
      if (load >= lowest || exclude.includes(slot)) continue;
      lowest = load;
      best = member;
    }
    return best;
  }

  /** What a pick would take: certain with a key, unknown (undefined) without one. Draws nothing. */
  #explainedChoice(
    { hashKey, exclude = NOTHING }: PickContext,
    candidates: readonly CandidateExplanation[],
  ): number | undefined {
    const owner = candidates[0]?.slot;
    if (hashKey === undefined || owner === undefined || exclude.includes(owner)) return undefined;
    const member = this.#memberOf[owner] as number;
    const total = this.#total.value;
    if (this.#bounds.hasRoom(member, total)) return owner;
    this.#hash.takeKey(hashKey);
    return this.#slotOf(this.#overflow(member, total, exclude));
  }

  #describeLoad(member: number, isFull: boolean): string {
    const active = this.#active[this.#members.slots[member] as number] as number;
    const cap = this.#bounds.capOf(member, this.#total.value);
    return `${active} in flight of at most ${cap}${isFull ? ', full' : ''}`;
  }

  #slotOf(member: number): number {
    return member === NO_MEMBER ? NO_SLOT : (this.#members.slots[member] as number);
  }

  #name(slot: number | undefined): string {
    const member = slot === undefined ? NO_MEMBER : (this.#memberOf[slot] as number);
    return nameOf(this.#members.endpoints[member]);
  }
}

const NOTHING: readonly number[] = [];
