/**
 * A real Consul server in a network namespace whose packets get lost: no reset, no end, no error, only silence.
 * Bounds: docs/guides/consul.md.
 */
import { afterEach, describe, expect, it } from 'vitest';
import { ConsulAgent } from '../../../../../test/support/consul-agent.ts';
import {
  NetworkNamespace,
  requireNamespaces,
} from '../../../../../test/support/network-namespace.ts';
import { requireComponent } from '../../../../../test/support/require-component.ts';
import { register } from '../../registration/register.ts';
import { consulRegistry } from '../../registration/consul/consul-registry.ts';
import { until } from '../test-support/recorder.ts';
import { silenceOf } from './consul-source.ts';
import { QUICK, Watched } from './test-support/watched.ts';

const component = requireComponent('consul');
const { ip } = await requireNamespaces();

describe.skipIf(component.path === undefined || ip === undefined)('a half-open connection', () => {
  const cleanups: (() => Promise<unknown>)[] = [];
  afterEach(async () => {
    for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
  });

  it('is noticed by its silence, and replaced; the announcement lives on', async () => {
    const namespace = await NetworkNamespace.create(ip ?? '');
    cleanups.push(() => namespace.dispose());
    const agent = await ConsulAgent.start(component.path ?? '', { namespace });
    cleanups.push(() => agent.dispose());
    const instance = (number: number) => ({ name: 'users', address: `10.0.0.${number}`, port: 80 });
    for (const number of [1, 2, 3]) await agent.register(instance(number));
    const watched = new Watched({ address: agent.address, service: 'users' });
    cleanups.push(() => watched.resolver.close());
    const registration = register({
      registry: consulRegistry({ address: agent.address, ttlMs: 3_000 }),
      service: 'orders',
      port: 3_000,
      lingerMs: 0,
    });
    cleanups.push(() => registration.close());
    await Promise.all([until(() => watched.ids?.length === 3), registration.ready()]);

    await namespace.cut();
    const cutMs = performance.now();
    await until(() => watched.watch.silenceCount === 1);
    expect(performance.now() - cutMs).toBeLessThan(
      silenceOf(QUICK.waitMs ?? 0) + (QUICK.waitMs ?? 0),
    );
    // New connections get no answer, either.
    await until(() => watched.recorder.lastError?.includes('no answer within 1000 ms') === true);
    expect(watched.ids).toHaveLength(3);
    expect(registration.status().lastError).toMatch(/no answer within 1000 ms/u);
    expect(registration.status().errorCount).toBeGreaterThan(2);

    await namespace.heal();
    await until(() => watched.status.healthy && registration.status().lastError === undefined);
    await agent.register(instance(4));
    await until(() => watched.ids?.length === 4);
    expect(watched.leastSize).toBe(3);
    const orders = (await agent.get('/v1/health/service/orders?passing')) as {
      Service: { Address: string };
    }[];
    // The agent runs on another host, as it were: the address is that of our side of the link.
    expect(orders.map(({ Service }) => Service.Address)).toEqual([namespace.outerAddress]);
  }, 40_000);
});
