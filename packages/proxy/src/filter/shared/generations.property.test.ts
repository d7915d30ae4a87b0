import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Generations } from './generations.ts';

const SEED = 20_233;

describe('a map of generations', () => {
  it('never holds more than its limit, and keeps the keys that were used last', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 2, max: 20 }),
        fc.array(fc.tuple(fc.nat(30), fc.boolean()), { maxLength: 200 }),
        (limit, steps) => {
          const map = new Generations<number>(limit);
          const used: number[] = [];
          for (const [at, [key, writes]] of steps.entries()) {
            if (writes) map.set(String(key), at);
            else if (map.get(String(key)) === undefined) continue;
            used.push(key);
            expect(map.size).toBeLessThanOrEqual(limit);
            // Half of them fit into one generation, whatever else comes.
            const recent = [...new Set(used.toReversed())].slice(0, Math.floor(limit / 2));
            const held = recent.filter((one) => map.get(String(one)) !== undefined);
            used.push(...recent.toReversed());
            expect(held).toEqual(recent);
          }
        },
      ),
      { seed: SEED },
    );
  });

  it('gives back what was set last, and forgets what is deleted', () => {
    const map = new Generations<string>(4);
    map.set('a', '1');
    map.set('a', '2');
    expect(map.get('a')).toBe('2');
    map.delete('a');
    expect(map.get('a')).toBeUndefined();
    map.set('b', '1');
    map.clear();
    expect(map.size).toBe(0);
  });
});
