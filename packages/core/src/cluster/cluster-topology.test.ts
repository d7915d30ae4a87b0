import { describe, expect, it } from 'vitest';
import { NO_SLOT, type PickContext } from '../model/pick-context.ts';
import type { TopologyOptions } from '../topology/config.ts';
import { clusterBench, type ClusterBench } from './test-support/cluster-bench.ts';

/** Percent of many picks by slot. */
function traffic({ cluster }: ClusterBench, context: PickContext = {}, picks = 4_000): number[] {
  const counts: number[] = [];
  for (let pick = 0; pick < picks; pick++) {
    const slot = cluster.pick(context, 0);
    counts[slot] = (counts[slot] ?? 0) + 1;
  }
  return Array.from({ length: counts.length }, (_, slot) =>
    Math.round((100 * (counts[slot] ?? 0)) / picks),
  );
}

const idOf = (slot: number): string => `10.0.0.${slot}:80`;
const ids = (count: number, first = 0): string[] =>
  Array.from({ length: count }, (_, index) => idOf(first + index));

describe('degraded endpoints', () => {
  it('are spared as long as the healthy ones can take everything', () => {
    const bench = clusterBench();
    bench.deliver(...ids(4));
    bench.check(3, true, true);
    expect(traffic(bench)[3] ?? 0).toBe(0);
    expect(bench.cluster.snapshot()).toMatchObject({ healthyCount: 3, eligibleCount: 4 });
    expect(bench.cluster.snapshot().endpoints[3]).toMatchObject({
      state: 'degraded',
      eligible: true,
      reason: 'checked',
    });
    // 2 of 4 healthy: 70 percent for them.
    bench.cluster.setDegraded(idOf(2), true);
    const [a = 0, b = 0, c = 0, d = 0] = traffic(bench);
    expect(Math.abs(a + b - 70)).toBeLessThan(5);
    expect(Math.abs(c + d - 30)).toBeLessThan(5);
  });

  it('stay so until both their check and the operator are content', () => {
    const bench = clusterBench();
    bench.deliver(...ids(2));
    bench.check(0, true, true);
    bench.cluster.setDegraded(idOf(0), true);
    const state = (): string | undefined => bench.cluster.snapshot().endpoints[0]?.state;
    bench.check(0, true, false);
    expect(state()).toBe('degraded');
    bench.cluster.setDegraded(idOf(0), false);
    expect(state()).toBe('healthy');
    expect(bench.events.filter(({ type }) => type === 'health-changed')).toMatchObject([
      { from: 'healthy', to: 'degraded' },
      { from: 'degraded', to: 'healthy' },
    ]);
  });

  it('keep the reason of what is worse', () => {
    const bench = clusterBench();
    bench.deliver(...ids(3));
    bench.eject(0);
    bench.cluster.setDegraded(idOf(0), true);
    expect(bench.cluster.snapshot().endpoints[0]).toMatchObject({
      state: 'ejected',
      reason: 'because',
    });
  });

  it('get their trial after an ejection like others', () => {
    const bench = clusterBench();
    bench.deliver(...ids(3));
    bench.cluster.setDegraded(idOf(0), true);
    bench.eject(0);
    bench.detector.trialSlot = 0;
    expect(bench.cluster.pick()).toBe(0);
  });
});

describe('panic', () => {
  it('is told by group', () => {
    const bench = clusterBench();
    bench.deliver(...ids(2), ...ids(2, 2).map((address) => ({ address, priority: 1 })));
    for (const slot of [0, 1, 2]) bench.eject(slot);
    // Level 0 has nobody and level 1 half: 70 percent in all, so level 0 panics, but gets nothing.
    expect(bench.cluster.snapshot().panic).toBe(false);
    bench.eject(3);
    expect(bench.events.filter(({ type }) => type === 'panic-entered')).toMatchObject([
      { group: 'priority 0', healthyCount: 0, totalCount: 2 },
      { group: 'priority 1', healthyCount: 0, totalCount: 2 },
    ]);
    expect(traffic(bench).every((percent) => percent > 0)).toBe(true);
    bench.detector.listener.onReturn(0, 'time');
    bench.detector.listener.onReturn(1, 'time');
    bench.runtime.scheduler.advance(0);
    expect(bench.events.filter(({ type }) => type === 'panic-left')).toMatchObject([
      { group: 'priority 0', healthyCount: 2, totalCount: 2 },
      { group: 'priority 1', healthyCount: 0, totalCount: 2 },
    ]);
  });
});

