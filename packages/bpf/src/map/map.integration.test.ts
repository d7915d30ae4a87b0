/** Every kind of map against the real kernel. */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { requireComponent } from '../../../../test/support/require-component.ts';
import {
  be16,
  be32,
  type BpfMap,
  createMap,
  isBpfError,
  loadObject,
  MAP_FLAG,
  type MapSpec,
  MappedArray,
  openKernel,
  type PerCpuMap,
  possibleCpus,
  sumOf,
  u32,
  u64,
} from '../index.ts';
import { assertMatches } from './map-handle.ts';
import { type Address, type Backend, basic } from '../object/test-support/generated/basic.ts';

const { path } = requireComponent('bpf');

const spec = <T extends MapSpec['type']>(
  type: T,
  maxEntries: number,
  flags = 0,
): MapSpec<T, number, bigint> => ({
  name: `test_${type}`,
  type,
  key: u32,
  value: u64,
  maxEntries,
  flags,
});

const codeOf = (action: () => unknown): string => {
  try {
    action();
  } catch (error) {
    if (isBpfError(error)) return error.code;
    throw error;
  }
  return 'nothing was thrown';
};

/** Makes a map for one test and closes it, also when the test fails. */
function withMap<S extends MapSpec, R>(of: S, use: (map: ReturnType<typeof createMap<S>>) => R): R {
  const map = createMap(of);
  try {
    return use(map);
  } finally {
    (map as { close(): void }).close();
  }
}

const numbers = (count: number): [number, bigint][] =>
  Array.from({ length: count }, (_, index) => [index, BigInt(index) * 3n]);

describe.skipIf(path === undefined)('hash maps', () => {
  it('reads, writes and removes', () =>
    withMap(spec('hash', 10), (map) => {
      expect(map.lookup(1)).toBeUndefined();
      map.update(1, 2n ** 64n - 1n);
      expect(map.lookup(1)).toBe(2n ** 64n - 1n);
      expect(map.delete(1)).toBe(true);
      expect(map.delete(1)).toBe(false);
    }));

  it('keeps to the mode of an update', () =>
    withMap(spec('hash', 10), (map) => {
      expect(codeOf(() => map.update(1, 1n, 'replace'))).toBe('EVENKEEL_BPF_NOT_FOUND');
      map.update(1, 1n, 'create');
      expect(codeOf(() => map.update(1, 2n, 'create'))).toBe('EVENKEEL_BPF_EXISTS');
      map.update(1, 2n, 'replace');
      expect(map.lookup(1)).toBe(2n);
    }));

  it('says that it is full', () =>
    withMap(spec('hash', 3), (map) => {
      map.updateMany(numbers(3));
      expect(() => map.update(3, 1n)).toThrow(
        'writing to map "test_hash": E2BIG - it is full: 3 entries',
      );
      expect(codeOf(() => map.updateMany([[4, 1n]]))).toBe('EVENKEEL_BPF_LIMIT');
    }));

  it('takes an entry out in one step', () =>
    withMap(spec('hash', 3), (map) => {
      map.update(1, 5n);
      expect(map.take(1)).toBe(5n);
      expect(map.take(1)).toBeUndefined();
    }));

  it('reads and writes more entries than fit a batch', () =>
    withMap(spec('hash', 20_000), (map) => {
      const entries = numbers(10_000);
      map.updateMany(entries);
      expect(new Map(map.entries())).toEqual(new Map(entries));
      expect(new Set(map.keys())).toEqual(new Set(entries.map(([key]) => key)));
      expect(new Map(map.takeAll())).toEqual(new Map(entries));
      expect([...map.entries()]).toEqual([]);
    }));

  it('removes many at once, whether they are there or not', () =>
    withMap(spec('hash', 20_000), (map) => {
      map.updateMany(numbers(10_000));
      // Every second of the first 6,000; in between as many that are not there.
      const keys = Array.from({ length: 6_000 }, (_, index) =>
        index % 2 === 0 ? index : index + 50_000,
      );
      map.deleteMany(keys);
      const left = new Set(map.keys());
      expect(left.size).toBe(7_000);
      expect([left.has(0), left.has(1), left.has(5_998), left.has(6_000)]).toEqual([
        false,
        true,
        false,
        true,
      ]);
      map.deleteMany([]);
    }));

  it('removes nothing from an array', () =>
    withMap(spec('array', 4), (map) => {
      expect(codeOf(() => map.deleteMany([1]))).toBe('EVENKEEL_BPF_ARGUMENT');
    }));

  it('allows other calls while it is walked', () =>
    withMap(spec('hash', 100), (map) => {
      map.updateMany(numbers(50));
      const seen = new Set<number>();
      for (const key of map.keys()) {
        seen.add(key);
        map.lookup(99);
        map.update(1, 1n);
      }
      expect(seen.size).toBe(50);
    }));

  it('ends a walk whose entries are removed on the way', () =>
    withMap(spec('hash', 100), (map) => {
      map.updateMany(numbers(100));
      for (const key of map.keys()) map.delete(key);
      expect([...map.entries()].length).toBeLessThan(100);
    }));

  it('finds keys with padding, whatever was in memory before', () => {
    const object = loadObject(basic);
    const { backends } = object.maps;
    const key: Address = { ip4: 0x0a00_0001, port: 80, protocol: 6 };
    const value: Backend = {
      address: key,
      mac: new Uint8Array(6).fill(7),
      weight: -3,
      packets: 2n ** 40n,
      verdict: 2,
      enabled: true,
    };
    for (let port = 0; port < 50; port += 1)
      backends.update({ ...key, port }, { ...value, packets: BigInt(port) });
    backends.update(key, value);
    expect(backends.lookup(key)).toEqual(value);
    expect(backends.lookup({ ...key, port: 7 })?.packets).toBe(7n);
    expect([...backends.keys()]).toHaveLength(51);
    object.close();
  });
});

