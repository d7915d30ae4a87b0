import { describe, expect, it } from 'vitest';
import { encodeValue } from '../codec/codec.ts';
import { u32, u64 } from '../codec/number.ts';
import type { MapSpec } from '../spec/spec.ts';
import { assertMatches, type MapInfo } from './map-handle.ts';
import { perCpu } from './per-cpu-map.ts';
import { countCpus } from './possible-cpus.ts';

describe('possible CPUs', () => {
  it.each([
    ['0', 1],
    ['0-3', 4],
    ['0-1,4-7\n', 8],
    ['0,2', 3],
  ])('%j has room for %i', (list, count) => expect(countCpus(list)).toBe(count));

  it('refuses what is no list', () => expect(() => countCpus('all')).toThrow('not a list of CPUs'));
});

describe('per-CPU values', () => {
  it('lie in slots of a multiple of 8 bytes', () => {
    const codec = perCpu(u32, 3);
    expect(codec.bytes).toBe(24);
    expect(new Uint32Array(encodeValue(codec, [1, 2, 3]).buffer)).toEqual(
      Uint32Array.of(1, 0, 2, 0, 3, 0),
    );
    expect(() => encodeValue(codec, [1])).toThrow('one value for each of 3 CPUs, got 1');
  });
});

describe('a map that exists already', () => {
  const spec: MapSpec = {
    name: 'flows',
    type: 'hash',
    key: u32,
    value: u64,
    maxEntries: 10,
    flags: 1,
  };
  const info: MapInfo = {
    id: 7,
    type: 'hash',
    name: 'flows',
    keyBytes: 4,
    valueBytes: 8,
    maxEntries: 10,
    flags: 1,
  };

  it('is taken when it is the same', () => {
    expect(() => assertMatches(spec, info)).not.toThrow();
    // Flags that say nothing about layout or memory are the kernel's own affair.
    expect(() => assertMatches(spec, { ...info, flags: 1 | 128 })).not.toThrow();
  });

  it('is refused with every difference named', () => {
    const other = { ...info, keyBytes: 8, maxEntries: 20, flags: 0 };
    expect(() => assertMatches(spec, other)).toThrow(
      'the existing map "flows" (id 7) is not "flows": key size 8 instead of 4, max entries 20 instead of 10, flags 0 instead of 1',
    );
  });
});
