/** Discovery against a real ZooKeeper server that works as it should. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { requireComponent } from '../../../../../test/support/require-component.ts';
import { ZookeeperServer } from '../../../../../test/support/zookeeper-server.ts';
import { createCluster } from '../../cluster/create-cluster.ts';
import { createMetrics } from '../../telemetry/metrics/index.ts';
import { until } from '../test-support/recorder.ts';
import type { ZookeeperOptions } from './config.ts';
import { Watched } from './test-support/watched.ts';
import { ZnodeWriter } from './test-support/znode-writer.ts';
import { zookeeper } from './zookeeper.ts';

const component = requireComponent('zookeeper');

describe.skipIf(component.path === undefined)('zookeeper', () => {
  let server: ZookeeperServer;
  let writer: ZnodeWriter;
  const cleanups: (() => Promise<unknown>)[] = [];
  let number = 0;
  let path = '';

  beforeAll(async () => {
    server = await ZookeeperServer.start();
    writer = await ZnodeWriter.connect(server.address);
  });
  afterAll(async () => {
    await writer?.close();
    await server?.dispose();
  });
  afterEach(async () => {
    for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
  });

  /** A folder of its own per test: the server is shared. */
  const newPath = async (): Promise<string> => {
    path = `/services/web-${(number += 1)}`;
    await writer.mkdirp(path);
    return path;
  };
  const watch = (options: Partial<ZookeeperOptions> = {}): Watched => {
    const watched = new Watched({ servers: server.address, path, ...options });
    cleanups.push(() => watched.resolver.close());
    return watched;
  };

  it('lists the children of a node, each by what its data looks like', async () => {
    await newPath();
    await writer.create(`${path}/a`, '10.0.0.1:80');
    await writer.create(`${path}/10.0.0.2:80`, '');
    await writer.create(
      `${path}/c`,
      JSON.stringify({ host: '10.0.0.3', port: 80, weight: 7, metadata: { version: 'v2' } }),
    );
    await writer.create(
      `${path}/member_`,
      JSON.stringify({
        serviceEndpoint: { host: '10.0.0.4', port: 80 },
        additionalEndpoints: {},
        status: 'ALIVE',
        shard: 3,
      }),
      { sequential: true },
    );
    await writer.create(
      `${path}/e`,
      JSON.stringify({
        name: 'web',
        id: 'e',
        address: '10.0.0.5',
        port: 80,
        serviceType: 'DYNAMIC',
      }),
    );
    const watched = watch();
    await until(() => watched.ids?.length === 5);
    expect(watched.ids).toEqual([1, 2, 3, 4, 5].map((last) => `10.0.0.${last}:80`));
    const set = watched.recorder.sets[0];
    expect(set?.byId.get('10.0.0.3:80')).toMatchObject({ weight: 7, metadata: { version: 'v2' } });
    expect(set?.byId.get('10.0.0.4:80')?.metadata).toEqual({ shard: '3' });
    expect(watched.status).toMatchObject({
      kind: 'zookeeper',
      source: `${path} at ${server.address}`,
      healthy: true,
      lastError: undefined,
    });
  });

  it('follows instances that join, leave and change', async () => {
    await newPath();
    await writer.create(`${path}/a`, '{"host":"10.0.0.1","port":80}');
    const watched = watch();
    await until(() => watched.ids?.join() === '10.0.0.1:80');
    await writer.create(`${path}/b`, '{"host":"10.0.0.2","port":80}');
    await until(() => watched.ids?.join() === '10.0.0.1:80,10.0.0.2:80');
    await writer.set(`${path}/b`, '{"host":"10.0.0.2","port":80,"weight":5}');
    await until(() => watched.recorder.sets.at(-1)?.byId.get('10.0.0.2:80')?.weight === 5);
    await writer.set(`${path}/b`, '{"host":"10.0.0.2","port":80,"weight":6}');
    await until(() => watched.recorder.sets.at(-1)?.byId.get('10.0.0.2:80')?.weight === 6);
    await writer.remove(`${path}/a`);
    await until(() => watched.ids?.join() === '10.0.0.2:80');
    // The same name with other data.
    await writer.remove(`${path}/b`);
    await writer.create(`${path}/b`, '{"host":"10.0.0.3","port":80}');
    await until(() => watched.ids?.includes('10.0.0.3:80') === true);
    expect(
      watched.recorder.errors.filter(({ message }) => !/lists no endpoint|guard/u.test(message)),
    ).toEqual([]);
  });

  it('loses what an ended session leaves behind', async () => {
    await newPath();
    await writer.create(`${path}/a`, '10.0.0.1:80');
    const other = await ZnodeWriter.connect(server.address);
    await other.create(`${path}/b`, '10.0.0.2:80');
    const watched = watch();
    await until(() => watched.ids?.length === 2);
    await other.close();
    await until(() => watched.ids?.join() === '10.0.0.1:80');
  });

  it('leaves out what makes no sense, and says so once', async () => {
    await newPath();
    await writer.create(`${path}/a`, '10.0.0.1:80');
    await writer.create(`${path}/b`, '{"host":');
    await writer.create(`${path}/c`, '\u0000\u0001garbage');
    const watched = watch();
    await until(() => watched.ids !== undefined);
    expect(watched.ids).toEqual(['10.0.0.1:80']);
    expect(watched.status.lastError).toMatch(/^2 nodes left out, the first: b: no JSON/u);
    await writer.create(`${path}/d`, '10.0.0.2:80');
    await until(() => watched.ids?.length === 2);
    expect(watched.recorder.errors).toHaveLength(1);
    // If nothing makes sense, nobody knows what it is.
    await writer.remove(`${path}/a`);
    await writer.remove(`${path}/d`);
    await until(() => !watched.status.healthy);
    expect(watched.ids?.length).toBeGreaterThan(0);
  });

  it('takes two nodes with one address for one endpoint, and believes the younger', async () => {
    await newPath();
    const data = (weight: number, health = 'healthy'): string =>
      JSON.stringify({ host: '10.0.0.1', port: 80, weight, health });
    await writer.create(`${path}/z-first`, data(3));
    await writer.create(`${path}/a-second`, data(4));
    await writer.create(`${path}/other`, '10.0.0.2:80');
    const watched = watch();
    await until(() => watched.ids?.length === 2);
    expect(watched.recorder.sets[0]?.byId.get('10.0.0.1:80')?.weight).toBe(4);
    await writer.create(`${path}/b-third`, data(5, 'unhealthy'));
    await until(() => watched.ids?.join() === '10.0.0.2:80');
  });

  it('waits for a node that does not exist yet, and outlives its removal', async () => {
    await newPath();
    const folder = path;
    path = `${folder}/later`;
    const watched = watch();
    await until(() => watched.status.lastError?.includes('there is no such node') === true);
    expect(watched.ids).toBeUndefined();
    await writer.mkdirp(path);
    await writer.create(`${path}/a`, '10.0.0.1:80');
    await until(() => watched.ids?.join() === '10.0.0.1:80');
    await writer.remove(`${path}/a`);
    await writer.remove(path);
    await until(() => watched.status.lastError?.includes('there is no such node') === true);
    expect(watched.ids).toEqual(['10.0.0.1:80']);
    await writer.mkdirp(path);
    await writer.create(`${path}/b`, '10.0.0.2:80');
    await until(() => watched.ids?.join() === '10.0.0.2:80');
  });

  it('starts below a chroot, given beside the servers or in their text', async () => {
    await newPath();
    const chroot = path;
    await writer.mkdirp(`${chroot}/users`);
    await writer.create(`${chroot}/users/a`, '10.0.0.1:80');
    const beside = watch({ chroot, path: '/users' });
    const within = watch({ servers: `${server.address}${chroot}`, path: '/users' });
    await until(() => beside.ids !== undefined && within.ids !== undefined);
    expect([beside.ids, within.ids]).toEqual([['10.0.0.1:80'], ['10.0.0.1:80']]);
    await writer.create(`${chroot}/users/b`, '10.0.0.2:80');
    await until(() => within.ids?.length === 2);
    expect(within.status.source).toBe(`${chroot}/users at ${server.address}`);
  });

  it('reads the endpoint of a serverset that is asked for', async () => {
    await newPath();
    await writer.create(
      `${path}/member_0000000001`,
      JSON.stringify({
        serviceEndpoint: { host: '10.0.0.1', port: 80 },
        additionalEndpoints: { admin: { host: '10.0.0.1', port: 9_990 } },
        status: 'ALIVE',
      }),
    );
    await writer.create(`${path}/vector_0000000001`, '{"vector":[]}');
    const watched = watch({ format: 'serverset', endpoint: 'admin' });
    await until(() => watched.ids !== undefined);
    expect(watched.ids).toEqual(['10.0.0.1:9990']);
    expect(watched.status.lastError).toBeUndefined();
  });

  it('reads with a digest what only its owner may read, and never tells the password', async () => {
    await newPath();
    const owner = await ZnodeWriter.connect(server.address, 'web:very-secret');
    cleanups.push(() => owner.close());
    await owner.create(`${path}/own`, '', { ephemeral: false, acl: 'creator' });
    await owner.create(`${path}/own/a`, '10.0.0.1:80', { acl: 'creator' });
    path = `${path}/own`;
    const stranger = watch({ auth: { username: 'web', password: 'wrong-but-secret' } });
    const known = watch({ auth: { username: 'web', password: 'very-secret' } });
    await until(() => known.ids?.join() === '10.0.0.1:80');
    await until(() => stranger.recorder.errors.length > 2);
    expect(stranger.recorder.lastError).toMatch(/own: access denied/u);
    expect(stranger.recorder.lastError).not.toContain('secret');
    expect(JSON.stringify(known.status)).not.toContain('secret');
  });

  it('leaves out a child that may not be read', async () => {
    await newPath();
    const owner = await ZnodeWriter.connect(server.address, 'web:very-secret');
    cleanups.push(() => owner.close());
    await owner.create(`${path}/a`, '10.0.0.1:80', { acl: 'creator' });
    await owner.create(`${path}/b`, '10.0.0.2:80');
    const watched = watch();
    await until(() => watched.ids !== undefined);
    expect(watched.ids).toEqual(['10.0.0.2:80']);
    expect(watched.status.lastError).toMatch(/^1 nodes left out, the first: a: .*access denied/u);
  });

  it('is named by metrics and events of the cluster', async () => {
    await newPath();
    await writer.create(`${path}/a`, '10.0.0.1:80');
    await writer.create(`${path}/b`, 'nonsense');
    const users = createCluster({
      name: 'users',
      discovery: zookeeper({ servers: server.address, path, minIntervalMs: 10 }),
    });
    cleanups.push(() => users.close());
    const errors: string[] = [];
    users.subscribe((event) => {
      if (event.type === 'discovery-error') errors.push(event.error.message);
    });
    const metrics = createMetrics({ clusters: [users] });
    cleanups.push(() => Promise.resolve(metrics.close()));
    await users.ready();
    expect(errors).toEqual([
      `zookeeper ${path} at ${server.address}: 1 nodes left out, the first: b: no host:port`,
    ]);
    const page = await metrics.registry.metrics();
    expect(page).toContain('evenkeel_discovery_healthy{cluster="users",kind="zookeeper"} 1');
    expect(page).toContain('evenkeel_discovery_errors_total{cluster="users",kind="zookeeper"} 1');
    expect(page).toContain('evenkeel_discovery_silences_total{cluster="users",kind="zookeeper"} 0');
  });

  it('leaves no session behind when closed', async () => {
    await newPath();
    await writer.create(`${path}/a`, '10.0.0.1:80');
    const count = async (): Promise<number> =>
      Number(/zk_num_alive_connections\s+(\d+)/u.exec(await server.ask('mntr'))?.[1]);
    const before = await count();
    const watched = watch();
    await until(() => watched.ids !== undefined);
    expect(await count()).toBe(before + 1);
    await watched.resolver.close();
    expect(await count()).toBe(before);
  });

  it('follows a thousand changes a second, and ends with the last', async () => {
    await newPath();
    const COUNT = 64;
    const at = (index: number): string => `10.3.0.${index + 1}`;
    for (let index = 0; index < COUNT; index += 1) {
      await writer.create(`${path}/i${index}`, JSON.stringify({ host: at(index), port: 80 }));
    }
    const watched = watch({ minIntervalMs: 200 });
    await until(() => watched.ids?.length === COUNT);
    const before = watched.status.refreshCount;
    const startMs = performance.now();
    let changes = 0;
    for (let round = 1; performance.now() - startMs < 2_000; round += 1) {
      const write = (index: number): Promise<void> =>
        writer.set(
          `${path}/i${index}`,
          JSON.stringify({ host: at(index), port: 80, metadata: { round: String(round) } }),
        );
      await Promise.all(Array.from({ length: COUNT }, (_, index) => write(index)));
      changes += COUNT;
    }
    const seconds = (performance.now() - startMs) / 1_000;
    expect(changes / seconds).toBeGreaterThan(1_000);
    // A look begins at most every 200 ms.
    expect(watched.status.refreshCount - before).toBeLessThanOrEqual(5 * seconds + 3);
    expect(watched.recorder.errors).toEqual([]);
    const last = String(changes / COUNT);
    await until(
      () =>
        watched.recorder.sets
          .at(-1)
          ?.endpoints.every(({ metadata }) => metadata['round'] === last) === true,
    );
    expect(watched.ids).toHaveLength(COUNT);
  });

  it('holds 10,000 endpoints and reads of them only what changed', async () => {
    await newPath();
    const nodes = Array.from(
      { length: 10_000 },
      (_, index) =>
        [
          `${path}/i${index}`,
          JSON.stringify({ host: `10.100.${index >> 8}.${index & 255}`, port: 80 }),
        ] as const,
    );
    await writer.createMany(nodes);
    const watched = watch({ readTimeoutMs: 20_000, timeoutMs: 5_000 });
    await until(() => watched.ids?.length === 10_000);
    const received = async (): Promise<number> =>
      Number(/zk_packets_received\s+(\d+)/u.exec(await server.ask('mntr'))?.[1]);
    const before = await received();
    await writer.create(`${path}/new`, '10.200.0.1:80');
    await until(() => watched.ids?.length === 10_001);
    expect((await received()) - before).toBeLessThan(50);
    expect(watched.recorder.sets).toHaveLength(2);
    expect(watched.recorder.errors).toEqual([]);
  });
});
