/** Registration in a real ZooKeeper, seen by discovery from the same server. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { requireComponent } from '../../../../../test/support/require-component.ts';
import { ZookeeperServer } from '../../../../../test/support/zookeeper-server.ts';
import { until } from '../../discovery/test-support/recorder.ts';
import type { ZookeeperOptions } from '../../discovery/zookeeper/config.ts';
import { TcpFaultProxy } from '../../discovery/zookeeper/test-support/tcp-fault-proxy.ts';
import { Watched } from '../../discovery/zookeeper/test-support/watched.ts';
import { ZnodeWriter } from '../../discovery/zookeeper/test-support/znode-writer.ts';
import type { RegisterOptions } from '../config.ts';
import { register } from '../register.ts';
import type { Registration } from '../registration.ts';
import { zookeeperRegistry, type ZookeeperRegistryOptions } from './zookeeper-registry.ts';

const component = requireComponent('zookeeper');
const LET_GO = fileURLToPath(new URL('test-support/let-go.ts', import.meta.url));
const ANNOUNCE = fileURLToPath(new URL('test-support/announce.ts', import.meta.url));

describe.skipIf(component.path === undefined)('registration in zookeeper', () => {
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
    path = `/services/orders-${(number += 1)}`;
  });
  afterEach(async () => {
    for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
    await writer.close();
  });

  const announce = (
    options: Partial<RegisterOptions> = {},
    registryOptions: Partial<ZookeeperRegistryOptions> = {},
  ): Registration => {
    const registration = register({
      registry: zookeeperRegistry({
        ...{ servers: server.address, path, sessionTimeoutMs: 1_500 },
        ...registryOptions,
      }),
      ...{ service: 'orders', address: '10.0.0.7', port: 3_000, lingerMs: 0 },
      ...options,
    });
    cleanups.push(() => registration.close());
    return registration;
  };
  const watch = (options: Partial<ZookeeperOptions> = {}): Watched => {
    const watched = new Watched({ servers: server.address, path, ...options });
    cleanups.push(() => watched.resolver.close());
    return watched;
  };
  const onlyNode = async (): Promise<{ name: string; data: string }> => {
    const names = await writer.children(path);
    expect(names).toHaveLength(1);
    const [name = ''] = names;
    return { name, data: await writer.get(`${path}/${name}`) };
  };

  const EVERYTHING = {
    weight: 5,
    tags: ['blue'],
    metadata: { version: 'v2' },
    locality: { zone: 'a' },
  } as const;

  it.each(['json', 'serverset', 'curator'] as const)(
    'announces as %s everything that discovery reads',
    async (format) => {
      await announce(EVERYTHING, { format }).ready();
      const [named, guessed] = [watch({ format }), watch()];
      await until(() => named.ids !== undefined && guessed.ids !== undefined);
      expect(named.recorder.sets[0]?.endpoints[0]).toMatchObject({
        id: '10.0.0.7:3000',
        weight: 5,
        locality: { zone: 'a' },
        metadata: { version: 'v2', 'tag.blue': 'true' },
      });
      expect(guessed.recorder.sets).toEqual(named.recorder.sets);
      expect(named.status.lastError).toBeUndefined();
    },
  );

  it('writes what Finagle reads: a member with a number, a status, an endpoint', async () => {
    await announce({}, { format: 'serverset' }).ready();
    const { name, data } = await onlyNode();
    expect(name).toMatch(/^member_[a-z0-9]+_\d{10}$/u);
    expect(JSON.parse(data)).toEqual({
      serviceEndpoint: { host: '10.0.0.7', port: 3_000 },
      additionalEndpoints: {},
      status: 'ALIVE',
      metadata: { weight: '1' },
    });
  });

  it('writes what Curator reads: a service instance under its id', async () => {
    const registration = announce({}, { format: 'curator' });
    await registration.ready();
    const { name, data } = await onlyNode();
    expect(name).toBe(registration.id);
    expect(JSON.parse(data)).toMatchObject({
      name: 'orders',
      id: registration.id,
      address: '10.0.0.7',
      port: 3_000,
      serviceType: 'DYNAMIC',
      registrationTimeUTC: expect.any(Number) as number,
    });
  });

  it('finds its own address where none is given', async () => {
    await announce({ address: undefined }).ready();
    const { data } = await onlyNode();
    const { host } = JSON.parse(data) as { host: string };
    expect(host).toMatch(/^[\da-f.:]+$/u);
  });

  it('tells its health, and clients heed it', async () => {
    const registration = announce({ weight: 10 }, { degradedWeight: 2 });
    await registration.ready();
    await writer.create(`${path}/other`, '10.0.0.8:80');
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

  it('takes the node away while unhealthy where the format has no word for it', async () => {
    const registration = announce({}, { format: 'host-port' });
    await registration.ready();
    expect((await onlyNode()).data).toBe('10.0.0.7:3000');
    registration.setHealth('unhealthy');
    const count = async (): Promise<number> => (await writer.children(path)).length;
    await eventually(async () => (await count()) === 0);
    const beats = registration.status().beatCount;
    await until(() => registration.status().beatCount > beats);
    expect(registration.status().lostCount).toBe(0);
    registration.setHealth('healthy');
    await eventually(async () => (await count()) === 1);
    expect(registration.status()).toMatchObject({ lostCount: 0, errorCount: 0 });
  });

  it('registers itself again when its node was removed', async () => {
    const registration = announce();
    await registration.ready();
    await writer.removeAll(path);
    await until(() => registration.status().lostCount === 1);
    await until(() => registration.status().state === 'announced');
    await onlyNode();
  });

  it('is gone when close() has resolved, and clients have heard of it', async () => {
    const registration = announce({ lingerMs: 200 });
    await registration.ready();
    await writer.create(`${path}/other`, '10.0.0.8:80');
    const watched = watch();
    await until(() => watched.ids?.length === 2);
    await registration.close();
    expect(await writer.children(path)).toEqual(['other']);
    expect(watched.ids).toEqual(['10.0.0.8:80']);
  });

  it('protects its node with its digest, and is told when it may not create one', async () => {
    const auth = { username: 'orders', password: 'very-secret' };
    const registration = announce({}, { auth });
    await registration.ready();
    const { name } = await onlyNode();
    await expect(writer.set(`${path}/${name}`, 'hijacked')).rejects.toThrow(/NO_AUTH/u);

    const owner = await ZnodeWriter.connect(server.address, 'admin:pw');
    cleanups.push(() => owner.close());
    await owner.create(`${path}-closed`, '', { ephemeral: false, acl: 'creator' });
    const refused = announce({}, { auth, path: `${path}-closed` });
    await until(() => refused.status().errorCount > 1);
    expect(refused.status().lastError).toMatch(/access denied/u);
    expect(refused.status().lastError).not.toContain('secret');
    await owner.open(`${path}-closed`);
    await refused.ready();
  });

  describe('when a node of its name is there already', () => {
    it('replaces at once what an earlier run with the same address has left', async () => {
      const earlier = await ZnodeWriter.connect(server.address);
      cleanups.push(() => earlier.close());
      await earlier.mkdirp(path);
      const data = '{"host":"10.0.0.7","port":3000,"weight":9}';
      await earlier.create(`${path}/orders-1`, data);
      await announce({ id: 'orders-1' }).ready();
      await earlier.close();
      expect(JSON.parse((await onlyNode()).data)).toMatchObject({ weight: 1 });
    });

    it('waits for the end of somebody with another address', async () => {
      const other = await ZnodeWriter.connect(server.address);
      cleanups.push(() => other.close());
      await other.mkdirp(path);
      await other.create(`${path}/orders-1`, '{"host":"10.0.0.9","port":3000}');
      const registration = announce({ id: 'orders-1' });
      await until(() => registration.status().errorCount > 1);
      expect(registration.status().lastError).toMatch(/belongs to another session, 0x[\da-f]+/u);
      expect((await onlyNode()).data).toContain('10.0.0.9');
      await other.close();
      await registration.ready();
      expect((await onlyNode()).data).toContain('10.0.0.7');
    });

    it('leaves one alone that is not ephemeral', async () => {
      await writer.mkdirp(path);
      await writer.create(`${path}/orders-1`, 'config', { ephemeral: false });
      const registration = announce({ id: 'orders-1' });
      await until(() => registration.status().errorCount > 0);
      expect(registration.status().lastError).toMatch(/is there already, and not ephemeral/u);
      expect((await onlyNode()).data).toBe('config');
    });
  });

  it.each([true, false])(
    'makes one node although the answer to its creation is lost (sequential: %s)',
    async (sequential) => {
      await writer.mkdirp(path);
      const proxy = await TcpFaultProxy.start({ port: server.port });
      cleanups.push(() => proxy.close());
      proxy.fault = { kind: 'answer', bytes: Buffer.alloc(0) };
      const registration = announce({}, { servers: proxy.address, sequential });
      await until(() => registration.status().errorCount > 0);
      expect(await writer.children(path)).toHaveLength(1);
      proxy.fault = { kind: 'none' };
      await registration.ready();
      await onlyNode();
      await registration.close();
      expect(await writer.children(path)).toEqual([]);
    },
  );

  it('comes back by itself after its process was stopped for longer than its session', async () => {
    await writer.mkdirp(path);
    const child = spawn(
      process.execPath,
      ['--conditions=@evenkeel/source', ANNOUNCE, server.address, path],
      { stdio: ['pipe', 'ignore', 'inherit'] },
    );
    cleanups.push(() => stop(child));
    const count = async (): Promise<number> => (await writer.children(path)).length;
    await eventually(async () => (await count()) === 1);
    child.kill('SIGSTOP');
    await eventually(async () => (await count()) === 0);
    child.kill('SIGCONT');
    await eventually(async () => (await count()) === 1);
  });

  it('lets a program end that is done, with discovery and registration running', async () => {
    const child = spawn(
      process.execPath,
      ['--conditions=@evenkeel/source', LET_GO, server.address, path],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
    cleanups.push(() => stop(child));
    let output = '';
    child.stdout?.on('data', (chunk: Buffer) => void (output += String(chunk)));
    const [code] = (await once(child, 'exit')) as [number | null];
    expect({ code, output }).toEqual({ code: 0, output: 'ready\n' });
  });

  describe('when the server', () => {
    it('is killed and comes back with its data, it keeps its session', async () => {
      const registration = announce({}, { sessionTimeoutMs: 5_000, timeoutMs: 500 });
      await registration.ready();
      const { name } = await onlyNode();
      await server.kill();
      await until(() => registration.status().errorCount > 0);
      await server.start();
      await until(() => registration.status().lastError === undefined);
      await writer.close();
      writer = await ZnodeWriter.connect(server.address);
      expect((await onlyNode()).name).toBe(name);
      expect(registration.status().lostCount).toBe(0);
    });

    it('is killed and comes back without its data, it registers itself again', async () => {
      const registration = announce();
      await registration.ready();
      await server.kill();
      server.loseData();
      await server.start();
      await until(() => registration.status().lostCount > 0);
      await until(() => registration.status().state === 'announced');
      await writer.close();
      writer = await ZnodeWriter.connect(server.address);
      await onlyNode();
    });

    it('is paused for longer than the session, the node is there afterwards', async () => {
      const registration = announce();
      await registration.ready();
      server.pause();
      const startMs = performance.now();
      await until(() => performance.now() - startMs > 2_000);
      expect(registration.status().errorCount).toBeGreaterThan(1);
      server.resume();
      await until(() => registration.status().lastError === undefined);
      const beats = registration.status().beatCount;
      await until(() => registration.status().beatCount > beats + 1);
      await writer.close();
      writer = await ZnodeWriter.connect(server.address);
      await onlyNode();
    });
  });
});

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = once(child, 'exit');
  child.kill('SIGCONT');
  child.kill('SIGKILL');
  await exit;
}

async function eventually(condition: () => Promise<boolean>): Promise<void> {
  const endMs = performance.now() + 8_000;
  while (!(await condition())) {
    if (performance.now() > endMs) throw new Error(`did not happen: ${condition.toString()}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