describe.skipIf(path === undefined)('arrays', () => {
  it('have all entries from the start', () =>
    withMap(spec('array', 4), (map) => {
      expect(map.lookup(3)).toBe(0n);
      map.updateMany(numbers(4));
      expect([...map.entries()]).toEqual(numbers(4));
      expect(map.lookup(4)).toBeUndefined();
      expect(() => map.update(4, 1n)).toThrow('the index is beyond its 4 entries');
      expect(codeOf(() => map.takeAll())).toBe('EVENKEEL_BPF_UNSUPPORTED');
      expect(codeOf(() => map.publish(1, 1n))).toBe('EVENKEEL_BPF_ARGUMENT');
    }));

  it('can be frozen', () =>
    withMap(spec('array', 1), (map) => {
      map.freeze();
      expect(map.lookup(0)).toBe(0n);
      expect(codeOf(() => map.update(0, 1n))).toBe('EVENKEEL_BPF_PERMISSION');
    }));

  it('are memory when they are mapped', () => {
    const kernel = openKernel();
    const of: MapSpec<'array', number, number> = {
      ...{ name: 'mapped', type: 'array', key: u32, value: u32 },
      maxEntries: 3_000,
      flags: MAP_FLAG.MMAPABLE,
    };
    withMap(of, (map: BpfMap<number, number>) => {
      const mapped = new MappedArray<number>(kernel, of, map.fd);
      map.update(2_999, 5);
      expect(mapped.get(2_999)).toBe(5);
      mapped.set(1, 9);
      expect(map.lookup(1)).toBe(9);
      expect(() => mapped.get(3_000)).toThrow('indexes 0 to 2999');
      const view = new Uint32Array(mapped.memory);
      expect(view[mapped.stride / 4]).toBe(9);
      mapped.close();
      mapped.close();
      // The views are cut off: a late access finds nothing, instead of memory that is gone.
      expect(view.length).toBe(0);
      expect(codeOf(() => mapped.get(1))).toBe('EVENKEEL_BPF_CLOSED');
    });
    withMap(spec('array', 3), (map) => {
      expect(() => new MappedArray(kernel, spec('array', 3), map.fd)).toThrow('BPF_F_MMAPABLE');
    });
  });
});