describe('slow start', () => {
  const topology = { slowStart: { windowMs: 10_000 } };
  /** A newcomer's part of what an old endpoint gets. */
  const partOf = (bench: ClusterBench, slot: number): number => {
    const percent = traffic(bench, {}, 20_000);
    return (percent[slot] ?? 0) / (percent[0] ?? 1);
  };

  it.each(['random', 'round-robin', 'weighted-round-robin', 'least-request', 'peak-ewma'])(
    'lets a newcomer grow under %s',
    (policy) => {
      const bench = clusterBench({ policy, topology });
      bench.deliver(...ids(4));
      bench.runtime.scheduler.advance(60_000);
      bench.deliver(...ids(5));
      expect(partOf(bench, 4)).toBeGreaterThan(0.05);
      expect(partOf(bench, 4)).toBeLessThan(0.2);
      bench.runtime.scheduler.advance(5_000);
      expect(Math.abs(partOf(bench, 4) - 0.5)).toBeLessThan(0.15);
      bench.runtime.scheduler.advance(5_200);
      expect(Math.abs(partOf(bench, 4) - 1)).toBeLessThan(0.15);
      expect(bench.runtime.scheduler.pendingCount).toBe(0);
    },
  );

  it('leaves hash policies alone', () => {
    const bench = clusterBench({ policy: 'rendezvous', topology });
    bench.deliver(...ids(4));
    bench.deliver(...ids(5));
    expect(bench.runtime.scheduler.pendingCount).toBe(0);
    expect(Math.abs((traffic(bench, {}, 20_000)[4] ?? 0) - 20)).toBeLessThan(3);
  });

  it('takes the first endpoints for warm', () => {
    const bench = clusterBench({ topology });
    bench.deliver();
    bench.deliver(...ids(4));
    expect(bench.cluster.snapshot().endpoints.map(({ weightFactor }) => weightFactor)).toEqual([
      1, 1, 1, 1,
    ]);
    expect(bench.runtime.scheduler.pendingCount).toBe(0);
  });

  it('begins when a newcomer passes its first check', () => {
    const bench = clusterBench({ topology, waitsForFirstCheck: true });
    bench.deliver(...ids(2));
    for (const slot of [0, 1]) bench.check(slot, true);
    bench.deliver(...ids(3));
    bench.runtime.scheduler.advance(60_000);
    bench.check(2, true);
    const [old, , newcomer] = bench.cluster.snapshot().endpoints;
    expect([old?.weightFactor, newcomer?.weightFactor]).toEqual([1, 0.1]);
  });

  it('begins anew when an endpoint comes back by an active check, and not by a trial', () => {
    const bench = clusterBench({ topology });
    bench.deliver(...ids(3));
    const factors = (): (number | undefined)[] =>
      bench.cluster.snapshot().endpoints.map(({ weightFactor }) => weightFactor);
    bench.eject(0);
    bench.detector.listener.onReturn(0, 'trial');
    bench.check(1, false);
    bench.check(1, true);
    expect(factors()).toEqual([1, 0.1, 1]);
    expect(bench.cluster.explain().candidates.at(-1)?.reason).toContain(
      'warming up, 10 % of its weight',
    );
  });
});

