/** Discovery from a real cluster of three etcd servers, and registration in it, while members fail. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { EtcdServer } from '../../../../../test/support/etcd-server.ts';
import { requireComponent } from '../../../../../test/support/require-component.ts';
import { etcdRegistry } from '../../registration/etcd/etcd-registry.ts';
import { register } from '../../registration/register.ts';
import { until } from '../test-support/recorder.ts';
import { StreamFaultProxy } from './test-support/stream-fault-proxy.ts';
import { Watched } from './test-support/watched.ts';

const component = requireComponent('etcd');
const PREFIX = '/services/users/';
const idOf = (number: number): string => `10.0.0.${number}:80`;
const ids = (...numbers: number[]): string[] => numbers.map(idOf);

describe.skipIf(component.path === undefined)('three etcd servers', () => {
  let servers: readonly EtcdServer[];
  let proxies: readonly StreamFaultProxy[];
  const cleanups: (() => Promise<unknown>)[] = [];

  beforeEach(async () => {
    servers = await EtcdServer.startCluster(component.path ?? '', 3);
    for (const server of servers) cleanups.push(() => server.dispose());
    proxies = await Promise.all(servers.map(({ port }) => StreamFaultProxy.start(port)));
    for (const proxy of proxies) cleanups.push(() => proxy.close());
  });
  afterEach(async () => {
    for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
  });

  const putAt = (server: EtcdServer | undefined, number: number): Promise<void> | undefined =>
    server?.put(`${PREFIX}${number}`, idOf(number));
  /** A write may find no leader for a moment. */
  const putSomewhere = async (number: number): Promise<void> => {
    const endMs = performance.now() + 8_000;
    for (;;) {
      for (const server of servers) {
        try {
          // Without a leader a member keeps writers waiting.
          await within(500, server.put(`${PREFIX}${number}`, idOf(number)));
          return;
        } catch (error) {
          if (performance.now() > endMs) throw error;
        }
      }
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  };
  const watchThree = async (): Promise<Watched> => {
    for (const number of [1, 2, 3]) await putSomewhere(number);
    const endpoints = proxies.map(({ address }) => address);
    const watched = new Watched({ endpoints, prefix: PREFIX });
    cleanups.push(() => watched.resolver.close());
    await until(() => watched.ids?.length === 3 && watchedAt() !== undefined);
    return watched;
  };
  /** Number of the member that the watch is at. */
  const watchedAt = (): number | undefined => {
    const index = proxies.findIndex((proxy) => proxy.countOf('/v3/watch') > 0);
    return index < 0 ? undefined : index;
  };
  const leader = async (): Promise<number> => {
    for (const [index, server] of servers.entries()) if (await server.isLeader()) return index;
    throw new Error('no leader');
  };
  const isWell = (watched: Watched) => () => watched.status.healthy;

  it('one that the watch is at is killed: another goes on, and it comes back', async () => {
    const watched = await watchThree();
    const index = watchedAt() ?? 0;
    await servers[index]?.kill();
    await until(() => watched.recorder.errors.length > 0);
    await until(isWell(watched));
    await putSomewhere(4);
    await until(() => watched.ids?.length === 4);
    // The dead member is left alone: it costs an error once, not again and again.
    expect(watched.recorder.errors.length).toBeLessThanOrEqual(2);
    expect(watched.leastSize).toBe(3);
    await servers[index]?.start();
    await putAt(servers[index], 5);
    await until(() => watched.ids?.length === 5);
  }, 30_000);

  it('the leader is killed: the set stays, and changes come through the next one', async () => {
    const watched = await watchThree();
    await servers[await leader()]?.kill();
    await putSomewhere(4);
    await until(() => watched.ids?.length === 4);
    await until(isWell(watched));
    expect(watched.leastSize).toBe(3);
  }, 30_000);

  it('the one that the watch is at falls silent: another is asked', async () => {
    const watched = await watchThree();
    await until(() => watched.status.refreshCount > 1);
    const index = watchedAt() ?? 0;
    servers[index]?.pause();
    await putSomewhereElse(index, 4);
    await until(() => watched.ids?.length === 4);
    expect(watched.watch.silenceCount).toBe(1);
    expect(watched.leastSize).toBe(3);
    servers[index]?.resume();
  }, 30_000);

  it('two of three are gone: the last one says that it has no leader, and the set stays', async () => {
    const watched = await watchThree();
    await until(() => watched.status.refreshCount > 1);
    const index = watchedAt() ?? 0;
    const others = servers.filter((_, number) => number !== index);
    await Promise.all(others.map((server) => server.kill()));
    await until(() => /no leader/u.test(watched.recorder.errors.map(String).join()));
    expect(watched.ids).toEqual(ids(1, 2, 3));
    await Promise.all(others.map((server) => server.start()));
    await putSomewhere(4);
    await until(() => watched.ids?.length === 4);
    await until(isWell(watched));
    expect(watched.leastSize).toBe(3);
  }, 30_000);

  it('a registration outlives each of them in turn', async () => {
    const registry = etcdRegistry({
      endpoints: proxies.map(({ address }) => address),
      ttlMs: 3_000,
      timeoutMs: 500,
    });
    const registration = register({
      registry,
      service: 'users',
      port: 80,
      address: '10.0.0.9',
      lingerMs: 0,
    });
    cleanups.push(() => registration.close());
    await registration.ready();
    const key = `${PREFIX}${registration.id}`;
    for (const server of servers) {
      await server.kill();
      const before = registration.status().beatCount;
      await until(() => registration.status().beatCount > before);
      await server.start();
    }
    expect(registration.status()).toMatchObject({ state: 'announced', lostCount: 0 });
    expect(await valueOf(key)).toContain('10.0.0.9');
    await registration.close();
    expect(await valueOf(key)).toBeUndefined();
  }, 60_000);

  /** A member that has just come back may have to find the leader first. */
  async function valueOf(key: string): Promise<string | undefined> {
    const endMs = performance.now() + 8_000;
    for (;;) {
      try {
        return await within(1_000, servers[0]?.get(key) ?? Promise.resolve(undefined));
      } catch (error) {
        if (performance.now() > endMs) throw error;
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    }
  }

  async function putSomewhereElse(not: number, number: number): Promise<void> {
    const endMs = performance.now() + 8_000;
    for (;;) {
      const server = servers[(not + 1) % servers.length];
      try {
        await within(500, putAt(server, number) ?? Promise.resolve());
        return;
      } catch (error) {
        if (performance.now() > endMs) throw error;
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    }
  }
});

function within<T>(limitMs: number, promise: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`not within ${limitMs} ms`)), limitMs);
    promise.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
