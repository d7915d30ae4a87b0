import {
  type ClusterOptions,
  type ClusterSnapshot,
  createCluster,
  type EndpointInput,
} from '@evenkeel/core';
import { describe, expect, it } from 'vitest';
import { realsOf } from './reals-of.ts';

async function snapshotOf(
  discovery: readonly EndpointInput[],
  {
    change,
    ...options
  }: Partial<ClusterOptions> & {
    change?: (cluster: ReturnType<typeof createCluster>) => void;
  } = {},
): Promise<ClusterSnapshot> {
  const cluster = createCluster({
    ...{ name: 'web', policy: 'random', outlierDetection: false },
    discovery: discovery as never,
    ...options,
  });
  await cluster.ready();
  change?.(cluster);
  // What changes in one turn is published after it.
  await new Promise((resolve) => setImmediate(resolve));
  const snapshot = cluster.snapshot();
  await cluster.close();
  return snapshot;
}

const weights = (snapshot: ClusterSnapshot): Record<string, number> =>
  Object.fromEntries(realsOf(snapshot).map(({ address, weight }) => [address, weight]));

describe('realsOf', () => {
  it('keeps weights as they were written, and sorts by address', async () => {
    const snapshot = await snapshotOf([
      { address: '10.0.0.2:80', weight: 3 },
      { address: '10.0.0.1:80', weight: 1 },
    ]);
    expect(realsOf(snapshot).map(({ address, weight, role }) => [address, weight, role])).toEqual([
      ['10.0.0.1', 1, 'active'],
      ['10.0.0.2', 3, 'active'],
    ]);
  });

  it('gives nothing to a lower priority while the higher one is healthy', async () => {
    const snapshot = await snapshotOf(['10.0.0.1:80', { address: '10.0.0.2:80', priority: 1 }]);
    expect(weights(snapshot)).toEqual({ '10.0.0.1': 1, '10.0.0.2': 0 });
    expect(realsOf(snapshot)[1]?.role).toBe('draining');
  });

  it('divides between priorities as the cluster does', async () => {
    // One of three is healthy: 1/3 x 140 % = 46.7 % of the flows stay, 53.3 % go to the next level.
    const snapshot = await snapshotOf(
      ['10.0.0.1:80', '10.0.0.2:80', '10.0.0.3:80', { address: '10.0.0.4:80', priority: 1 }],
      {
        panic: { thresholdPercent: 0 },
        change: (cluster) => {
          cluster.setDegraded('10.0.0.2:80', true);
          cluster.setDegraded('10.0.0.3:80', true);
        },
      },
    );
    const { '10.0.0.1': first = 0, '10.0.0.4': last = 0 } = weights(snapshot);
    const shares = new Map(
      snapshot.groups.map(({ name, unaskedShareRatio }) => [name, unaskedShareRatio]),
    );
    expect(first / last).toBeCloseTo(
      (shares.get('priority 0') ?? 0) / (shares.get('priority 1') ?? 1),
      3,
    );
  });

  it('lets an endpoint that is switched off keep its flows', async () => {
    const snapshot = await snapshotOf(['10.0.0.1:80', '10.0.0.2:80'], {
      change: (cluster) => cluster.setEnabled('10.0.0.2:80', false),
    });
    expect(realsOf(snapshot)).toMatchObject([
      { address: '10.0.0.1', role: 'active', weight: 1 },
      { address: '10.0.0.2', role: 'draining', weight: 0, state: 'disabled' },
    ]);
  });

  it('tells who fails from who is spared', async () => {
    const snapshot = await snapshotOf(['10.0.0.1:80', '10.0.0.2:80']);
    const failing: ClusterSnapshot = {
      ...snapshot,
      endpoints: snapshot.endpoints.map((endpoint, index) =>
        index === 1 ? { ...endpoint, state: 'unhealthy', eligible: false } : endpoint,
      ),
    };
    expect(realsOf(failing)).toMatchObject([{ role: 'active' }, { role: 'failed', weight: 0 }]);
  });

  it('makes one real of two ports of one address', async () => {
    const snapshot = await snapshotOf(['10.0.0.1:80', '10.0.0.1:81', '10.0.0.2:80']);
    expect(weights(snapshot)).toEqual({ '10.0.0.1': 2, '10.0.0.2': 1 });
  });

  it('has no use for names and sockets, and says so', async () => {
    const snapshot = await snapshotOf(['localhost:80', 'unix:/run/a.sock', '10.0.0.1:80']);
    const unusable = realsOf(snapshot).filter(({ role }) => role === 'unusable');
    expect(unusable.map(({ address }) => address)).toEqual(['/run/a.sock', 'localhost']);
  });

  it('brings weights that are too large into range', async () => {
    const snapshot = await snapshotOf([
      { address: '10.0.0.1:80', weight: 1_000_000 },
      { address: '10.0.0.2:80', weight: 250_000 },
    ]);
    expect(weights(snapshot)).toEqual({ '10.0.0.1': 10_000, '10.0.0.2': 2_500 });
  });
});
