import { describe, expect, it } from 'vitest';
import * as algorithm from './index.ts';

describe('the entry point @evenkeel/core/algorithm', () => {
  it('exports exactly what is listed here: additions are decisions', () => {
    expect(Object.keys(algorithm).sort()).toEqual([
      'AliasTable',
      'Backoff',
      'BoundedLoad',
      'DEFAULT_FAILURE_PENALTY_MS',
      'DEFAULT_MAGLEV_SIZE',
      'DEFAULT_POINTS_PER_WEIGHT',
      'ENVOY_MURMUR_SEED',
      'ENVOY_RING_BOUNDS',
      'EdfScheduler',
      'Ewma',
      'FAILURE_RETENTION_RATIO',
      'GRPC_RING_BOUNDS',
      'HashRing',
      'Ketama',
      'MAX_MAGLEV_SIZE',
      'MAX_ONE_DRAW',
      'MAX_RING_SIZE',
      'MIN_BALANCE_FACTOR_PERCENT',
      'MaglevTable',
      'Modulus',
      'MurmurHash2',
      'Rendezvous',
      'SlidingWindow',
      'SmoothWeightedRoundRobin',
      'TokenBucket',
      'XxHash64',
      'afterFailure',
      'apertureArc',
      'decay',
      'ewmaStep',
      'expectedLatencyMs',
      'failurePenaltyMs',
      'firstOfTwo',
      'grpcRingBounds',
      'isPrime',
      'jumpHash',
      'meanPendingAgeMs',
      'murmurHash2',
      'nextPrime',
      'otherIndex',
      'peakEwmaCost',
      'peakEwmaStep',
      'recovered',
      'secondOfTwo',
      'slotsOf',
      'toBigInt',
      'totalSlots',
      'uniformBelow',
      'uniformPositive',
      'uniformUnit',
      'uniformUnit53',
      'vanDerCorput',
      'xxhash64',
    ]);
  });

  it('runs the example of its header', () => {
    const { MaglevTable, XxHash64 } = algorithm;
    const table = new MaglevTable({ keys: ['10.0.0.1:80', '10.0.0.2:80', '10.0.0.3:80'] });
    const hasher = new XxHash64();
    hasher.hashString('user-42');
    expect([0, 1, 2]).toContain(table.lookup(hasher.hi, hasher.lo));
  });
});
