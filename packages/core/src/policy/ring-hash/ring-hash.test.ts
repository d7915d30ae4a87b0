import { describe, expect, it } from 'vitest';
import { murmurHash2 } from '../../algorithm/murmur2-64a.ts';
import { MAX_RING_SIZE } from '../../algorithm/ring-sizing.ts';
import { xxhash64 } from '../../algorithm/xxhash64.ts';
import { decode } from '../../schema/decode.ts';
import {
  addressOf,
  endpointsOf,
  hashKeys,
  keyedPolicy,
  pickedId,
  sharesById,
} from '../test-support/keyed.ts';
import { ringHashSchema } from './config.ts';
import { sizingOf } from './sizing.ts';

const DEFAULTS = {
  mode: 'envoy',
  hashFunction: 'xx-hash',
  minRingSize: 1024,
  maxRingSize: 8_388_608,
  pointsPerWeight: 160,
} as const;

describe('ring-hash options', () => {
  it("default to Envoy's", () => {
    expect(decode(ringHashSchema, {}, 'policy')).toEqual(DEFAULTS);
  });

  it.each([
    [{ mode: 'ketama' }, 'policy.mode: expected one of envoy, native'],
    [{ hashFunction: 'md5' }, 'policy.hashFunction: expected one of xx-hash, murmur2'],
    [{ minRingSize: 0 }, 'policy.minRingSize: expected an integer from 1 to 8388608, got 0'],
    [{ maxRingSize: 8_388_609 }, 'policy.maxRingSize: expected an integer from 1 to 8388608'],
    [
      { minRingSize: 4097, maxRingSize: 4096 },
      'policy.minRingSize: expected at most maxRingSize, got 4097',
    ],
    [{ maxRingSize: 512 }, 'policy.minRingSize: expected at most maxRingSize'],
    [{ pointsPerWeight: 0.5 }, 'policy.pointsPerWeight: expected an integer from 1 to 65536'],
    [{ ringSize: 7 }, 'policy.ringSize: expected no such option'],
  ])('refuse %j', (options, message) => {
    expect(() => decode(ringHashSchema, options, 'policy')).toThrow(message);
  });

  it('leave the minimum aside in native mode', () => {
    expect(() =>
      decode(ringHashSchema, { mode: 'native', maxRingSize: 512 }, 'policy'),
    ).not.toThrow();
  });
});

/** The ring by its definition: every point with its owner, in order. */
function ringOf(
  counts: readonly number[],
  hash: (text: string) => bigint,
): { position: bigint; owner: string }[] {
  return counts
    .flatMap((count, index) =>
      Array.from({ length: count }, (_, point) => ({
        position: hash(`${addressOf(index)}_${point}`),
        owner: addressOf(index),
      })),
    )
    .sort((a, b) => (a.position < b.position ? -1 : 1));
}

/** Distinct owners from the first point at or behind the hash on, around. */
function walk(ring: readonly { position: bigint; owner: string }[], hash: bigint): string[] {
  const first = Math.max(
    0,
    ring.findIndex(({ position }) => position >= hash),
  );
  return [...new Set([...ring.slice(first), ...ring.slice(0, first)].map(({ owner }) => owner))];
}

describe('ring-hash', () => {
  // Weights 1, 2, 5 of 8 at 64 points: the lightest gets 64 / 8 = 8, a whole number, so all do.
  const weights = [1, 2, 5];
  const endpoints = endpointsOf(3, (index) => weights[index]!);
  it.each([
    {
      title: "Envoy's sizes with XXH64",
      options: { name: 'ring-hash', minRingSize: 64, maxRingSize: 64 },
      counts: [8, 16, 40],
      hash: (text: string) => xxhash64(text),
    },
    {
      title: "Envoy's sizes with MurmurHash2",
      options: { name: 'ring-hash', minRingSize: 64, maxRingSize: 64, hashFunction: 'murmur2' },
      counts: [8, 16, 40],
      hash: (text: string) => murmurHash2(text),
    },
    {
      title: 'native sizes',
      options: { name: 'ring-hash', mode: 'native', pointsPerWeight: 9 },
      counts: [9, 18, 45],
      hash: (text: string) => xxhash64(text),
    },
  ])('walks the ring of its definition: $title', ({ options, counts, hash }) => {
    const policy = keyedPolicy(options, endpoints);
    const ring = ringOf(counts, hash);
    for (const hashKey of hashKeys(300)) {
      // Requests are hashed with XXH64 whatever places the points, as Envoy's hash policies do.
      const expected = walk(ring, xxhash64(hashKey));
      const exclude: number[] = [];
      for (const id of expected) {
        expect(pickedId(policy, { hashKey, exclude })).toBe(id);
        exclude.push(policy.slotOf(id));
      }
    }
  });

  it('explains the point', () => {
    const policy = keyedPolicy({ name: 'ring-hash', minRingSize: 64, maxRingSize: 64 }, endpoints);
    const [chosen] = policy.explain({ hashKey: 'user-42' }, 0);
    expect(chosen?.reason).toBe(
      `owner of the key: it owns the next of 64 points behind key hash ${xxhash64('user-42').toString(16)}`,
    );
  });

  it('reaches endpoints that own no point, by exclusion', () => {
    const policy = keyedPolicy(
      { name: 'ring-hash', minRingSize: 1, maxRingSize: 2 },
      endpointsOf(4),
    );
    const shares = sharesById(policy);
    const owners = [...shares].filter(([, share]) => share > 0).map(([id]) => policy.slotOf(id));
    expect(owners).toHaveLength(2);
    for (const hashKey of hashKeys(50)) {
      const slot = policy.pick({ hashKey, exclude: owners }, 0);
      expect([0, 1, 2, 3].filter((other) => !owners.includes(other))).toContain(slot);
    }
  });
});

describe('sizingOf', () => {
  const native = { ...DEFAULTS, mode: 'native' } as const;
  const pointsOf = (weights: readonly number[], config = {}): number => {
    const sizing = sizingOf({ ...native, ...config }, Float64Array.from(weights));
    return sizing.kind === 'stable' ? sizing.pointsPerWeight : Number.NaN;
  };

  it('keeps the points per weight while the mean weight is small', () => {
    expect(pointsOf([1, 1, 1])).toBe(160);
    expect(pointsOf([1, 9, 5, 8.9])).toBe(160);
  });

  it('halves them until an endpoint has some thousand on average', () => {
    // 100 * 160 = 16000 -> 8000 -> ... -> 1000
    expect(pointsOf([100, 100, 100])).toBe(10);
    expect(pointsOf([1_000_000])).toBe(160 / 2 ** 18);
  });

  it('keeps the ring below its largest size, and never refuses one', () => {
    expect(pointsOf(Array<number>(100).fill(1), { maxRingSize: 4096 })).toBe(20);
    expect(pointsOf(Array<number>(100).fill(1), { maxRingSize: 1 })).toBeLessThan(0.02);
    expect(pointsOf([1], { pointsPerWeight: 65_536, maxRingSize: MAX_RING_SIZE })).toBe(32_768);
  });

  it("passes Envoy's bounds on, short of the very limit of a ring", () => {
    expect(sizingOf(DEFAULTS, new Float64Array(10).fill(1))).toEqual({
      kind: 'bounded',
      minSize: 1024,
      maxSize: MAX_RING_SIZE - 10,
    });
  });
});
