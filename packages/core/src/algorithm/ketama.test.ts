import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { Ketama, type KetamaServer } from './ketama.ts';
import { addresses, histogram, variation } from './test-support/cases.ts';

interface Recording {
  readonly name: string;
  readonly servers: readonly KetamaServer[];
  readonly picks: string;
  readonly shares: readonly number[];
}

/** What libmemcached does; see test-support/README.md. */
const recordings = JSON.parse(
  readFileSync(new URL('test-support/libmemcached-ketama.json', import.meta.url), 'utf8'),
) as readonly Recording[];

const pick = (ring: Ketama, key: string): number => ring.lookup(ring.hashKey(key));

describe.each(recordings)(
  'Ketama is the ring of libmemcached: $name',
  ({ servers, picks, shares }) => {
    const ring = new Ketama(servers);

    it('picks the same server for 300 recorded keys', () => {
      const ours = Array.from({ length: 300 }, (_, n) =>
        pick(ring, `key:${n * 7919}`).toString(16),
      );
      expect(ours.join('')).toBe(picks);
    });

    it('gives every server the same number of 100,000 keys', () => {
      const ours = Array.from({ length: 100_000 }, (_, n) => pick(ring, `k${n}`));
      expect(histogram(ours, servers.length)).toEqual(shares);
    });
  },
);

describe('Ketama', () => {
  it('takes 160 points from each of several equal servers', () => {
    const ring = new Ketama(addresses(10).map((address) => ({ address })));
    expect([...ring.counts]).toEqual(Array(10).fill(160));
    expect(ring.size).toBe(1_600);
  });

  it('spreads shares like 160 random points do', () => {
    const ring = new Ketama(addresses(50).map((address) => ({ address })));
    const shares = histogram(
      Array.from({ length: 200_000 }, (_, n) => pick(ring, `k${n}`)),
      50,
    );
    // 1 / sqrt(160) = 0.079, with a sampling error of about a tenth of that over 50 servers.
    expect(variation(shares)).toBeGreaterThan(0.055);
    expect(variation(shares)).toBeLessThan(0.105);
  });

  it('does not depend on the order of the servers', () => {
    const servers = addresses(7).map((address, index) => ({ address, weight: 1 + (index % 3) }));
    const ring = new Ketama(servers);
    const reversed = new Ketama([...servers].reverse());
    for (let n = 0; n < 2_000; n++) {
      expect(6 - pick(reversed, `k${n}`)).toBe(pick(ring, `k${n}`));
    }
  });

  it('moves only the keys of a removed server while weights are equal', () => {
    const servers = addresses(10).map((address) => ({ address }));
    const full = new Ketama(servers);
    const without = new Ketama(servers.slice(0, 9));
    for (let n = 0; n < 5_000; n++) {
      const before = pick(full, `k${n}`);
      if (before !== 9) expect(pick(without, `k${n}`)).toBe(before);
    }
  });

  it('gives a server with hardly any weight no points, as libmemcached does', () => {
    const ring = new Ketama([
      { address: 'a', weight: 1_000 },
      { address: 'b', weight: 1 },
    ]);
    expect([...ring.counts]).toEqual([316, 0]);
  });

  it('lists distinct servers in the order of the ring', () => {
    const ring = new Ketama(addresses(5).map((address) => ({ address })));
    const out = new Int32Array(8);
    const position = ring.hashKey('some key');
    expect(ring.preference(position, out)).toBe(5);
    expect(out[0]).toBe(ring.lookup(position));
    expect([...out.subarray(0, 5)].sort()).toEqual([0, 1, 2, 3, 4]);
  });

  it('has nobody to offer on an empty ring', () => {
    const ring = new Ketama([]);
    expect(pick(ring, 'key')).toBe(-1);
    expect(ring.preference(0, new Int32Array(2))).toBe(0);
  });

  it.each([
    [[{ address: '' }], 'servers[0].address must be a non-empty string, got ""'],
    [[{ address: 'a', port: 70_000 }], 'servers[0].port must be between 0 and 65535, got 70000'],
    [[{ address: 'a', weight: 0 }], 'servers[0].weight must be above 0, got 0'],
    [[{ address: 'a' }, { address: 'a', port: 11_211 }], 'servers must differ, got "a" twice'],
  ])('refuses %j', (servers, message) => {
    expect(() => new Ketama(servers)).toThrow(new RangeError(message));
  });
});
