import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { NO_SLOT } from './pick-context.ts';
import { SlotAllocator } from './slot-allocator.ts';

describe('SlotAllocator', () => {
  it('gives ascending slots from 0 and knows both directions', () => {
    const slots = new SlotAllocator();
    expect(['a', 'b', 'c'].map((id) => slots.assign(id))).toEqual([0, 1, 2]);
    expect(slots.slotOf('b')).toBe(1);
    expect(slots.idOf(1)).toBe('b');
    expect(slots.size).toBe(3);
    expect(slots.slotCount).toBe(3);
  });

  it('gives an id that holds a slot the same one again', () => {
    const slots = new SlotAllocator();
    slots.assign('a');
    slots.assign('b');
    expect(slots.assign('a')).toBe(0);
    expect(slots.size).toBe(2);
  });

  it('reuses freed slots, the latest first, before it grows', () => {
    const slots = new SlotAllocator();
    for (const id of ['a', 'b', 'c']) slots.assign(id);
    expect(slots.release('a')).toBe(0);
    expect(slots.release('c')).toBe(2);
    expect(['d', 'e', 'f'].map((id) => slots.assign(id))).toEqual([2, 0, 3]);
  });

  it('knows nothing of ids and slots that were never given or are free', () => {
    const slots = new SlotAllocator();
    slots.assign('a');
    slots.release('a');
    expect(slots.slotOf('a')).toBe(NO_SLOT);
    expect(slots.idOf(0)).toBeUndefined();
    expect(slots.idOf(7)).toBeUndefined();
    expect(slots.release('a')).toBe(NO_SLOT);
    expect(slots.slotCount).toBe(1);
  });

  it('takes any text as an id, also names of object properties', () => {
    const slots = new SlotAllocator();
    expect(slots.slotOf('constructor')).toBe(NO_SLOT);
    expect(slots.assign('__proto__')).toBe(0);
    expect(slots.assign('')).toBe(1);
  });

  it('never gives one slot to two ids, and never more slots than ids lived at once', () => {
    const step = fc.record({
      id: fc.integer({ min: 0, max: 12 }).map(String),
      leaves: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const slots = new SlotAllocator();
        const held = new Map<string, number>();
        let most = 0;
        for (const { id, leaves } of steps) {
          if (leaves) {
            expect(slots.release(id)).toBe(held.get(id) ?? NO_SLOT);
            held.delete(id);
          } else {
            const slot = slots.assign(id);
            expect(slot).toBe(held.get(id) ?? slot);
            held.set(id, slot);
          }
          most = Math.max(most, held.size);
          expect(new Set(held.values()).size).toBe(held.size);
          expect(slots.size).toBe(held.size);
          for (const [heldId, slot] of held) expect(slots.idOf(slot)).toBe(heldId);
        }
        expect(slots.slotCount).toBe(most);
      }),
      { seed: 1, numRuns: 100 },
    );
  });
});
