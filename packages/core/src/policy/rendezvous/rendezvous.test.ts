import { describe, expect, it } from 'vitest';
import { Rendezvous } from '../../algorithm/rendezvous.ts';
import { xxhash64 } from '../../algorithm/xxhash64.ts';
import { decode } from '../../schema/decode.ts';
import {
  addressOf,
  countById,
  disruptionOf,
  endpointsOf,
  fiveSigma,
  hashKeys,
  keyedPolicy,
  placement,
} from '../test-support/keyed.ts';
import { rendezvousSchema } from './config.ts';

describe('rendezvous options', () => {
  it('are only the source of keys', () => {
    expect(decode(rendezvousSchema, {}, 'policy')).toEqual({});
    expect(() => decode(rendezvousSchema, { k: 3 }, 'policy')).toThrow(
      'policy.k: expected no such option',
    );
  });
});

describe('rendezvous', () => {
  it('walks the endpoints in the order of their scores, however many are excluded', () => {
    const count = 40;
    const policy = keyedPolicy(
      'rendezvous',
      endpointsOf(count, (index) => 1 + (index % 3)),
    );
    const keys = Array.from({ length: count }, (_, index) => addressOf(index));
    const scores = new Rendezvous({ keys, weights: keys.map((_, index) => 1 + (index % 3)) });
    for (const hashKey of hashKeys(20)) {
      const hash = xxhash64(hashKey);
      const order = new Int32Array(count);
      scores.top(Number(hash >> 32n) | 0, Number(hash & 0xffff_ffffn) | 0, order);
      const exclude: number[] = [];
      for (const slot of order) {
        expect(policy.pick({ hashKey, exclude }, 0)).toBe(slot);
        exclude.push(slot);
      }
    }
  });

  it('spreads keys in proportion to the weights, fractions included', () => {
    const weights = [0.5, 1, 2.5, 4];
    const policy = keyedPolicy(
      'rendezvous',
      endpointsOf(4, (index) => weights[index]! * 10),
    );
    const keys = hashKeys(20_000);
    const counts = countById(placement(policy, keys));
    weights.forEach((weight, index) => {
      const share = weight / 8;
      const found = counts.get(addressOf(index))!;
      expect(Math.abs(found - share * keys.length)).toBeLessThan(fiveSigma(keys.length, share));
    });
  });

  it('spreads the keys of a lost endpoint over the others in proportion to their weights', () => {
    const policy = keyedPolicy(
      'rendezvous',
      endpointsOf(4, (index) => 1 + index),
    );
    const keys = hashKeys(40_000).filter((hashKey) => policy.pick({ hashKey }, 0) === 3);
    const counts = [0, 0, 0, 0];
    for (const hashKey of keys) counts[policy.pick({ hashKey, exclude: [3] }, 0)]!++;
    [0, 1, 2].forEach((slot) => {
      const share = (1 + slot) / 6;
      expect(Math.abs(counts[slot]! - share * keys.length)).toBeLessThan(
        fiveSigma(keys.length, share),
      );
    });
  });

  it('moves no key of a survivor', () => {
    const { excessPercent } = disruptionOf('rendezvous', {
      count: 30,
      removed: new Set([4, 17]),
      keys: hashKeys(10_000),
    });
    expect(excessPercent).toBe(0);
  });

  it('explains the score', () => {
    const policy = keyedPolicy(
      'rendezvous',
      endpointsOf(3, (index) => 1 + index),
    );
    const candidates = policy.explain({ hashKey: 'user-42' }, 0);
    const hash = xxhash64('user-42').toString(16);
    expect(candidates[0]?.reason).toBe(`owner of the key: highest score of 3 for key hash ${hash}`);
    const shares = candidates.map(({ slot, shareRatio }) => [slot, shareRatio]);
    expect(shares.sort()).toEqual([
      [0, 1 / 6],
      [1, 2 / 6],
      [2, 3 / 6],
    ]);
  });
});