describe.skipIf(path === undefined)('other kinds', () => {
  it('per CPU: a value for every CPU', () =>
    withMap(spec('percpu-array', 2), (map: PerCpuMap<number, bigint>) => {
      const values = Array.from({ length: possibleCpus() }, (_, cpu) => BigInt(cpu + 1));
      map.update(1, values);
      expect(map.lookup(1)).toEqual(values);
      expect(sumOf(map, 1)).toBe(values.reduce((sum, value) => sum + value));
      expect([...map.entries()]).toEqual([
        [0, values.map(() => 0n)],
        [1, values],
      ]);
      expect(() => map.update(1, [])).toThrow(`one value for each of ${possibleCpus()} CPUs`);
    }));

  it('LRU: never full', () =>
    withMap(spec('lru-hash', 64), (map) => {
      map.updateMany(numbers(1_000));
      const left = [...map.keys()].length;
      expect(left).toBeGreaterThan(0);
      expect(left).toBeLessThanOrEqual(64);
    }));

  it('LRU with lists per CPU: rounded up, and still the same map', () => {
    const of = spec('lru-hash', 101, MAP_FLAG.NO_COMMON_LRU);
    withMap(of, (map) => expect(() => assertMatches(of, map.info())).not.toThrow());
  });

  it('says that it was closed in the middle of a walk', () => {
    const map = createMap(spec('hash', 10));
    map.updateMany(numbers(3));
    const walk = map.keys();
    walk.next();
    map.close();
    expect(codeOf(() => walk.next())).toBe('EVENKEEL_BPF_CLOSED');
    expect(codeOf(() => map.updateMany(numbers(3)))).toBe('EVENKEEL_BPF_CLOSED');
  });

  it('longest prefix: the narrowest wins', () => {
    const prefix = { ...be32, bytes: 8, type: 'prefix' };
    const key = {
      ...prefix,
      encode: (value: { bits: number; ip4: number }, view: DataView, offset: number) => {
        u32.encode(value.bits, view, offset);
        be32.encode(value.ip4, view, offset + 4);
      },
      decode: (view: DataView, offset: number) => ({
        bits: u32.decode(view, offset),
        ip4: be32.decode(view, offset + 4),
      }),
    };
    const of: MapSpec<'lpm-trie', { bits: number; ip4: number }, number> = {
      ...{ name: 'routes', type: 'lpm-trie', key, value: be16, maxEntries: 8 },
      flags: MAP_FLAG.NO_PREALLOC,
    };
    withMap(of, (map: BpfMap<{ bits: number; ip4: number }, number>) => {
      map.update({ bits: 8, ip4: 0x0a00_0000 }, 1);
      map.update({ bits: 24, ip4: 0x0a00_0100 }, 2);
      expect(map.lookup({ bits: 32, ip4: 0x0a00_0105 })).toBe(2);
      expect(map.lookup({ bits: 32, ip4: 0x0a01_0105 })).toBe(1);
      expect(map.lookup({ bits: 32, ip4: 0x0b00_0000 })).toBeUndefined();
    });
  });

  it('queue: first in, first out, until full', () => {
    const object = loadObject(basic);
    const { waiting } = object.maps;
    expect(waiting.pop()).toBeUndefined();
    [5, 6, 7].forEach((value) => waiting.push(value));
    expect(codeOf(() => waiting.push(8))).toBe('EVENKEEL_BPF_LIMIT');
    expect([waiting.peek(), waiting.pop(), waiting.pop(), waiting.pop()]).toEqual([5, 5, 6, 7]);
    object.close();
  });

  it('map of maps: filled first, then put in place', () => {
    const object = loadObject(basic);
    const { services } = object.maps;
    const run = (): bigint => {
      object.globals.bss.set('seen', 0n);
      object.programs.countPackets.testRun({ data: new Uint8Array(64) });
      return object.globals.bss.get('seen');
    };
    expect(run()).toBe(0n);
    services.replace(7, (inner) => inner.updateMany(numbers(8)));
    expect(run()).toBe(9n);
    services.replace(7, (inner) => inner.update(3, 100n));
    expect(run()).toBe(100n);
    const inner = services.get(7);
    expect(inner?.lookup(3)).toBe(100n);
    inner?.close();
    expect([...services.keys()]).toEqual([7]);
    expect(services.delete(7)).toBe(true);
    expect(services.get(7)).toBeUndefined();
    expect(run()).toBe(0n);
    object.close();
  });

  it('refuses what the kernel does not know, and says so', () => {
    expect(codeOf(() => createMap(spec('hash', 0)))).toBe('EVENKEEL_BPF_ARGUMENT');
    expect(() => createMap(spec('hash', 0))).toThrow(
      'creating map "test_hash" (hash, 0 entries of 4 + 8 bytes): EINVAL',
    );
  });
});

describe.skipIf(path === undefined)('publication of a whole table', () => {
  const object = path === undefined ? undefined : loadObject(basic);
  afterAll(() => object?.close());
  beforeAll(() => object?.maps.tables.publish(1, { slots: new Uint32Array(65_537).fill(0) }));

  it('is seen whole by programs', () => {
    const { maps, programs } = object!;
    for (let round = 1; round <= 20; round += 1) {
      maps.tables.publish(1, { slots: new Uint32Array(65_537).fill(round) });
      expect(programs.checkTable.testRun({ data: new Uint8Array(64) }).verdict).toBe(2);
    }
    expect(maps.tables.lookup(1)?.slots[65_536]).toBe(20);
  });

  it('is never seen half done, while another thread runs the program all the time', async () => {
    const { maps, programs, globals } = object!;
    const stop = new Int32Array(new SharedArrayBuffer(4));
    const worker = new Worker(new URL('../object/test-support/run-until.ts', import.meta.url), {
      workerData: { fd: programs.checkTable.fd, stop },
      execArgv: ['--conditions=@evenkeel/source'],
    });
    await once(worker, 'message');
    const start = globals.bss.get('compared');
    const tables = [1, 2].map((value) => ({ slots: new Uint32Array(65_537).fill(value) }));
    let published = 0;
    // Often enough for both sides to have met: an array, overwritten in place, is caught in one of four comparisons.
    while (published < 2_000 || globals.bss.get('compared') - start < 200_000n) {
      maps.tables.publish(1, tables[published % 2]!);
      published += 1;
    }
    Atomics.store(stop, 0, 1);
    await once(worker, 'exit');
    expect(globals.bss.get('torn')).toBe(0n);
  });

  it('refuses a table of another size', () => {
    expect(() => object!.maps.tables.publish(1, { slots: new Uint32Array(3) })).toThrow(
      'table.slots: u32[65537]: expected 65537 elements, got 3',
    );
  });
});
