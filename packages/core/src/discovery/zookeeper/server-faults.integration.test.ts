/**
 * Discovery against a real ZooKeeper server that is killed, paused, emptied, or denies access. In each case the set in
 * force stays sane, the failure is told, and recovery comes by itself, within the bounds that docs/guides/zookeeper.md
 * states; the short times of these tests are put in.
 */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { join } from 'node:path';
import { requireComponent } from '../../../../../test/support/require-component.ts';
import { createTemporaryDirectory } from '../../../../../test/support/temporary-directory.ts';
import { ZookeeperServer } from '../../../../../test/support/zookeeper-server.ts';
import { register } from '../../registration/register.ts';
import { zookeeperRegistry } from '../../registration/zookeeper/zookeeper-registry.ts';
import { until } from '../test-support/recorder.ts';
import type { ZookeeperOptions } from './config.ts';
import { Watched } from './test-support/watched.ts';
import { ZnodeWriter } from './test-support/znode-writer.ts';
import { silenceOf } from './zookeeper-source.ts';

const component = requireComponent('zookeeper');
const ids = (...numbers: number[]): string[] => numbers.map((number) => `10.0.0.${number}:80`);

describe.skipIf(component.path === undefined)('the server', () => {
  let server: ZookeeperServer;
  let writer: ZnodeWriter;
  let number = 0;
  let path = '';
  const cleanups: (() => Promise<unknown>)[] = [];

  beforeAll(async () => {
    server = await ZookeeperServer.start();
  });
  afterAll(() => server?.dispose());
  beforeEach(async () => {
    writer = await ZnodeWriter.connect(server.address);
    path = `/users-${(number += 1)}`;
    await writer.mkdirp(path);
  });
  afterEach(async () => {
    for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
    await writer.close();
  });

  /** The plain client is not relied upon after what happens to the server here. */
  const renewWriter = async (digest?: string): Promise<void> => {
    await writer.close();
    writer = await ZnodeWriter.connect(server.address, digest);
  };
  const add = (last: number): Promise<string> =>
    writer.create(`${path}/i${last}`, `10.0.0.${last}:80`, { ephemeral: false });
  const watch = (options: Partial<ZookeeperOptions> = {}): Watched => {
    const watched = new Watched({ servers: server.address, path, ...options });
    cleanups.push(() => watched.resolver.close());
    return watched;
  };
  /** A watch that has seen three instances. */
  const watchThree = async (options: Partial<ZookeeperOptions> = {}): Promise<Watched> => {
    for (const last of [1, 2, 3]) await add(last);
    const watched = watch(options);
    await until(() => watched.ids?.length === 3);
    return watched;
  };
  const isUnwell = (watched: Watched) => () => !watched.status.healthy;
  const isWell = (watched: Watched) => () => watched.status.healthy;

  it('is killed and comes back with its data', async () => {
    const watched = await watchThree();
    await server.kill();
    await until(isUnwell(watched));
    expect(watched.recorder.lastError).toMatch(/^zookeeper \/users-\d+ at 127/u);
    await until(() => watched.recorder.lastError?.includes('ECONNREFUSED') === true);
    await server.start();
    await until(isWell(watched));
    await renewWriter();
    await add(4);
    await until(() => watched.ids?.length === 4);
    expect(watched.leastSize).toBe(3);
    expect(watched.watch.resyncCount).toBeGreaterThan(0);
  });

  it('is killed and comes back without its data', async () => {
    const watched = await watchThree();
    await server.kill();
    server.loseData();
    await server.start();
    await until(() => watched.status.lastError?.includes('there is no such node') === true);
    expect(watched.ids).toEqual(ids(1, 2, 3));
    expect(watched.status.healthy).toBe(false);
    // The instances come back one by one, as their own registrations notice.
    await renewWriter();
    await writer.mkdirp(path);
    await add(1);
    await until(() => watched.watch.heldCount === 2);
    expect(watched.ids).toEqual(ids(1, 2, 3));
    expect(watched.warnings).toEqual([
      'guard: many endpoints vanished at once; keeping them for now',
    ]);
    await add(2);
    // The third is really gone: a second look confirms it, 0.7 s after it was first missed.
    await until(() => watched.ids?.length === 2);
    expect(watched.ids).toEqual(ids(1, 2));
    expect(watched.status).toMatchObject({ healthy: true, lastError: undefined });
    expect(watched.watch.guardTripCount).toBe(1);
  });

  it('is paused for longer than a session lasts', async () => {
    const watched = await watchThree();
    server.pause();
    await until(() => watched.watch.silenceCount === 1);
    expect(watched.recorder.errors[0]?.message).toMatch(
      new RegExp(`silent for ${silenceOf(1_500)} ms`, 'u'),
    );
    await until(() => watched.recorder.lastError?.includes('no session within 500 ms') === true);
    // In the end longer than the session.
    const errors = watched.recorder.errors.length;
    await until(() => watched.recorder.errors.length >= errors + 3);
    expect(watched.ids).toEqual(ids(1, 2, 3));
    server.resume();
    await until(isWell(watched));
    await renewWriter();
    await add(4);
    await until(() => watched.ids?.length === 4);
    expect(watched.leastSize).toBe(3);
  });

  it('suddenly lists nothing', async () => {
    const watched = await watchThree();
    await writer.removeAll(path);
    await until(() => watched.status.lastError?.includes('lists no endpoint') === true);
    expect(watched.ids?.length).toBeGreaterThan(0);
    expect(watched.status.healthy).toBe(false);
    await add(9);
    await until(() => watched.ids?.includes('10.0.0.9:80') === true);
    await until(() => watched.ids?.length === 1);
  });

  it('suddenly lists nothing, and the user wants that believed', async () => {
    const watched = await watchThree({ onEmpty: 'clear' });
    await writer.removeAll(path);
    await until(() => watched.ids?.length === 0);
    expect(watched.status.healthy).toBe(true);
  });

  it('suddenly denies access, and grants it again', async () => {
    await renewWriter('admin:pw');
    // A server does not tell of changes to those who may not see them: the next whole reading finds out.
    const watched = await watchThree({ maxAgeMs: 1_000 });
    await writer.restrict(path);
    await add(4);
    await until(() => watched.status.lastError?.includes('access denied') === true);
    expect(watched.ids).toEqual(ids(1, 2, 3));
    await writer.open(path);
    await until(isWell(watched));
    await until(() => watched.ids?.length === 4);
    expect(watched.leastSize).toBe(3);
  });

  it('is down when the program starts: the last known good set serves until it is back', async () => {
    const directory = await createTemporaryDirectory('zookeeper-lkg');
    cleanups.push(() => directory.remove());
    const lastKnownGood = { path: join(directory.path, 'users.lkg') };
    const before = await watchThree({ lastKnownGood });
    await before.resolver.close();
    await server.kill();

    const after = watch({ lastKnownGood });
    await until(() => after.ids?.length === 3);
    expect(after.ids).toEqual(ids(1, 2, 3));
    expect(after.status.healthy).toBe(false);
    expect(after.watch.restored).toBe(true);
    expect(after.warnings).toContain('the registry does not answer: using the last known good set');
    await server.start();
    await until(isWell(after));
    expect(after.watch.restored).toBe(false);
    expect(after.recorder.sets).toHaveLength(1);
  });
});

