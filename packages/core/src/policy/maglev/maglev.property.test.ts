import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  addressOf,
  countById,
  disruptionOf,
  endpointSets,
  endpointsOf,
  fiveSigma,
  hashKeys,
  keyedPolicy,
  placement,
  sharesById,
} from '../test-support/keyed.ts';

const M = 65_537;

describe('maglev balance', () => {
  it.each([10, 100, 1_000])(
    'gives %d equal endpoints equal shares of the table, give or take one entry',
    (count) => {
      const shares = sharesById(keyedPolicy('maglev', endpointsOf(count)));
      for (const share of shares.values()) {
        expect([Math.floor(M / count), Math.ceil(M / count)]).toContain(Math.round(share * M));
      }
    },
  );

  it('gives weights their shares', () => {
    const property = fc.property(endpointSets(20), (set) => {
      const sum = set.reduce((total, { weight = 1 }) => total + weight, 0);
      const shares = sharesById(keyedPolicy('maglev', set));
      for (const { address = '', weight = 1 } of set) {
        // At most one turn ahead, one cut off at the end, and its part of what the others are ahead (at most one each).
        const entries = 2 + (set.length * weight) / sum;
        expect(Math.abs(shares.get(address)! - weight / sum)).toBeLessThanOrEqual(entries / M);
      }
    });
    fc.assert(property, { seed: 1, numRuns: 30 });
  });

  it('spreads keys in proportion to the weights', () => {
    const policy = keyedPolicy(
      'maglev',
      endpointsOf(10, (index) => 1 + index),
    );
    const keys = hashKeys(20_000);
    const counts = countById(placement(policy, keys));
    for (let index = 0; index < 10; index++) {
      const share = (1 + index) / 55;
      const expected = share * keys.length;
      expect(Math.abs(counts.get(addressOf(index))! - expected)).toBeLessThan(
        fiveSigma(keys.length, share) + (4 / M) * keys.length,
      );
    }
  });

  it('draws in proportion to the weights where there is no key', () => {
    const policy = keyedPolicy(
      'maglev',
      endpointsOf(4, (index) => 1 + index),
    );
    const draws = 20_000;
    const counts = [0, 0, 0, 0];
    for (let draw = 0; draw < draws; draw++) counts[policy.pick({}, 0)]!++;
    counts.forEach((count, index) => {
      const share = (1 + index) / 10;
      expect(Math.abs(count - share * draws)).toBeLessThan(
        fiveSigma(draws, share) + (4 / M) * draws,
      );
    });
  });

  it('spreads the keys of an excluded endpoint over all others', () => {
    const policy = keyedPolicy('maglev', endpointsOf(5));
    const keys = hashKeys(50_000).filter((hashKey) => policy.pick({ hashKey }, 0) === 2);
    const counts = [0, 0, 0, 0, 0];
    for (const hashKey of keys) counts[policy.pick({ hashKey, exclude: [2] }, 0)]!++;
    // Attempt 1 is the complement of the hash, which mirrors the table: the parts are not independent draws. Counted
    // over the whole table they are up to 13 % off for these five.
    counts.forEach((count, slot) => {
      const share = slot === 2 ? 0 : 1 / 4;
      const structure = 0.13 * share * keys.length;
      const sampling = fiveSigma(keys.length, share);
      expect(Math.abs(count - share * keys.length)).toBeLessThan(structure + sampling);
    });
  });
});

describe('maglev disruption', () => {
  /**
   * Excess in percent of the table, with other addresses than these, over ten draws each: mean and range. A mean of
   * four draws stays within the range of ten single ones, widened by what sampling keys instead of counting entries
   * adds (standard deviation of a share p: sqrt(p / keys)).
   */
  it.each([
    { count: 10, removed: 1, least: 0.15, most: 0.59 },
    { count: 100, removed: 1, least: 0.4, most: 0.75 },
    { count: 100, removed: 5, least: 0.6, most: 1.15 },
    { count: 1_000, removed: 10, least: 1.8, most: 2.9 },
  ])(
    'moves $least to $most % of keys besides those of $removed lost of $count',
    ({ count, removed, least, most }) => {
      const keys = hashKeys(20_000);
      const draws = 4;
      let excess = 0;
      for (let draw = 0; draw < draws; draw++) {
        const gone = new Set(
          Array.from({ length: removed }, (_, index) => (draw * 41 + index * 97) % count),
        );
        const { unavoidablePercent, excessPercent } = disruptionOf('maglev', {
          count,
          removed: gone,
          keys,
        });
        const expected = (100 * removed) / count;
        const sampling = (100 * fiveSigma(keys.length, removed / count)) / keys.length;
        expect(Math.abs(unavoidablePercent - expected)).toBeLessThan(sampling);
        excess += excessPercent / draws;
      }
      const sampling = 100 * Math.sqrt(most / 100 / (draws * keys.length)) * 3;
      expect(excess).toBeGreaterThan(least - sampling);
      expect(excess).toBeLessThan(most + sampling);
    },
  );
});
