import { describe, expect, it } from 'vitest';
import { MaglevTable } from '../../algorithm/maglev-table.ts';
import { xxhash64 } from '../../algorithm/xxhash64.ts';
import { decode } from '../../schema/decode.ts';
import { addressOf, endpointsOf, hashKeys, keyedPolicy, pickedId } from '../test-support/keyed.ts';
import { maglevSchema } from './config.ts';

describe('maglev options', () => {
  it('default to a table of 65537 entries and no source of keys', () => {
    expect(decode(maglevSchema, {}, 'policy')).toEqual({ tableSize: 65_537 });
  });

  it.each([2, 251, 5_000_011])('take the prime %d as a size', (tableSize) => {
    expect(decode(maglevSchema, { tableSize }, 'policy')).toEqual({ tableSize });
  });

  it.each([
    [65_536, 'a prime number such as 65537'],
    [100, 'a prime number such as 101'],
    [1, 'an integer from 2 to 5000011'],
    [5_000_012, 'an integer from 2 to 5000011'],
    [251.5, 'an integer from 2 to 5000011'],
    ['251', 'an integer from 2 to 5000011'],
  ])('refuse %s as a size', (tableSize, expected) => {
    expect(() => decode(maglevSchema, { tableSize }, 'policy')).toThrow(
      `policy.tableSize: expected ${expected}, got ${JSON.stringify(tableSize)}`,
    );
  });

  it('refuse what they do not know', () => {
    expect(() => decode(maglevSchema, { table: 251 }, 'policy')).toThrow(
      'policy.table: expected no such option (known: tableSize, hashKey)',
    );
  });
});

describe('maglev', () => {
  const COUNT = 7;
  const SIZE = 1009;
  const policy = keyedPolicy({ name: 'maglev', tableSize: SIZE }, endpointsOf(COUNT));
  const table = new MaglevTable({
    keys: Array.from({ length: COUNT }, (_, index) => addressOf(index)),
    size: SIZE,
  });
  /** The endpoint in the table for a 64-bit hash. */
  const ownerOf = (hash: bigint): string => addressOf(table.entries[Number(hash % BigInt(SIZE))]!);

  it('picks the table entry at the hash of the key, modulo the size', () => {
    for (const hashKey of hashKeys(500)) {
      expect(pickedId(policy, { hashKey })).toBe(ownerOf(xxhash64(hashKey)));
    }
  });

  it("retries with Envoy's hashes: hash ^ (2^64 - attempt)", () => {
    for (const hashKey of hashKeys(200)) {
      const hash = xxhash64(hashKey);
      const owner = ownerOf(hash);
      let attempt = 1n;
      while (ownerOf(hash ^ (2n ** 64n - attempt)) === owner) attempt++;
      const exclude = [policy.slotOf(owner)];
      expect(pickedId(policy, { hashKey, exclude })).toBe(ownerOf(hash ^ (2n ** 64n - attempt)));
    }
  });

  it('explains the entry', () => {
    const hash = xxhash64('user-42');
    const [chosen] = policy.explain({ hashKey: 'user-42' }, 0);
    expect(chosen?.reason).toBe(
      `owner of the key: key hash ${hash.toString(16).padStart(16, '0')} ` +
        `leads to table entry ${hash % BigInt(SIZE)} of ${SIZE}`,
    );
    const slot = policy.slotOf(ownerOf(hash));
    expect(chosen).toMatchObject({ slot, shareRatio: table.counts[slot]! / SIZE });
  });

  it('goes by the hash key of an endpoint, not by its address', () => {
    const renumbered = endpointsOf(COUNT).map((_, index) => ({
      address: `192.168.0.${index}:99`,
      id: addressOf(index),
      hashKey: addressOf(index),
    }));
    const moved = keyedPolicy({ name: 'maglev', tableSize: SIZE }, renumbered);
    for (const hashKey of hashKeys(100)) {
      expect(pickedId(moved, { hashKey })).toBe(pickedId(policy, { hashKey }));
    }
  });

  it('leaves endpoints without an entry when there are more of them than entries, but reaches them by exclusion', () => {
    const crowded = keyedPolicy({ name: 'maglev', tableSize: 3 }, endpointsOf(5));
    const shares = crowded.explain({}, 0).map(({ shareRatio }) => shareRatio);
    expect(shares).toEqual([1 / 3, 1 / 3, 1 / 3, 0, 0]);
    const exclude = [0, 1, 2];
    const slots = new Set(hashKeys(100).map((hashKey) => crowded.pick({ hashKey, exclude }, 0)));
    expect([...slots].sort()).toEqual([3, 4]);
  });

  it('takes members of very different weights without losing any', () => {
    // 999,999 parts in a million: the light one still has its first turn.
    const steep = keyedPolicy('maglev', [
      { address: addressOf(0), weight: 1_000_000 },
      { address: addressOf(1), weight: 1 },
    ]);
    expect(steep.explain({}, 0).map(({ shareRatio }) => shareRatio)).toEqual([
      65_536 / 65_537,
      1 / 65_537,
    ]);
    // With the heavy one excluded nearly every attempt finds it again; the light one is there all the same.
    for (const hashKey of hashKeys(100)) expect(steep.pick({ hashKey, exclude: [0] }, 0)).toBe(1);
  });
});