describe('an aperture', () => {
  const topology: TopologyOptions = { aperture: { kind: 'rendezvous', seed: 'client' } };

  it('bounds what is checked and picked, and says so', () => {
    const bench = clusterBench({ topology });
    bench.deliver(...ids(100));
    const used = bench.checker.checked.map(({ slot }) => slot);
    expect(used).toHaveLength(12);
    const percent = traffic(bench);
    const picked = [...percent.keys()].filter((slot) => (percent[slot] ?? 0) > 0);
    expect(picked).toEqual(used);
    const { candidates } = bench.cluster.explain();
    expect(candidates.filter(({ reason }) => reason === 'outside of the aperture')).toHaveLength(
      88,
    );
  });

  it('forgets what checks have found of an endpoint that it leaves', () => {
    const bench = clusterBench({ topology, waitsForFirstCheck: true });
    bench.deliver(...ids(13));
    const inside = bench.checker.checked.map(({ slot }) => slot);
    for (const slot of inside) bench.check(slot, slot !== inside[0]);
    const stateOf = (slot: number): string | undefined =>
      bench.cluster.snapshot().endpoints.find((endpoint) => endpoint.slot === slot)?.state;
    expect(stateOf(inside[0] ?? 0)).toBe('unhealthy');
    // A hundred newcomers push most of the old ones out.
    bench.deliver(...ids(113));
    const left = inside.filter((slot) => !bench.checker.checked.some((now) => now.slot === slot));
    expect(left.length).toBeGreaterThan(5);
    for (const slot of left) expect(stateOf(slot)).toBe('unchecked');
  });

  it('is ready when those inside are', async () => {
    const bench = clusterBench({ topology, waitsForFirstCheck: true });
    bench.deliver(...ids(50));
    expect(bench.cluster.snapshot().ready).toBe(false);
    bench.check(bench.checker.checked[0]?.slot ?? 0, true);
    await bench.cluster.ready();
  });

  it('gives no trial to an endpoint outside of it', () => {
    const bench = clusterBench({ topology });
    bench.deliver(...ids(100));
    const inside = new Set(bench.checker.checked.map(({ slot }) => slot));
    const outside = ids(100).findIndex((_, slot) => !inside.has(slot));
    bench.eject(outside);
    bench.detector.trialSlot = outside;
    expect(inside).toContain(bench.cluster.pick());
  });

  it('follows the peers of a deterministic one', () => {
    const peers = clusterBench();
    peers.deliver('p0:1', 'p1:1');
    const bench = clusterBench({
      topology: { aperture: {}, peers: { cluster: peers.cluster, self: 'p1:1' } },
    });
    bench.deliver(...ids(40));
    expect(bench.checker.checked).toHaveLength(20);
    peers.deliver('p0:1', 'p1:1', 'p2:1', 'p3:1', 'p4:1');
    bench.runtime.scheduler.advance(0);
    expect(bench.checker.checked).toHaveLength(16);
    expect(bench.cluster.snapshot().eligibleCount).toBe(16);
    // This client is not listed any more: a choice of its own, until it is.
    peers.deliver('p0:1');
    bench.runtime.scheduler.advance(0);
    expect(bench.checker.checked).toHaveLength(12);
  });

  it('stops following them when it is closed', async () => {
    const peers = clusterBench();
    peers.deliver('p0:1');
    const bench = clusterBench({
      topology: { aperture: {}, peers: { cluster: peers.cluster, self: 'p0:1' } },
    });
    bench.deliver(...ids(40));
    await bench.cluster.close();
    const { checked } = bench.checker;
    peers.deliver('p0:1', 'p1:1');
    expect(bench.checker.checked).toBe(checked);
    expect(bench.runtime.scheduler.pendingCount).toBe(0);
  });
});

describe('zones', () => {
  const inZone = (zone: string, first: number, count = 6) =>
    ids(count, first).map((address) => ({ address, locality: { zone } }));

  it('follow where the peers are, and whether they work', () => {
    const peers = clusterBench();
    peers.deliver(...inZone('a', 200, 1), ...inZone('b', 210, 3));
    const bench = clusterBench({
      topology: { locality: { zone: 'a' }, zoneAware: {}, peers: { cluster: peers.cluster } },
    });
    bench.deliver(...inZone('a', 0), ...inZone('b', 100));
    const localShare = (): number =>
      bench.cluster.snapshot().groups.find(({ zone }) => zone === '/a')?.shareRatio ?? 0;
    // A quarter of the clients and half of the endpoints are here.
    expect(localShare()).toBe(1);
    peers.deliver(...inZone('a', 200, 3), ...inZone('b', 210, 1));
    bench.runtime.scheduler.advance(0);
    expect(localShare()).toBeCloseTo(2 / 3, 9);
    peers.check(0, false);
    peers.check(4, false);
    bench.runtime.scheduler.advance(0);
    const zonesOfPeers = peers.cluster
      .snapshot()
      .endpoints.filter(({ state }) => state === 'healthy');
    const here = zonesOfPeers.filter(({ endpoint }) => endpoint.locality.zone === 'a').length;
    expect(localShare()).toBeCloseTo(Math.min(1, 0.5 / (here / zonesOfPeers.length)), 9);
  });
});

