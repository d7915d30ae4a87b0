/**
 * Discovery against a real ZooKeeper behind a network that fails or lies. In each case the set in force stays sane, the
 * failure is told, and recovery comes by itself, within the bounds that docs/guides/zookeeper.md states; the short
 * times of these tests are put in.
 */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  NetworkNamespace,
  requireNamespaces,
} from '../../../../../test/support/network-namespace.ts';
import { requireComponent } from '../../../../../test/support/require-component.ts';
import { ZookeeperServer } from '../../../../../test/support/zookeeper-server.ts';
import { register } from '../../registration/register.ts';
import { zookeeperRegistry } from '../../registration/zookeeper/zookeeper-registry.ts';
import { until } from '../test-support/recorder.ts';
import type { ZookeeperOptions } from './config.ts';
import { type Fault, frameOf, TcpFaultProxy } from './test-support/tcp-fault-proxy.ts';
import { QUICK, Watched } from './test-support/watched.ts';
import { ZnodeWriter } from './test-support/znode-writer.ts';
import { silenceOf } from './zookeeper-source.ts';

const component = requireComponent('zookeeper');
const { ip } = await requireNamespaces();
const ids = (...numbers: number[]): string[] => numbers.map((number) => `10.0.0.${number}:80`);

describe.skipIf(component.path === undefined)('zookeeper', () => {
  let server: ZookeeperServer;
  let writer: ZnodeWriter;
  let proxy: TcpFaultProxy;
  let number = 0;
  let path = '';
  const cleanups: (() => Promise<unknown>)[] = [];

  beforeAll(async () => {
    server = await ZookeeperServer.start();
    writer = await ZnodeWriter.connect(server.address);
  });
  afterAll(async () => {
    await writer?.close();
    await server?.dispose();
  });
  beforeEach(async () => {
    path = `/users-${(number += 1)}`;
    await writer.mkdirp(path);
    proxy = await TcpFaultProxy.start({ port: server.port });
    cleanups.push(() => proxy.close());
  });
  afterEach(async () => {
    for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
  });

  const add = (last: number): Promise<string> =>
    writer.create(`${path}/i${last}`, `10.0.0.${last}:80`);
  const watch = (options: Partial<ZookeeperOptions> = {}): Watched => {
    const watched = new Watched({ servers: proxy.address, path, ...options });
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
  const isWell = (watched: Watched) => () => watched.status.healthy;

  const HTTP = Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n');
  it.each<{ what: string; fault: Fault; says: RegExp }>([
    {
      what: 'answers in HTTP to the handshake',
      fault: { kind: 'handshake', bytes: HTTP },
      says: /no ZooKeeper server: a frame of \d+ bytes/u,
    },
    {
      what: 'answers the handshake with a frame that is none',
      fault: { kind: 'handshake', bytes: frameOf(0, 10_000, 1) },
      says: /no ZooKeeper server: its first answer makes no sense/u,
    },
    {
      what: 'answers the handshake with nothing',
      fault: { kind: 'handshake', bytes: Buffer.alloc(0) },
      says: /no session within 500 ms/u,
    },
    {
      what: 'answers a question in HTTP',
      fault: { kind: 'answer', bytes: HTTP },
      says: /a frame of \d+ bytes/u,
    },
    {
      what: 'answers with a negative length',
      fault: { kind: 'answer', bytes: Buffer.from('fffffff0', 'hex') },
      says: /a frame of -16 bytes/u,
    },
    {
      what: 'answers with a frame that is too short',
      fault: { kind: 'answer', bytes: frameOf(0) },
      says: /an answer that makes no sense: too short/u,
    },
    {
      what: 'answers with an error that the library does not know: session moved',
      fault: { kind: 'answer', bytes: frameOf(0, 0, 0, -118) },
      says: /the server failed with -118/u,
    },
    {
      what: 'answers something that was not asked',
      fault: { kind: 'answer', bytes: frameOf(4_711, 0, 0, 0) },
      says: /an answer to nothing that was asked/u,
    },
    {
      what: 'answers with a list that is longer than its frame',
      fault: { kind: 'answer', bytes: frameOf(0, 0, 0, 0, 2_000_000_000, 7) },
      says: /makes no sense/u,
    },
    {
      what: 'announces a change of a kind that there is not',
      fault: { kind: 'answer', bytes: frameOf(-1, 0, 0, 0, 99, 3, 0) },
      says: /makes no sense: Unknown event/u,
    },
    { what: 'cuts every answer off', fault: { kind: 'cut' }, says: /closed the connection/u },
    { what: 'resets every connection', fault: { kind: 'reset' }, says: /ECONNRESET|closed/u },
  ])('$what', async ({ fault, says }) => {
    const watched = await watchThree();
    proxy.fault = fault;
    // Something to answer.
    await add(4);
    if (fault.kind === 'handshake') proxy.reset();
    await until(() => watched.recorder.errors.some(({ message }) => says.test(message)));
    await until(() => watched.recorder.errors.length >= 2);
    expect(watched.ids).toEqual(ids(1, 2, 3));
    proxy.fault = { kind: 'none' };
    await until(isWell(watched));
    await until(() => watched.ids?.length === 4);
    expect(watched.leastSize).toBe(3);
  });

  it('delays answers, by less and by more than the time they have', async () => {
    // A session so long that it is the deadline of a call that ends it, and not the silence.
    const watched = await watchThree({ sessionTimeoutMs: 6_000 });
    proxy.fault = { kind: 'delay', delayMs: 200 };
    await add(4);
    await until(() => watched.ids?.length === 4);
    expect(watched.recorder.errors).toEqual([]);
    proxy.fault = { kind: 'delay', delayMs: 1_200 };
    await add(5);
    const isTold = (text: string) => () =>
      watched.recorder.errors.some(({ message }) => message.includes(text));
    await until(isTold('no answer within 700 ms'));
    await until(isTold('no session within 500 ms'));
    expect(watched.ids).toHaveLength(4);
    proxy.fault = { kind: 'none' };
    await until(() => watched.ids?.length === 5);
    expect(watched.status.healthy).toBe(true);
  });

  it('opens one connection at a time, and not more than the backoff allows', async () => {
    const watched = await watchThree({ maxBackoffMs: 300 });
    proxy.fault = { kind: 'answer', bytes: HTTP };
    await add(4);
    const before = proxy.connectionCount;
    const startMs = performance.now();
    await until(() => watched.recorder.errors.length >= 8);
    const made = proxy.connectionCount - before;
    expect(made).toBeLessThanOrEqual(9);
    expect(proxy.openCount).toBeLessThanOrEqual(1);
    // Full jitter: 150 ms a try in the long run; some of the eight may be short.
    expect(performance.now() - startMs).toBeGreaterThan(100);
    proxy.fault = { kind: 'none' };
    await until(isWell(watched));
  });

  it('takes another server when one gives no session', async () => {
    for (const last of [1, 2, 3]) await add(last);
    const dead = await TcpFaultProxy.start({ port: server.port });
    cleanups.push(() => dead.close());
    dead.fault = { kind: 'handshake', bytes: Buffer.alloc(0) };
    const watched = watch({ servers: [dead.address, proxy.address] });
    await until(() => watched.ids?.length === 3);
    // And when one that did breaks down.
    dead.fault = { kind: 'none' };
    proxy.fault = { kind: 'reset' };
    proxy.reset();
    await add(4);
    await until(() => watched.ids?.length === 4);
    expect(watched.leastSize).toBe(3);
  });

  it.skipIf(ip === undefined)(
    'drops all packets: a half-open connection',
    async () => {
      const namespace = await NetworkNamespace.create(ip ?? '');
      cleanups.push(() => namespace.dispose());
      const far = await ZookeeperServer.start({ namespace });
      cleanups.push(() => far.dispose());
      const inside = await ZnodeWriter.connect(far.address);
      await inside.mkdirp('/users');
      for (const last of [1, 2, 3]) {
        await inside.create(`/users/i${last}`, `10.0.0.${last}:80`, { ephemeral: false });
      }
      await inside.close();
      const watched = watch({ servers: far.address, path: '/users' });
      const registration = register({
        registry: zookeeperRegistry({ ...connection, servers: far.address, path: '/orders' }),
        service: 'orders',
        address: '10.0.1.1',
        port: 80,
        lingerMs: 0,
      });
      cleanups.push(() => registration.close());
      await Promise.all([until(() => watched.ids?.length === 3), registration.ready()]);

      await namespace.cut();
      const cutMs = performance.now();
      await until(() => watched.watch.silenceCount === 1);
      const limitMs = silenceOf(QUICK.sessionTimeoutMs ?? 0);
      // Twice the bound: a busy machine may be late with its timers, but not by a session.
      expect(performance.now() - cutMs).toBeLessThan(2 * limitMs);
      expect(watched.recorder.lastError).toMatch(/silent for 1000 ms/u);
      await until(() => watched.recorder.lastError?.includes('no session within 500 ms') === true);
      expect(watched.ids).toEqual(ids(1, 2, 3));
      expect(watched.status.healthy).toBe(false);
      await until(() => registration.status().errorCount > 1);

      await namespace.heal();
      await until(isWell(watched));
      await until(() => registration.status().lastError === undefined);
      const after = await ZnodeWriter.connect(far.address);
      cleanups.push(() => after.close());
      await after.create('/users/i4', '10.0.0.4:80');
      await until(() => watched.ids?.length === 4);
      expect(watched.leastSize).toBe(3);
      const orders = watch({ servers: far.address, path: '/orders' });
      await until(() => orders.ids?.join() === '10.0.1.1:80');
    },
    40_000,
  );
});

const connection = { sessionTimeoutMs: 1_500, connectTimeoutMs: 400, timeoutMs: 500 };
