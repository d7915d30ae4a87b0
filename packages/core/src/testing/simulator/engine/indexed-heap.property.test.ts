import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { IndexedHeap } from './indexed-heap.ts';

const step = fc.record({
  id: fc.integer({ min: 0, max: 30 }),
  key: fc.option(fc.integer({ min: 0, max: 50 }), { nil: undefined }),
});

describe('IndexedHeap', () => {
  it('always has the lowest key on top, whatever is put in, moved and taken out', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 300 }), (steps) => {
        const heap = new IndexedHeap(4);
        const keys = new Map<number, number>();
        for (const { id, key } of steps) {
          heap.grow(id + 1);
          if (key === undefined) {
            heap.remove(id);
            keys.delete(id);
          } else {
            heap.set(id, key);
            keys.set(id, key);
          }
          expect(heap.size).toBe(keys.size);
          const lowest = Math.min(...keys.values());
          expect(heap.topKey).toBe(lowest);
          if (keys.size > 0) expect(keys.get(heap.top)).toBe(lowest);
          else expect(heap.top).toBe(-1);
        }
      }),
      { seed: 2, numRuns: 300 },
    );
  });
});
