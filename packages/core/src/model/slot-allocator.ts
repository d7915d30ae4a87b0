import { NO_SLOT } from './pick-context.ts';

/**
 * Gives every endpoint id a slot: a small integer that stays with it for life and indexes the load table.
 *
 * ```text
 * assign a, b, c -> 0, 1, 2      release b -> 1 is free      assign d -> 1 (reused)      assign e -> 3
 * ```
 *
 * Freed slots are reused before the range grows, the latest one first, so that the table stays as small as the largest
 * set of endpoints that ever lived at one time. The allocator holds no numbers about endpoints: whoever gives a slot to
 * a new id clears the slot's row (`LoadTable.resetSlot`), and does not release a slot while requests are in flight on it,
 * or their ends would be counted for a stranger.
 */
export class SlotAllocator {
  readonly #slots = new Map<string, number>();
  readonly #ids: (string | undefined)[] = [];
  readonly #free: number[] = [];

  /** Ids that hold a slot now. */
  get size(): number {
    return this.#slots.size;
  }

  /** One more than the highest slot ever given: what the load table must have room for. Never shrinks. */
  get slotCount(): number {
    return this.#ids.length;
  }

  /** The slot of an id; `NO_SLOT` when it has none. */
  slotOf(id: string): number {
    return this.#slots.get(id) ?? NO_SLOT;
  }

  /** The id that holds a slot; undefined for a free one. */
  idOf(slot: number): string | undefined {
    return this.#ids[slot];
  }

  /** The slot of an id, given now if it has none. Ask `slotOf` first to know whether the slot is new to the id. */
  assign(id: string): number {
    const held = this.#slots.get(id);
    if (held !== undefined) return held;
    const slot = this.#free.pop() ?? this.#ids.length;
    this.#ids[slot] = id;
    this.#slots.set(id, slot);
    return slot;
  }

  /** Frees the slot of an id for another. @returns the slot; `NO_SLOT` when the id had none */
  release(id: string): number {
    const slot = this.#slots.get(id);
    if (slot === undefined) return NO_SLOT;
    this.#slots.delete(id);
    this.#ids[slot] = undefined;
    this.#free.push(slot);
    return slot;
  }
}
