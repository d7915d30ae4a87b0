import { describe, expect, it } from 'vitest';
import { DEFAULT_MAGLEV_SIZE, MaglevTable } from './maglev-table.ts';
import { addresses } from './test-support/cases.ts';
import { fromBigInt } from './uint64.ts';

const ports = (...numbers: number[]): string[] => numbers.map((port) => `127.0.0.1:${port}`);

// The expected tables are stated in comments of Envoy's maglev_lb_test.cc.
describe('MaglevTable equals the tables of Envoy', () => {
  it('of six addresses in 7 entries', () => {
    const table = new MaglevTable({ keys: ports(90, 91, 92, 93, 94, 95), size: 7 });
    expect([...table.entries]).toEqual([2, 4, 0, 1, 5, 0, 3]);
  });

  it('of six names in 7 entries', () => {
    const table = new MaglevTable({ keys: ['90', '91', '92', '93', '94', '95'], size: 7 });
    expect([...table.entries]).toEqual([2, 5, 0, 3, 4, 1, 0]);
  });

  it('of weights 1 and 2 in 17 entries', () => {
    const table = new MaglevTable({ keys: ports(90, 91), weights: [1, 2], size: 17 });
    expect([...table.entries]).toEqual([1, 0, 0, 1, 0, 1, 1, 0, 1, 1, 1, 1, 1, 0, 1, 0, 1]);
    expect([...table.counts]).toEqual([6, 11]);
  });

  it('of equal weights in 17 entries', () => {
    const table = new MaglevTable({ keys: ports(90, 91), size: 17 });
    expect([...table.entries]).toEqual([1, 0, 0, 1, 0, 1, 1, 0, 0, 1, 0, 1, 0, 0, 1, 0, 1]);
  });

  it('of weights 8 and 2 in 17 entries', () => {
    // Localities of weight 8 and 2 with one endpoint each, in that test.
    const table = new MaglevTable({ keys: ports(90, 91), weights: [8, 2], size: 17 });
    expect([...table.entries]).toEqual([1, 0, 0, 0, 0, 0, 1, 0, 0, 1, 0, 1, 0, 0, 0, 0, 0]);
  });

  it('in its retries', () => {
    const table = new MaglevTable({ keys: ports(90, 91, 92, 93, 94, 95), size: 7 });
    expect([0, 1, 2].map((attempt) => table.lookupAttempt(0, 10, attempt))).toEqual([1, 0, 5]);
  });
});

describe('MaglevTable', () => {
  it('looks up the entry of the hash modulo the size', () => {
    const table = new MaglevTable({ keys: addresses(5), size: 251 });
    for (const hash of [0n, 250n, 251n, 2n ** 32n, 2n ** 63n + 12_345n, 2n ** 64n - 1n]) {
      const { hi, lo } = fromBigInt(hash);
      expect(table.lookup(hi, lo)).toBe(table.entries[Number(hash % 251n)]);
    }
  });

  it('retries with the hash xor 2^64 - attempt', () => {
    const table = new MaglevTable({ keys: addresses(50), size: 65_537 });
    for (const hash of [0n, 77n, 0xdead_beef_1234_5678n]) {
      for (const attempt of [1, 2, 3, 100]) {
        const other = fromBigInt(hash ^ BigInt.asUintN(64, -BigInt(attempt)));
        const { hi, lo } = fromBigInt(hash);
        expect(table.lookupAttempt(hi, lo, attempt)).toBe(table.lookup(other.hi, other.lo));
      }
    }
  });

  it('prefers the endpoints of the attempts, then whoever is left', () => {
    const table = new MaglevTable({ keys: addresses(30), size: 997 });
    const out = new Int32Array(40);
    for (let key = 0; key < 100; key++) {
      expect(table.preference(key, ~key, out)).toBe(30);
      expect(new Set(out.subarray(0, 30)).size).toBe(30);
      const attempts = Array.from({ length: 12 }, (_, attempt) =>
        table.lookupAttempt(key, ~key, attempt),
      );
      const distinct = [...new Set(attempts)];
      expect([...out.subarray(0, distinct.length)]).toEqual(distinct);
    }
  });

  it('fills a short list with as many as there is room for', () => {
    const table = new MaglevTable({ keys: addresses(30) });
    const all = new Int32Array(30);
    const three = new Int32Array(3);
    table.preference(1, 2, all);
    expect(table.preference(1, 2, three)).toBe(3);
    expect(three[0]).toBe(all[0]);
    expect(table.preference(1, 2, new Int32Array(0))).toBe(0);
  });

  it('lists only endpoints that own an entry', () => {
    const table = new MaglevTable({ keys: ports(1, 2), weights: [1_000, 1], size: 7 });
    const out = new Int32Array(2);
    const owners = new Set(table.entries);
    expect(table.preference(0, 0, out)).toBe(owners.size);
  });

  it('takes one endpoint, and as many as entries', () => {
    expect(new Set(new MaglevTable({ keys: ['a'], weights: [7], size: 17 }).entries)).toEqual(
      new Set([0]),
    );
    const full = new MaglevTable({ keys: addresses(13), size: 13 });
    expect([...full.entries].sort((a, b) => a - b)).toEqual([...Array(13).keys()]);
    expect(new Set(new MaglevTable({ keys: ['a', 'b'], size: 2 }).entries)).toEqual(
      new Set([0, 1]),
    );
  });

  it('has nobody to offer without endpoints', () => {
    const table = new MaglevTable({ keys: [] });
    expect(table.size).toBe(DEFAULT_MAGLEV_SIZE);
    expect(table.lookup(1, 2)).toBe(-1);
    expect(table.preference(1, 2, new Int32Array(2))).toBe(0);
  });

  it('uses two bytes an entry up to 65,535 endpoints', () => {
    expect(new MaglevTable({ keys: addresses(3) }).entries).toBeInstanceOf(Uint16Array);
    const keys = Array.from({ length: 65_536 }, (_, index) => `k${index}`);
    const wide = new MaglevTable({ keys, size: 65_537 });
    expect(wide.entries).toBeInstanceOf(Uint32Array);
    expect(Math.min(...wide.counts)).toBe(1);
  });

  it.each([
    [{ keys: ['a'], size: 8 }, 'size must be a prime between 2 and 5000011, got 8'],
    [{ keys: ['a'], size: 5_000_021 }, 'size must be a prime between 2 and 5000011, got 5000021'],
    [{ keys: ['a'], size: 1.5 }, 'size must be a prime'],
    [
      { keys: ['a', 'b', 'c'], size: 2 },
      'keys must be at most as many as the size of the table, 2, got 3',
    ],
    [{ keys: ['a', 'a'] }, 'keys must differ, got "a" twice'],
    [{ keys: [''] }, 'keys[0] must be a non-empty string'],
    [{ keys: ['a', 'b'], weights: [1] }, 'weights must have 2 entries, got 1'],
    [{ keys: ['a'], weights: [0] }, 'weights[0] must be above 0, got 0'],
  ])('refuses %j', (options, message) => {
    expect(() => new MaglevTable(options)).toThrow(RangeError);
    expect(() => new MaglevTable(options)).toThrow(message);
  });
});