describe.skipIf(component.path === undefined)('an ensemble of three', () => {
  let servers: ZookeeperServer[] = [];
  const cleanups: (() => Promise<unknown>)[] = [];

  beforeAll(async () => {
    servers = await ZookeeperServer.startEnsemble(3);
  });
  afterAll(() => Promise.all(servers.map((server) => server.dispose())));
  afterEach(async () => {
    for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
  });

  const address = (): string => servers.map((server) => server.address).join(',');
  const leader = async (): Promise<ZookeeperServer> => {
    const modes = await Promise.all(servers.map((server) => server.mode()));
    return servers[modes.indexOf('leader')] ?? expect.unreachable('no leader');
  };
  const watch = (path: string): Watched => {
    const watched = new Watched({ servers: address(), path });
    cleanups.push(() => watched.resolver.close());
    return watched;
  };

  it('loses its leader, again and again: watches and announcements go on with the next', async () => {
    const writer = await ZnodeWriter.connect(address());
    cleanups.push(() => writer.close());
    await writer.mkdirp('/users');
    await writer.create('/users/a', '10.0.0.1:80', { ephemeral: false });
    const watched = Array.from({ length: 6 }, () => watch('/users'));
    const registration = register({
      registry: zookeeperRegistry({
        ...{ servers: address(), path: '/users' },
        ...{ sessionTimeoutMs: 6_000, connectTimeoutMs: 500, timeoutMs: 500 },
      }),
      ...{ service: 'users', address: '10.0.0.2', port: 80, lingerMs: 0 },
    });
    cleanups.push(() => registration.close());
    await until(() => watched.every(({ ids: found }) => found?.length === 2));
    for (const last of [3, 4]) {
      const old = await leader();
      await old.kill();
      await until(() => watched.some(({ status }) => !status.healthy));
      await until(() => watched.every(({ status }) => status.healthy));
      await old.start();
      const after = await ZnodeWriter.connect(address());
      await after.create(`/users/${last}`, `10.0.0.${last}:80`, { ephemeral: false });
      await after.close();
      await until(() => watched.every(({ ids: found }) => found?.length === last));
    }
    // The session outlived both leaders: the node was never gone.
    expect(registration.status().lostCount).toBe(0);
    expect(Math.min(...watched.map(({ leastSize }) => leastSize))).toBeGreaterThanOrEqual(1);
    expect(watched.every(({ ids: found }) => found?.includes('10.0.0.2:80'))).toBe(true);
  }, 40_000);

  it('loses two of three: what is left serves reads, and says that it may be old', async () => {
    const writer = await ZnodeWriter.connect(address());
    await writer.mkdirp('/orders');
    await writer.create('/orders/a', '10.0.0.1:80', { ephemeral: false });
    await writer.close();
    const watched = watch('/orders');
    await until(() => watched.ids?.length === 1);
    const [left, ...others] = servers;
    for (const server of others) await server.kill();
    await until(
      () =>
        watched.status.healthy && watched.status.lastError?.includes('lost its ensemble') === true,
    );
    expect(await left?.mode()).toBe('read-only');
    expect(watched.ids).toEqual(['10.0.0.1:80']);
    for (const server of others) await server.start();
    await until(() => watched.status.healthy && watched.status.lastError === undefined);
  }, 40_000);
});
