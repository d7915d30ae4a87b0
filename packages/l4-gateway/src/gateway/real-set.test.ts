import { type ClusterSnapshot, createCluster, type HealthState } from '@evenkeel/core';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Real } from '../forwarder/vip.ts';
import { type PlainReal, RealSet } from './real-set.ts';

const DRAIN_MS = 1_000;
const complete = ({ address, weight, down = false }: PlainReal): Real => ({
  address,
  weight,
  down,
});
const active = (address: string): Real => ({ address, weight: 1, down: false });

describe('RealSet', () => {
  let all: ClusterSnapshot;

  beforeAll(async () => {
    const cluster = createCluster({
      name: 'web',
      policy: 'random',
      outlierDetection: false,
      discovery: ['10.0.0.1:80', '10.0.0.2:80', '10.0.0.3:80'] as never,
    });
    await cluster.ready();
    all = cluster.snapshot();
    await cluster.close();
  });

  /** The three endpoints in other states; a dash leaves one out. */
  const snapshot = (...states: readonly (HealthState | '-')[]): ClusterSnapshot => {
    const endpoints = all.endpoints.flatMap((endpoint, index) => {
      const state = states[index] ?? 'healthy';
      return state === '-' ? [] : [{ ...endpoint, state, eligible: state === 'healthy' }];
    });
    const healthyCount = endpoints.filter(({ state }) => state === 'healthy').length;
    return { ...all, endpoints, healthyCount };
  };
  const hear = (set: RealSet, heard: ClusterSnapshot, nowMs = 0): readonly Real[] => {
    expect(set.hear(heard, nowMs)).toBe(true);
    const wanted = set.wanted(complete);
    set.note(wanted);
    return wanted;
  };
  const create = (told: readonly Real[] = []): RealSet =>
    new RealSet({ drainTimeoutMs: DRAIN_MS, told });

  it('tells all that are healthy', () => {
    const set = create();
    expect(set.isReady).toBe(false);
    expect(hear(set, snapshot())).toEqual(['10.0.0.1', '10.0.0.2', '10.0.0.3'].map(active));
    expect(set.isReady).toBe(true);
  });

  it('keeps whom it told of, and calls those that fail down', () => {
    const set = create();
    hear(set, snapshot());
    const wanted = hear(set, snapshot('healthy', 'unhealthy', 'disabled'));
    expect(wanted).toEqual([
      active('10.0.0.1'),
      { address: '10.0.0.2', weight: 0, down: true },
      { address: '10.0.0.3', weight: 0, down: false },
    ]);
  });

  it('says nothing of those that never had a flow', () => {
    expect(hear(create(), snapshot('healthy', 'unhealthy', 'disabled'))).toEqual([
      active('10.0.0.1'),
    ]);
  });

  it('lets those that left keep their flows for a time', () => {
    const set = create();
    hear(set, snapshot());
    const leaving = { address: '10.0.0.3', weight: 0, down: false };
    expect(hear(set, snapshot('healthy', 'healthy', '-'), 10)).toContainEqual(leaving);
    expect(set.reals.at(-1)).toMatchObject({ state: 'gone', drainsUntilMs: 10 + DRAIN_MS });
    expect(hear(set, snapshot('healthy', 'healthy', '-'), 9 + DRAIN_MS)).toContainEqual(leaving);
    expect(hear(set, snapshot('healthy', 'healthy', '-'), 10 + DRAIN_MS)).toEqual(
      ['10.0.0.1', '10.0.0.2'].map(active),
    );
  });

  it('takes one back that was leaving', () => {
    const set = create();
    hear(set, snapshot());
    hear(set, snapshot('healthy', 'healthy', '-'));
    expect(hear(set, snapshot())).toContainEqual(active('10.0.0.3'));
    expect(set.reals).toHaveLength(3);
  });

  it('waits at first until all have been checked, but not for ever', () => {
    const set = create([active('10.0.0.1')]);
    expect(set.hear(snapshot('healthy', 'unchecked'), 0)).toBe(false);
    expect(set.hear(snapshot('healthy', 'unchecked'), 2_999)).toBe(false);
    expect(set.isReady).toBe(false);
    expect(hear(set, snapshot('healthy', 'unchecked'), 3_000)).toContainEqual(active('10.0.0.1'));
    // Whoever joins later does not make it wait again.
    expect(set.hear(snapshot('healthy', 'unchecked', 'unchecked'), 3_001)).toBe(true);
  });

  it('does not listen while state and publication contradict each other', () => {
    const set = create();
    expect(set.hear({ ...snapshot(), healthyCount: 1 }, 0)).toBe(false);
    expect(set.isBehind).toBe(true);
    expect(set.hear(snapshot(), 0)).toBe(true);
    expect(set.isBehind).toBe(false);
  });

  it('keeps what it has until its cluster is ready', () => {
    const set = create([active('10.0.0.9')]);
    expect(set.hear({ ...snapshot(), ready: false }, 0)).toBe(false);
    expect(set.told).toEqual([active('10.0.0.9')]);
  });

  it('leaves out whom packets cannot be sent to', () => {
    const set = create();
    set.hear(snapshot(), 0);
    const wanted = set.wanted((real) => (real.address === '10.0.0.2' ? undefined : complete(real)));
    expect(wanted.map(({ address }) => address)).toEqual(['10.0.0.1', '10.0.0.3']);
  });
});
