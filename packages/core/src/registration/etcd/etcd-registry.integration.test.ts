/** Registration in a real etcd, seen by discovery from the same server. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { EtcdServer } from '../../../../../test/support/etcd-server.ts';
import { requireComponent } from '../../../../../test/support/require-component.ts';
import { Watched } from '../../discovery/etcd/test-support/watched.ts';
import { until } from '../../discovery/test-support/recorder.ts';
import type { RegisterOptions } from '../config.ts';
import { register } from '../register.ts';
import type { Registration } from '../registration.ts';
import { etcdRegistry, type EtcdRegistryOptions } from './etcd-registry.ts';

const component = requireComponent('etcd');

describe.skipIf(component.path === undefined)('registration in etcd', () => {
  let server: EtcdServer;
  const cleanups: (() => Promise<unknown>)[] = [];
  let serviceNumber = 0;
  let service = '';

  beforeAll(async () => {
    server = await EtcdServer.start(component.path ?? '');
  });
  afterAll(() => server?.dispose());
  afterEach(async () => {
    for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
  });

  const announce = (
    options: Partial<RegisterOptions> = {},
    registryOptions: EtcdRegistryOptions = {},
  ): Registration => {
    serviceNumber += 1;
    service = `orders-${serviceNumber}`;
    const registration = register({
      registry: etcdRegistry({ endpoints: [server.address], ttlMs: 2_000, ...registryOptions }),
      service,
      port: 3_000,
      address: '10.0.0.7',
      lingerMs: 0,
      ...options,
    });
    cleanups.push(() => registration.close());
    return registration;
  };
  const watch = (): Watched => {
    const prefix = `/services/${service}/`;
    const watched = new Watched({ endpoints: [server.address], prefix });
    cleanups.push(() => watched.resolver.close());
    return watched;
  };
  const keyOf = ({ id }: Registration): string => `/services/${service}/${id}`;
  const leases = async (where: EtcdServer): Promise<string[]> => {
    const { leases: list = [] } = (await where.post('/v3/lease/leases', {})) as {
      leases?: { ID: string }[];
    };
    return list.map(({ ID }) => ID);
  };

  it('announces everything that discovery reads', async () => {
    const registration = announce({
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
      locality: { zone: 'a' },
      metadata: { version: 'v2', 'tag.blue': 'true' },
    });
  });

  it('finds out where it is reached if it is not told', async () => {
    const registration = announce({ address: undefined });
    await registration.ready();
    const { host } = JSON.parse((await server.get(keyOf(registration))) ?? '') as { host: string };
    expect(host).toMatch(/^\d+\.\d+\.\d+\.\d+$|:/u);
  });

  it('stays alive through its heartbeats, without waking those who watch', async () => {
    const registration = announce();
    await registration.ready();
    const before = await server.revision();
    await until(() => registration.status().beatCount >= 5);
    expect(await server.get(keyOf(registration))).toContain('10.0.0.7');
    expect(await server.revision()).toBe(before);
  });

  it('tells its health at once, and clients heed it', async () => {
    const registration = announce({ weight: 10 }, { degradedWeight: 2, ttlMs: 60_000 });
    await registration.ready();
    const other = `/services/${service}/other`;
    await server.put(other, '10.0.0.8:80');
    const watched = watch();
    const weight = (): number | undefined =>
      watched.recorder.sets.at(-1)?.byId.get('10.0.0.7:3000')?.weight;
    await until(() => weight() === 10);
    registration.setHealth('degraded', 'queue is long');
    await until(() => weight() === 2);
    registration.setHealth('unhealthy');
    await until(() => watched.ids?.join() === '10.0.0.8:80');
    registration.setHealth('healthy');
    await until(() => weight() === 10);
  });

  it.each([
    { what: 'its key was deleted', harm: (key: string) => server.delete(key) },
    { what: 'somebody wrote over its key', harm: (key: string) => server.put(key, 'mine') },
  ])('registers itself again when $what', async ({ harm }) => {
    const registration = announce();
    await registration.ready();
    await harm(keyOf(registration));
    await until(() => registration.status().lostCount === 1);
    await until(() => registration.status().state === 'announced');
    expect(await server.get(keyOf(registration))).toContain('10.0.0.7');
  });

  it('registers itself again when its lease was lost', async () => {
    const before = await leases(server);
    const registration = announce();
    await registration.ready();
    const [lease] = (await leases(server)).filter((id) => !before.includes(id));
    await server.post('/v3/lease/revoke', { ID: lease });
    expect(await server.get(keyOf(registration))).toBeUndefined();
    await until(() => registration.status().lostCount === 1);
    await until(() => registration.status().state === 'announced');
    expect(await server.get(keyOf(registration))).toContain('10.0.0.7');
  });

  it('leaves neither key nor lease behind, and not what another process has put in its place', async () => {
    const before = await leases(server);
    const registration = announce();
    await registration.ready();
    const watched = watch();
    await until(() => watched.ids?.length === 1);
    await registration.close();
    expect(await server.get(keyOf(registration))).toBeUndefined();
    expect(await leases(server)).toEqual(before);

    const old = announce({ id: 'same' }, { ttlMs: 60_000 });
    await old.ready();
    const registry = etcdRegistry({ endpoints: [server.address] });
    const successor = register({
      registry,
      service,
      id: 'same',
      port: 3_001,
      address: '10.0.0.7',
      lingerMs: 0,
    });
    cleanups.push(() => successor.close());
    await successor.ready();
    await old.close();
    expect(await server.get(keyOf(successor))).toContain('3001');
  });

  it('is told when it may not register', async () => {
    const guarded = await EtcdServer.start(component.path ?? '');
    cleanups.push(() => guarded.dispose());
    await guarded.enableAuth('secret word');
    const endpoints = [guarded.address];
    const nobody = announce({}, { endpoints });
    await until(() => nobody.status().errorCount > 1);
    expect(nobody.status().lastError).toMatch(/user name is empty/u);
    const reader = announce({}, { endpoints, username: 'reader', password: 'secret word' });
    await until(() => reader.status().errorCount > 1);
    expect(reader.status().lastError).toMatch(/permission denied/u);
    const root = announce({}, { endpoints, username: 'root', password: 'secret word' });
    await root.ready();
    await until(() => root.status().beatCount > 1);
  });

  describe('when the server', () => {
    const own = async (): Promise<{ restarted: EtcdServer; registration: Registration }> => {
      const restarted = await EtcdServer.start(component.path ?? '');
      cleanups.push(() => restarted.dispose());
      const registration = announce({}, { endpoints: [restarted.address] });
      await registration.ready();
      return { restarted, registration };
    };

    it('restarts with its data, it goes on', async () => {
      const { restarted, registration } = await own();
      await restarted.kill();
      await until(() => registration.status().errorCount > 0);
      await restarted.start();
      await until(() => registration.status().lastError === undefined);
      const beats = registration.status().beatCount;
      await until(() => registration.status().beatCount > beats);
      expect(await restarted.get(keyOf(registration))).toContain('10.0.0.7');
    });

    it('restarts without its data, it registers itself again', async () => {
      const { restarted, registration } = await own();
      await restarted.kill();
      restarted.loseData();
      await restarted.start();
      await until(() => registration.status().lostCount > 0);
      await until(() => registration.status().state === 'announced');
      expect(await restarted.get(keyOf(registration))).toContain('10.0.0.7');
    });

    it('is paused for longer than the lease lasts, it is there again afterwards', async () => {
      const { restarted, registration } = await own();
      restarted.pause();
      await until(() => registration.status().errorCount > 2);
      restarted.resume();
      await until(() => registration.status().lastError === undefined);
      const beats = registration.status().beatCount;
      await until(() => registration.status().beatCount > beats);
      expect(await restarted.get(keyOf(registration))).toContain('10.0.0.7');
    });
  });
});
