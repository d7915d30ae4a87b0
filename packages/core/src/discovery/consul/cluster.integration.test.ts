/** Three real Consul servers, of which some are killed: what is served with a new leader, and with none. */
import { afterEach, describe, expect, it } from 'vitest';
import { ConsulCluster } from '../../../../../test/support/consul-cluster.ts';
import type { ConsulAgent, ServiceInstance } from '../../../../../test/support/consul-agent.ts';
import { requireComponent } from '../../../../../test/support/require-component.ts';
import { until } from '../test-support/recorder.ts';
import type { ConsulOptions } from './config.ts';
import { Watched } from './test-support/watched.ts';

const component = requireComponent('consul');

const instance = (number: number) => ({ name: 'users', address: `10.0.0.${number}`, port: 80 });

/** Writes as soon as there is a leader to take it. */
async function write(server: ConsulAgent, instances: readonly ServiceInstance[]): Promise<void> {
  const endMs = performance.now() + 10_000;
  for (;;) {
    try {
      return await server.catalog('edge', instances);
    } catch (error) {
      if (performance.now() > endMs) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

describe.skipIf(component.path === undefined)('three consul servers', () => {
  const cleanups: (() => Promise<unknown>)[] = [];
  afterEach(async () => {
    for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
  });

  it('lose their leader, then their majority, and get it back', async () => {
    const cluster = await ConsulCluster.start(component.path ?? '');
    cleanups.push(() => cluster.dispose());
    const [first] = cluster.servers as [ConsulAgent];
    const leader = await cluster.leader(first);
    const [asked, other] = cluster.servers.filter((server) => server !== leader) as [
      ConsulAgent,
      ConsulAgent,
    ];
    const watch = (options: Partial<ConsulOptions>): Watched => {
      const watched = new Watched({ address: asked.address, service: 'users', ...options });
      cleanups.push(() => watched.resolver.close());
      return watched;
    };
    await write(asked, [1, 2, 3].map(instance));
    const stale = watch({ consistency: 'stale' });
    const strict = watch({ consistency: 'consistent' });
    const ofLeader = watch({ address: leader.address });
    const all = [stale, strict, ofLeader];
    await until(() => all.every(({ ids }) => ids?.length === 3));

    await leader.kill();
    await cluster.leader(asked, leader);
    await write(asked, [instance(4)]);
    await until(() => stale.ids?.length === 4 && strict.ids?.length === 4);
    await until(() => !ofLeader.status.healthy);
    expect(ofLeader.ids).toHaveLength(3);

    // One of three is no majority: nothing can be written, and only stale reads are answered.
    await other.kill();
    // Consul itself hopes for a leader for seven seconds before it says that there is none.
    await until(() => /leader|no (whole )?answer/u.test(strict.status.lastError ?? ''));
    await until(() => stale.status.lastError?.includes('knows no leader') === true);
    expect(stale.status.healthy).toBe(true);

    await leader.start();
    await write(asked, [instance(5)]);
    await until(() => all.every(({ ids, status }) => ids?.length === 5 && status.healthy));
    expect(all.map(({ leastSize }) => leastSize)).toEqual([3, 3, 3]);
  }, 60_000);
});
