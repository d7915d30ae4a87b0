/** Registration in a real Consul agent, seen by discovery from the same agent. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { ConsulAgent } from '../../../../../test/support/consul-agent.ts';
import { requireComponent } from '../../../../../test/support/require-component.ts';
import { Watched } from '../../discovery/consul/test-support/watched.ts';
import { until } from '../../discovery/test-support/recorder.ts';
import { createRuntime } from '../../runtime/runtime.ts';
import type { RegisterOptions } from '../config.ts';
import { register } from '../register.ts';
import type { Registration } from '../registration.ts';
import { consulRegistry, type ConsulRegistryOptions } from './consul-registry.ts';

const component = requireComponent('consul');

interface CatalogEntry {
  readonly Service: { readonly ID: string; readonly Weights: object; readonly Tags: string[] };
  readonly Checks: readonly { readonly CheckID: string; readonly Status: string }[];
}

describe.skipIf(component.path === undefined)('registration in consul', () => {
  let agent: ConsulAgent;
  const cleanups: (() => Promise<unknown>)[] = [];
  let serviceNumber = 0;
  let service = '';

  beforeAll(async () => {
    agent = await ConsulAgent.start(component.path ?? '');
  });
  afterAll(() => agent?.dispose());
  afterEach(async () => {
    for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
  });

  const announce = (
    options: Partial<RegisterOptions> = {},
    registryOptions: ConsulRegistryOptions = {},
  ): Registration => {
    serviceNumber += 1;
    service = `orders-${serviceNumber}`;
    const registration = register({
      registry: consulRegistry({ address: agent.address, ttlMs: 1_500, ...registryOptions }),
      service,
      port: 3_000,
      lingerMs: 0,
      ...options,
    });
    cleanups.push(() => registration.close());
    return registration;
  };
  const watch = (): Watched => {
    const watched = new Watched({ address: agent.address, service });
    cleanups.push(() => watched.resolver.close());
    return watched;
  };
  const entries = async (): Promise<CatalogEntry[]> =>
    (await agent.get(`/v1/health/service/${service}`)) as CatalogEntry[];

  it('announces everything that discovery reads', async () => {
    const registration = announce({
      address: '10.0.0.7',
      weight: 5,
      tags: ['blue'],
      metadata: { version: 'v2' },
      locality: { zone: 'a' },
    });
    await registration.ready();
    const watched = watch();
    await until(() => watched.ids?.join() === '10.0.0.7:3000');
    expect(watched.recorder.sets[0]?.endpoints[0]).toMatchObject({
      weight: 5,
      locality: { region: 'dc1', zone: 'a' },
      metadata: { version: 'v2', 'tag.blue': 'true', 'consul.id': registration.id },
    });
  });

  it('is reached at the address of the agent where none is given', async () => {
    await announce().ready();
    const watched = watch();
    await until(() => watched.ids?.join() === '127.0.0.1:3000');
  });

  it('stays alive through its heartbeats, without waking those who watch', async () => {
    const registration = announce();
    await registration.ready();
    const before = (await fetchIndex(agent, service)) ?? '';
    await until(() => registration.status().beatCount >= 4);
    expect((await entries())[0]?.Checks.at(-1)?.Status).toBe('passing');
    expect(await fetchIndex(agent, service)).toBe(before);
  });

  it('tells its health, and clients heed it', async () => {
    const registration = announce({ weight: 10 }, { degradedWeight: 2 });
    await registration.ready();
    const other = { name: service, address: '10.0.0.8', port: 80 };
    await agent.register(other);
    const watched = watch();
    const weight = (): number | undefined =>
      watched.recorder.sets.at(-1)?.byId.get('127.0.0.1:3000')?.weight;
    await until(() => weight() === 10);
    registration.setHealth('degraded', 'queue is long');
    await until(() => weight() === 2);
    registration.setHealth('unhealthy');
    await until(() => watched.ids?.join() === '10.0.0.8:80');
    registration.setHealth('healthy');
    await until(() => weight() === 10);
    await agent.deregister(other);
  });

  it('registers itself again when it was taken away', async () => {
    const registration = announce();
    await registration.ready();
    await agent.deregister(registration.id);
    expect(await entries()).toEqual([]);
    await until(() => registration.status().lostCount === 1);
    await until(() => registration.status().state === 'announced');
    expect(await entries()).toHaveLength(1);
  });

  it('is gone when close() has resolved, and clients have heard of it', async () => {
    const registration = announce({ lingerMs: 200 });
    await registration.ready();
    await agent.register({ name: service, address: '10.0.0.8', port: 80 });
    const watched = watch();
    await until(() => watched.ids?.length === 2);
    await registration.close();
    expect(await entries()).toHaveLength(1);
    await until(() => watched.ids?.join() === '10.0.0.8:80');
    await registration.close();
  });

  it('is taken for dead when its process is: without heartbeats for the TTL', async () => {
    // What a killed process leaves behind: an announcement, and nobody who renews it.
    service = 'orders-killed';
    const registry = consulRegistry({ address: agent.address, ttlMs: 1_000 });
    await agent.register({ name: service, address: '10.0.0.8', port: 80 });
    const watched = watch();
    const announcement = {
      ...{ id: 'orders-7', service, address: '10.0.0.7', port: 3_000, weight: 1 },
      ...{ tags: [], metadata: {}, locality: { region: '', zone: '', subzone: '' } },
    };
    const registrar = registry.open(announcement, createRuntime());
    await registrar.announce({ health: 'healthy', note: '' }, new AbortController().signal);
    await until(() => watched.ids?.length === 2);
    const startMs = performance.now();
    await until(() => watched.ids?.join() === '10.0.0.8:80');
    expect(performance.now() - startMs).toBeGreaterThan(500);
    await registrar.close();
  });

  it('is told when a token may not register', async () => {
    const token = '6ad0a1f5-2b1c-4b41-8d0c-6f0c6c1e6b11';
    const guarded = await ConsulAgent.start(component.path ?? '', { acl: { token } });
    cleanups.push(() => guarded.dispose());
    const refused = announce({}, { address: guarded.address, token: 'wrong' });
    await until(() => refused.status().errorCount > 1);
    expect(refused.status().lastError).toMatch(/answered 403/u);
    const allowed = announce({}, { address: guarded.address, token });
    await allowed.ready();
  });

  describe('when the agent', () => {
    const own = async (): Promise<{ restarted: ConsulAgent; registration: Registration }> => {
      const restarted = await ConsulAgent.start(component.path ?? '');
      cleanups.push(() => restarted.dispose());
      const registration = announce({}, { address: restarted.address });
      await registration.ready();
      return { restarted, registration };
    };
    const count = async (restarted: ConsulAgent): Promise<number> =>
      ((await restarted.get(`/v1/health/service/${service}?passing`)) as unknown[]).length;

    it('restarts with its data, it goes on', async () => {
      const { restarted, registration } = await own();
      await restarted.kill();
      await until(() => registration.status().errorCount > 0);
      await restarted.start();
      await until(() => registration.status().lastError === undefined);
      expect(await count(restarted)).toBe(1);
    });

    it('restarts without its data, it registers itself again', async () => {
      const { restarted, registration } = await own();
      await restarted.kill();
      restarted.loseData();
      await restarted.start();
      await until(() => registration.status().lostCount > 0);
      await until(() => registration.status().state === 'announced');
      expect(await count(restarted)).toBe(1);
    });

    it('is paused for longer than the TTL, the next heartbeat brings it back', async () => {
      const { restarted, registration } = await own();
      restarted.pause();
      await until(() => registration.status().errorCount > 2);
      expect(registration.status().lastError).toMatch(/no answer within 500 ms|no whole answer/u);
      restarted.resume();
      await until(() => registration.status().lastError === undefined);
      await until(() => registration.status().beatCount > 0);
      expect(await count(restarted)).toBe(1);
    });
  });
});

async function fetchIndex(agent: ConsulAgent, service: string): Promise<string | null> {
  const response = await fetch(`${agent.address}/v1/health/service/${service}`);
  await response.arrayBuffer();
  return response.headers.get('x-consul-index');
}