describe('trials', () => {
  const split: TopologyOptions = {
    split: {
      sides: {
        canary: { subset: { version: 'v2' }, weight: 50 },
        stable: { subset: { version: 'v1' }, weight: 50 },
      },
    },
    subsets: { selectors: [{ keys: ['version'] }] },
  };
  const labelled = (address: string, version: string) => ({ address, metadata: { version } });

  it('go only where the request might have gone', () => {
    const bench = clusterBench({ topology: split });
    bench.deliver(labelled('a:1', 'v1'), labelled('b:1', 'v1'), labelled('c:1', 'v2'));
    bench.eject(0);
    const sideOf = (hashKey: string): string | undefined => {
      const slot = bench.cluster.pick({ hashKey });
      return bench.cluster.endpoint(slot)?.metadata['version'];
    };
    const keys = Array.from({ length: 50 }, (_, key) => `key-${key}`);
    const [onV1, onV2] = ['v1', 'v2'].map((side) => keys.find((key) => sideOf(key) === side));
    bench.detector.trialSlot = 0;
    expect(bench.cluster.pick({ subset: { version: 'v2' } })).toBe(2);
    expect(bench.cluster.pick({ hashKey: onV2 })).toBe(2);
    expect(bench.detector.trialSlot).toBe(0);
    expect(bench.cluster.pick({ hashKey: onV1 })).toBe(0);
    expect(bench.detector.trialSlot).toBe(NO_SLOT);
  });

  it('do not go to a reserve that takes no traffic', () => {
    const bench = clusterBench();
    bench.deliver('a:1', 'b:1', { address: 'c:1', priority: 1 }, { address: 'd:1', priority: 1 });
    bench.eject(2);
    bench.detector.trialSlot = 2;
    expect(bench.cluster.pick()).not.toBe(2);
    expect(bench.cluster.explain().reason).toMatch(/^random: priority 0/);
    for (const slot of [0, 1]) bench.check(slot, false);
    expect(bench.cluster.pick()).toBe(2);
  });
});

describe('explanations', () => {
  it('show the way and why others are not on it', () => {
    const bench = clusterBench({
      topology: { subsets: { selectors: [{ keys: ['version'] }], fallback: 'none' } },
    });
    bench.deliver({ address: 'a:1', metadata: { version: 'v1' } }, 'b:1');
    const explanation = bench.cluster.explain({ subset: { version: 'v1' } });
    expect(explanation.chosen?.id).toBe('a:1');
    expect(explanation.path).toEqual([
      { step: 'subset', choice: 'version=v1', shareRatio: 1, reason: 'asked for' },
      { step: 'priority', choice: '0', shareRatio: 1, reason: '1 of 1 healthy' },
      { step: 'policy', choice: 'random', shareRatio: 1, reason: 'weight 1' },
    ]);
    expect(explanation.candidates.at(-1)).toMatchObject({
      id: 'b:1',
      eligible: false,
      reason: 'not in the subset',
    });
    const nowhere = bench.cluster.explain({ subset: { version: 'v9' } });
    expect(nowhere.chosen).toBeUndefined();
    expect(nowhere.path[0]).toMatchObject({ step: 'subset', choice: 'nobody' });
  });

  it('show what a key is bound to, and change nothing', () => {
    const bench = clusterBench({
      policy: 'maglev',
      topology: { split: { sides: { one: { weight: 1 }, other: { weight: 1 } } } },
    });
    bench.deliver(...ids(6));
    for (const hashKey of ['a', 'b', 'c', 'd']) {
      const { chosen, path } = bench.cluster.explain({ hashKey });
      expect(bench.cluster.endpoint(bench.cluster.pick({ hashKey }))?.id).toBe(chosen?.id);
      expect(path[0]?.reason).toMatch(/^side '(one|other)' takes 50 % of the split, the key leads/);
    }
  });
});

describe('snapshots', () => {
  it('show the groups with their shares', () => {
    const bench = clusterBench({
      topology: {
        split: { sides: { canary: { subset: { v: '2' }, weight: 5 }, all: { weight: 95 } } },
      },
    });
    bench.deliver({ address: 'a:1', metadata: { v: '2' } }, 'b:1', { address: 'c:1', priority: 1 });
    expect(bench.cluster.snapshot().groups).toEqual([
      {
        name: 'priority 0',
        subset: undefined,
        priority: 0,
        zone: undefined,
        kind: 'healthy',
        shareRatio: 1,
        unaskedShareRatio: 0.95,
        eligibleCount: 2,
      },
      expect.objectContaining({ name: 'priority 1', shareRatio: 0, eligibleCount: 1 }),
      expect.objectContaining({
        name: 'v=2 priority 0',
        subset: { v: '2' },
        shareRatio: 1,
        unaskedShareRatio: 0.05,
        eligibleCount: 1,
      }),
    ]);
    bench.cluster.setSplit({ canary: 50, all: 50 });
    expect(bench.cluster.snapshot().groups.at(-1)?.unaskedShareRatio).toBe(0.5);
  });
});
