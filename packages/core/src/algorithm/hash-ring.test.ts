import { describe, expect, it } from 'vitest';
import { HashRing } from './hash-ring.ts';
import { MurmurHash2 } from './murmur2-64a.ts';
import {
  ENVOY_RING_BOUNDS,
  GRPC_RING_BOUNDS,
  grpcRingBounds,
  MAX_RING_SIZE,
} from './ring-sizing.ts';
import { addresses } from './test-support/cases.ts';
import { fromBigInt, toBigInt } from './uint64.ts';
import { xxhash64 } from './xxhash64.ts';

const ports = (...numbers: number[]): string[] => numbers.map((port) => `127.0.0.1:${port}`);
const envoy = (minSize: number, maxSize = MAX_RING_SIZE) =>
  ({ kind: 'bounded', minSize, maxSize }) as const;

/** The ring as lines of key and position. */
function table(ring: HashRing, keys: readonly string[]): string[] {
  return Array.from({ length: ring.size }, (_, index) => {
    const point = ring.pointAt(index);
    return `${keys[point.endpoint]} ${toBigInt(point)}`;
  });
}

function at(ring: HashRing, position: bigint, attempt = 0): number {
  const { hi, lo } = fromBigInt(position);
  return ring.lookupAttempt(hi, lo, attempt);
}

// The expected rings are stated in comments of Envoy's ring_hash_lb_test.cc.
describe('HashRing equals the rings of Envoy', () => {
  const keys = ports(90, 91, 92, 93, 94, 95);

  it('with XXH64 of addresses', () => {
    expect(table(new HashRing({ keys, sizing: envoy(12) }), keys)).toEqual([
      '127.0.0.1:94 833437586790550860',
      '127.0.0.1:92 928266305478181108',
      '127.0.0.1:90 1033482794131418490',
      '127.0.0.1:95 3551244743356806947',
      '127.0.0.1:93 3851675632748031481',
      '127.0.0.1:91 5583722120771150861',
      '127.0.0.1:91 6311230543546372928',
      '127.0.0.1:93 7700377290971790572',
      '127.0.0.1:95 13144177310400110813',
      '127.0.0.1:92 13444792449719432967',
      '127.0.0.1:94 15516499411664133160',
      '127.0.0.1:90 16117243373044804889',
    ]);
  });

  it('with XXH64 of names', () => {
    const names = ['90', '91', '92', '93', '94', '95'];
    const ring = table(new HashRing({ keys: names, sizing: envoy(12) }), names);
    expect(ring.slice(0, 3)).toEqual([
      '95 1975508444536362413',
      '95 2376063919839173711',
      '93 2386806903309390596',
    ]);
    expect(ring.slice(-2)).toEqual(['91 14338313586354474791', '94 15364271037087512980']);
  });

  it('with MurmurHash2', () => {
    const murmurKeys = ports(80, 81, 82, 83, 84, 85);
    const ring = new HashRing({ keys: murmurKeys, sizing: envoy(12), hasher: new MurmurHash2() });
    const lines = table(ring, murmurKeys);
    expect(lines.slice(0, 2)).toEqual([
      '127.0.0.1:85 1358027074129602068',
      '127.0.0.1:83 4361834613929391114',
    ]);
    expect(lines.at(-1)).toBe('127.0.0.1:80 17613279263364193813');
  });

  it('in its lookups and retries', () => {
    const ring = new HashRing({ keys, sizing: envoy(12) });
    expect(at(ring, 0n)).toBe(4);
    expect(at(ring, 2n ** 64n - 1n)).toBe(4);
    expect(at(ring, 3_551_244_743_356_806_947n)).toBe(5);
    expect(at(ring, 3_551_244_743_356_806_948n)).toBe(3);
    expect(at(ring, 16_117_243_373_044_804_880n)).toBe(0);
    expect(at(ring, 0n, 1)).toBe(2);
    expect(at(ring, 0n, 2)).toBe(0);
    expect(at(ring, 0n, 13)).toBe(2); // once round and one further
  });

  it('when the bounds do not divide evenly', () => {
    // Two endpoints and a minimum of 3: two points each.
    const uneven = new HashRing({ keys: ports(80, 81), sizing: envoy(3) });
    expect([...uneven.counts]).toEqual([2, 2]);
    expect(toBigInt(uneven.pointAt(0))).toBe(5_454_692_015_285_649_509n);
    // Four endpoints and exactly 6 points: 1.5 each, rounded along the way.
    const fractions = new HashRing({ keys: ports(90, 91, 92, 93), sizing: envoy(6, 6) });
    expect([...fractions.counts]).toEqual([2, 1, 2, 1]);
  });

  it('with weights', () => {
    const ring = new HashRing({ keys: ports(90, 91, 92), weights: [1, 2, 3], sizing: envoy(6, 6) });
    expect([...ring.counts]).toEqual([1, 2, 3]);
    const owners: readonly (readonly [bigint, number])[] = [
      [928_266_305_478_181_108n, 2],
      [4_443_673_547_860_492_590n, 2],
      [5_583_722_120_771_150_861n, 1],
      [6_311_230_543_546_372_928n, 1],
      [13_444_792_449_719_432_967n, 2],
      [16_117_243_373_044_804_889n, 0],
    ];
    for (const [position, endpoint] of owners) expect(at(ring, position)).toBe(endpoint);
  });
});

