import { describe, expect, it } from 'vitest';
import { createEndpoint } from '../model/endpoint.ts';
import type { HealthState } from '../model/health-state.ts';
import { NO_SLOT, type PickContext } from '../model/pick-context.ts';
import { type AffinityCluster, pickWithAffinity } from './pick-with-affinity.ts';

/** What the policy picks here. */
const BY_POLICY = 9;

function clusterWith(
  state: HealthState | undefined,
  options: { panic?: boolean; weight?: number; metadata?: Record<string, string> } = {},
): AffinityCluster & { picks: PickContext[] } {
  const { panic = false, weight = 1, metadata = {} } = options;
  const picks: PickContext[] = [];
  return {
    picks,
    endpoint: () =>
      state === undefined
        ? undefined
        : createEndpoint({ address: '10.0.0.1:80', weight, metadata }),
    stateOf: () => state,
    isInPanic: () => panic,
    pick: (context = {}) => {
      picks.push(context);
      return BY_POLICY;
    },
  };
}

describe('pickWithAffinity', () => {
  it.each<{ state: HealthState | undefined; usual: boolean; inPanic: boolean; strict: boolean }>([
    { state: 'healthy', usual: true, inPanic: true, strict: true },
    { state: 'degraded', usual: true, inPanic: true, strict: true },
    { state: 'ejected', usual: false, inPanic: true, strict: true },
    { state: 'circuit-open', usual: false, inPanic: false, strict: false },
    { state: 'unhealthy', usual: false, inPanic: true, strict: true },
    { state: 'unchecked', usual: false, inPanic: true, strict: true },
    { state: 'draining', usual: false, inPanic: false, strict: true },
    { state: 'disabled', usual: false, inPanic: false, strict: false },
    { state: undefined, usual: false, inPanic: false, strict: false },
  ])('$state: kept $usual, in panic $inPanic, when strict $strict', (row) => {
    const { state, usual, inPanic, strict } = row;
    const slotFor = (kept: boolean): number => (kept ? 3 : BY_POLICY);
    const preference = { slot: 3, strict: false };
    expect(pickWithAffinity(clusterWith(state), preference)).toBe(slotFor(usual));
    expect(pickWithAffinity(clusterWith(state, { panic: true }), preference)).toBe(
      slotFor(inPanic),
    );
    expect(pickWithAffinity(clusterWith(state), { slot: 3, strict: true })).toBe(slotFor(strict));
  });

  it('asks the policy, and passes the context on, when there is no preference', () => {
    const cluster = clusterWith('healthy');
    const context = { hashKey: 'k' };
    expect(pickWithAffinity(cluster, { slot: NO_SLOT, strict: true }, context)).toBe(BY_POLICY);
    expect(cluster.picks).toEqual([context]);
  });

  it.each([false, true])(
    'leaves an endpoint that has failed the request (strict: %s)',
    (strict) => {
      const cluster = clusterWith('healthy');
      expect(pickWithAffinity(cluster, { slot: 3, strict }, { exclude: [1, 3] })).toBe(BY_POLICY);
      expect(pickWithAffinity(cluster, { slot: 3, strict }, { exclude: [1] })).toBe(3);
    },
  );

  it('leaves an endpoint outside of the subset', () => {
    const cluster = clusterWith('healthy', { metadata: { version: 'v1' } });
    const preference = { slot: 3, strict: true };
    expect(pickWithAffinity(cluster, preference, { subset: { version: 'v2' } })).toBe(BY_POLICY);
    expect(pickWithAffinity(cluster, preference, { subset: { version: 'v1' } })).toBe(3);
  });

  it('leaves an endpoint of weight 0 unless strict', () => {
    const cluster = clusterWith('healthy', { weight: 0 });
    expect(pickWithAffinity(cluster, { slot: 3, strict: false })).toBe(BY_POLICY);
    expect(pickWithAffinity(cluster, { slot: 3, strict: true })).toBe(3);
  });
});
