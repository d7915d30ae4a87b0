import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { XorShift128 } from '../runtime/random.ts';
import { ShareDraw } from './share-draw.ts';

const NAMES = ['canary', 'stable', 'old', 'test', 'spare'];
const KEYS = Array.from({ length: 400 }, (_, index) => `user-${index}`);

const shares = fc
  .array(fc.nat(100), { minLength: 2, maxLength: 5 })
  .filter((values) => values.some((value) => value > 0));

function draw(values: readonly number[], seed = 1): ShareDraw {
  return new ShareDraw(
    values.map((share, index) => ({ name: NAMES[index] ?? '', share })),
    { random: new XorShift128(seed), byKey: true },
  );
}

/** Standard deviations that a count of independent picks may be off: missed with a probability of 1e-6. */
const DEVIATIONS = 5;

function expectShares(counts: readonly number[], values: readonly number[]): void {
  const picks = counts.reduce((sum, count) => sum + count, 0);
  const sum = values.reduce((total, value) => total + value, 0);
  values.forEach((value, index) => {
    const p = value / sum;
    const tolerance = DEVIATIONS * Math.sqrt(picks * p * (1 - p));
    expect(Math.abs((counts[index] ?? 0) - picks * p)).toBeLessThanOrEqual(tolerance);
  });
}

describe('ShareDraw', () => {
  it('draws requests without a key in proportion to the shares', () => {
    fc.assert(
      fc.property(shares, fc.integer(), (values, seed) => {
        const ways = draw(values, seed);
        const counts = values.map(() => 0);
        for (let pick = 0; pick < 2_000; pick++) {
          const way = ways.choose(undefined);
          counts[way] = (counts[way] ?? 0) + 1;
        }
        expectShares(counts, values);
      }),
      { seed: 1, numRuns: 50 },
    );
  });

  it('divides keys in proportion to the shares, and leads each the same way every time', () => {
    fc.assert(
      fc.property(shares, fc.string(), (values, prefix) => {
        const ways = draw(values, 1);
        const other = draw(values, 2);
        const counts = values.map(() => 0);
        for (let key = 0; key < 2_000; key++) {
          const way = ways.choose(`${prefix}-${key}`);
          expect(other.choose(`${prefix}-${key}`)).toBe(way);
          expect(ways.wayOf(`${prefix}-${key}`)).toBe(way);
          counts[way] = (counts[way] ?? 0) + 1;
        }
        expectShares(counts, values);
      }),
      { seed: 2, numRuns: 30 },
    );
  });

  it('moves keys only to the one whose share grows, and only from the one whose share shrinks', () => {
    fc.assert(
      fc.property(shares, fc.nat(4), fc.integer({ min: 1, max: 50 }), (values, which, more) => {
        const at = which % values.length;
        const grown = values.map((value, index) => (index === at ? value + more : value));
        const [before, after] = [draw(values), draw(grown)];
        for (const key of KEYS) {
          const [from, to] = [before.choose(key), after.choose(key)];
          if (from !== to) expect(to).toBe(at);
        }
      }),
      { seed: 3, numRuns: 60 },
    );
  });

  it('moves the keys of a canary one way while its percentage rises', () => {
    let moved = new Set<string>();
    for (let percent = 0; percent <= 100; percent += 5) {
      const ways = draw([percent, 100 - percent]);
      const canary = new Set(KEYS.filter((key) => ways.choose(key) === 0));
      for (const key of moved) expect(canary).toContain(key);
      moved = canary;
    }
    expect(moved.size).toBe(KEYS.length);
  });

  it('does not hang on the order in which the ways are named', () => {
    const forth = draw([20, 30, 50]);
    const back = new ShareDraw(
      [
        { name: 'old', share: 50 },
        { name: 'stable', share: 30 },
        { name: 'canary', share: 20 },
      ],
      { random: new XorShift128(1), byKey: true },
    );
    for (const key of KEYS) expect(back.choose(key)).toBe(2 - forth.choose(key));
  });

  it('takes the only way there is, and the first where none has a share', () => {
    expect(draw([0, 7, 0]).choose('a')).toBe(1);
    expect(draw([0, 7, 0]).wayOf(undefined)).toBe(1);
    expect(draw([0, 0]).choose(undefined)).toBe(0);
  });

  it('ignores keys when told to draw', () => {
    const ways = new ShareDraw(
      [
        { name: 'a', share: 1 },
        { name: 'b', share: 1 },
      ],
      { random: new XorShift128(1), byKey: false },
    );
    const chosen = new Set(Array.from({ length: 50 }, () => ways.choose('one key')));
    expect([...chosen].sort()).toEqual([0, 1]);
    expect(ways.wayOf('one key')).toBeUndefined();
  });
});