describe('HashRing sizing', () => {
  it('keeps the bounds of Envoy and gRPC by default weights', () => {
    const keys = addresses(100);
    expect(new HashRing({ keys, sizing: { kind: 'bounded', ...ENVOY_RING_BOUNDS } }).size).toBe(
      1_100,
    );
    expect(new HashRing({ keys, sizing: { kind: 'bounded', ...GRPC_RING_BOUNDS } }).size).toBe(
      1_100,
    );
    const many = addresses(5_000);
    expect(
      new HashRing({ keys: many, sizing: { kind: 'bounded', ...GRPC_RING_BOUNDS } }).size,
    ).toBe(4_096);
  });

  it('clamps what gRPC configures to the cap of the client (A42)', () => {
    expect(grpcRingBounds({ minSize: 1_024, maxSize: MAX_RING_SIZE })).toEqual(GRPC_RING_BOUNDS);
    expect(grpcRingBounds({ minSize: 100_000, maxSize: MAX_RING_SIZE })).toEqual({
      minSize: 4_096,
      maxSize: 4_096,
    });
    expect(grpcRingBounds({ minSize: 10, maxSize: 20 })).toEqual({ minSize: 10, maxSize: 20 });
    expect(() => grpcRingBounds({ minSize: 20, maxSize: 10 })).toThrow(
      'minSize must be between 1 and 10, got 20',
    );
  });

  it('gives an endpoint its points whoever else is there', () => {
    const sizing = { kind: 'stable', pointsPerWeight: 10 } as const;
    const keys = addresses(4);
    expect([...new HashRing({ keys, weights: [1, 2, 0.25, 0.01], sizing }).counts]).toEqual([
      10, 20, 3, 1,
    ]);
    expect([...new HashRing({ keys: [keys[2]!], weights: [0.25], sizing }).counts]).toEqual([3]);
    expect(new HashRing({ keys }).size).toBe(640);
  });

  it('names points by all their digits', () => {
    const ring = new HashRing({ keys: ['k'], sizing: { kind: 'stable', pointsPerWeight: 12_345 } });
    const positions = new Set(
      Array.from({ length: ring.size }, (_, at) => toBigInt(ring.pointAt(at))),
    );
    expect(positions.size).toBe(12_345);
    for (const index of [0, 9, 10, 99, 100, 9_999, 10_000, 12_344]) {
      expect(positions.has(xxhash64(`k_${index}`))).toBe(true);
    }
  });

  it.each([
    [
      { keys: ['a'], sizing: { kind: 'bounded', minSize: 0, maxSize: 10 } },
      'minSize must be between 1 and 10, got 0',
    ],
    [
      { keys: ['a'], sizing: { kind: 'bounded', minSize: 1, maxSize: 8_388_609 } },
      'maxSize must be between 1 and 8388608, got 8388609',
    ],
    [
      { keys: ['a'], sizing: { kind: 'stable', pointsPerWeight: 0 } },
      'pointsPerWeight must be above 0',
    ],
    [
      { keys: ['a', 'b'], weights: [60_000, 1] },
      'ring size must be at most 8388608 points, got 9600160',
    ],
    [{ keys: ['a', 'a'] }, 'keys must differ'],
    [{ keys: ['a'], weights: [-1] }, 'weights[0] must be above 0, got -1'],
  ] as const)('refuses %j', (options, message) => {
    expect(() => new HashRing(options)).toThrow(RangeError);
    expect(() => new HashRing(options)).toThrow(message);
  });

  it('is empty without endpoints', () => {
    const ring = new HashRing({ keys: [] });
    expect(ring.lookup(1, 2)).toBe(-1);
    expect(ring.preference(1, 2, new Int32Array(3))).toBe(0);
    expect(new HashRing({ keys: [], sizing: envoy(1024) }).size).toBe(0);
  });
});
