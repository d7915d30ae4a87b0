/**
 * Discovery against a real Consul server that is killed, paused, emptied, or denies access. In each case the set in force
 * stays sane, the failure is told, and recovery comes by itself, within the bounds that docs/guides/consul.md states;
 * the short times of these tests are put in.
 */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ConsulAgent } from '../../../../../test/support/consul-agent.ts';
import { requireComponent } from '../../../../../test/support/require-component.ts';
import { createTemporaryDirectory } from '../../../../../test/support/temporary-directory.ts';
import { until } from '../test-support/recorder.ts';
import type { ConsulOptions } from './config.ts';
import { silenceOf } from './consul-source.ts';
import { FaultProxy } from '../../../../../test/support/fault-proxy.ts';
import { Watched } from './test-support/watched.ts';

const component = requireComponent('consul');
const NAME = 'users';
const instance = (number: number) => ({ name: NAME, address: `10.0.0.${number}`, port: 80 });
const ids = (...numbers: number[]): string[] => numbers.map((number) => `10.0.0.${number}:80`);

type OnFinished = (cleanup: () => Promise<void>) => void;

interface Scene {
  readonly agent: ConsulAgent;
  readonly proxy: FaultProxy;
  readonly watch: (options?: Partial<ConsulOptions>) => Watched;
  /** A watch that has seen three instances. */
  readonly watchThree: (options?: Partial<ConsulOptions>) => Promise<Watched>;
  /** A folder of this test. */
  readonly directory: () => Promise<string>;
}

/** Each test has a server of its own, so that they can wait side by side. */
async function start(
  onTestFinished: OnFinished,
  options: { readonly acl?: { readonly token: string } } = {},
): Promise<Scene> {
  const agent = await ConsulAgent.start(component.path ?? '', options);
  onTestFinished(() => agent.dispose());
  const proxy = await FaultProxy.start(agent.port);
  onTestFinished(() => proxy.close());
  const watch = (given: Partial<ConsulOptions> = {}): Watched => {
    const watched = new Watched({ address: proxy.address, service: NAME, ...given });
    onTestFinished(() => watched.resolver.close());
    return watched;
  };
  return {
    agent,
    proxy,
    watch,
    watchThree: async (given) => {
      for (const number of [1, 2, 3]) await agent.register(instance(number));
      const watched = watch(given);
      await until(() => watched.ids?.length === 3);
      return watched;
    },
    directory: async () => {
      const directory = await createTemporaryDirectory('consul');
      onTestFinished(() => directory.remove());
      return directory.path;
    },
  };
}

const isUnwell = (watched: Watched) => () => !watched.status.healthy;
const isWell = (watched: Watched) => () => watched.status.healthy;

describe.skipIf(component.path === undefined)('consul', { concurrent: true }, () => {
  describe('the server', () => {
    it('is killed and comes back with its data', async ({ onTestFinished }) => {
      const { agent, watchThree } = await start(onTestFinished);
      const watched = await watchThree();
      await agent.kill();
      await until(isUnwell(watched));
      expect(watched.recorder.lastError).toMatch(/^consul users at http:/u);
      await agent.start();
      await until(isWell(watched));
      await agent.register(instance(4));
      await until(() => watched.ids?.length === 4);
      expect(watched.leastSize).toBe(3);
      expect(watched.watch.resyncCount).toBeGreaterThan(0);
    });

    it('is killed and comes back without its data', async ({ onTestFinished }) => {
      const { agent, watchThree } = await start(onTestFinished);
      const watched = await watchThree();
      await agent.kill();
      agent.loseData();
      await agent.start();
      await until(() => watched.status.lastError?.includes('lists no endpoint') === true);
      expect(watched.ids).toEqual(ids(1, 2, 3));
      // The instances come back one by one, as their own registrations notice.
      await agent.register(instance(1));
      await until(() => watched.watch.heldCount === 2);
      expect(watched.ids).toEqual(ids(1, 2, 3));
      expect(watched.warnings).toEqual([
        'guard: many endpoints vanished at once; keeping them for now',
      ]);
      await agent.register(instance(2));
      // The third is really gone: a second look confirms it, 0.7 s after it was first missed.
      await until(() => watched.ids?.length === 2);
      expect(watched.ids).toEqual(ids(1, 2));
      expect(watched.status).toMatchObject({ healthy: true, lastError: undefined });
    });

    it('is paused for longer than the watchdog waits', async ({ onTestFinished }) => {
      const { agent, watchThree } = await start(onTestFinished);
      const watched = await watchThree();
      agent.pause();
      await until(() => watched.watch.silenceCount === 1);
      expect(watched.recorder.errors[0]?.message).toMatch(
        new RegExp(`silent for ${silenceOf(1_000)} ms`, 'u'),
      );
      await until(() => watched.recorder.lastError?.includes('no answer within 1000 ms') === true);
      expect(watched.ids).toEqual(ids(1, 2, 3));
      agent.resume();
      await until(isWell(watched));
      await agent.register(instance(4));
      await until(() => watched.ids?.length === 4);
      expect(watched.leastSize).toBe(3);
    }, 30_000);

    it('suddenly lists nothing', async ({ onTestFinished }) => {
      const { agent, proxy, watchThree } = await start(onTestFinished);
      const watched = await watchThree();
      for (const number of [1, 2, 3]) await agent.deregister(instance(number));
      await until(() => watched.status.lastError?.includes('lists no endpoint') === true);
      // Sure of it after the time of a second look, too.
      await until(() => proxy.requests.length > 8);
      expect(watched.ids?.length).toBeGreaterThan(0);
      expect(watched.status.healthy).toBe(false);
      await agent.register(instance(9));
      await until(() => watched.ids?.includes('10.0.0.9:80') === true);
      await until(() => watched.ids?.length === 1);
    });

    it('suddenly lists nothing, and the user wants that believed', async ({ onTestFinished }) => {
      const { agent, proxy, watchThree } = await start(onTestFinished);
      const watched = await watchThree({ onEmpty: 'clear' });
      const node = instance(1);
      await agent.put('/v1/catalog/register', { Node: 'x', Address: '127.0.0.1' });
      for (const number of [1, 2, 3]) await agent.deregister({ ...node, ...instance(number) });
      await until(() => watched.ids?.length === 0);
      expect(proxy.requests.some((url) => url.includes('consistent'))).toBe(true);
    });
  });

  describe('a last known good set on disk', () => {
    it('serves a start while the server is down, until it is back', async ({ onTestFinished }) => {
      const { agent, watch, watchThree, directory } = await start(onTestFinished);
      const lastKnownGood = { path: join(await directory(), 'users.lkg') };
      const before = await watchThree({ lastKnownGood });
      await before.resolver.close();
      await agent.kill();

      const after = watch({ lastKnownGood });
      await until(() => after.ids?.length === 3);
      expect(after.ids).toEqual(ids(1, 2, 3));
      expect(after.status.healthy).toBe(false);
      expect(after.watch.restored).toBe(true);
      expect(after.warnings).toContain(
        'the registry does not answer: using the last known good set',
      );
      await agent.start();
      await until(isWell(after));
      expect(after.watch.restored).toBe(false);
      expect(after.recorder.sets).toHaveLength(1);
    });
  });

  it('keeps the sets of sources apart that share a file by mistake', async ({ onTestFinished }) => {
    const { agent, watch, watchThree, directory } = await start(onTestFinished);
    const lastKnownGood = { path: join(await directory(), 'shared.lkg') };
    const users = await watchThree({ lastKnownGood });
    await users.resolver.close();
    await agent.kill();
    const orders = watch({ service: 'orders', lastKnownGood });
    await until(() => orders.recorder.errors.length > 1);
    expect(orders.recorder.sets).toEqual([]);
    expect(orders.warnings).toEqual(['no set from disk']);
  });
});

describe.skipIf(component.path === undefined)('consul with ACLs', { concurrent: true }, () => {
  const READ = 'service_prefix "" { policy = "read" } node_prefix "" { policy = "read" }';

  interface Made {
    readonly ID: string;
    readonly AccessorID: string;
    readonly SecretID: string;
  }

  /** A scene with ACLs, and the file of a token. */
  const startGuarded = async (onTestFinished: OnFinished) => {
    const scene = await start(onTestFinished, {
      acl: { token: '4f1f3c0e-5b6a-4a53-9d1b-5b3a7f6f2f10' },
    });
    const { agent, directory } = scene;
    return {
      ...scene,
      tokenFile: join(await directory(), 'token'),
      makePolicy: async (Rules: string): Promise<Made> =>
        (await agent.put('/v1/acl/policy', { Name: 'reader', Rules })) as Made,
      makeToken: async (): Promise<Made> =>
        (await agent.put('/v1/acl/token', { Policies: [{ Name: 'reader' }] })) as Made,
    };
  };

  it('takes a rotated token from its file, and keeps the set while the token is worth nothing', async ({
    onTestFinished,
  }) => {
    const { agent, watchThree, tokenFile, makePolicy, makeToken } =
      await startGuarded(onTestFinished);
    await makePolicy(READ);
    const first = await makeToken();
    await writeFile(tokenFile, `${first.SecretID}\n`);
    const watched = await watchThree({ tokenFile });

    // Revoked: refused outright.
    await agent.delete(`/v1/acl/token/${first.AccessorID}`);
    await until(() => watched.recorder.lastError?.includes('answered 403') === true);
    expect(watched.recorder.lastError).not.toContain(first.SecretID);
    expect(watched.ids).toEqual(ids(1, 2, 3));

    await writeFile(tokenFile, '');
    await until(() => watched.recorder.lastError?.includes('holds no token') === true);

    await writeFile(tokenFile, (await makeToken()).SecretID);
    await until(() => watched.status.healthy);
    await agent.register(instance(4));
    await until(() => watched.ids?.length === 4);
    expect(watched.leastSize).toBe(3);
  }, 30_000);

  it('keeps the set while the token sees nothing: the answer is 200, an empty list, under the old index', async ({
    onTestFinished,
  }) => {
    const { agent, watchThree, tokenFile, makePolicy, makeToken } =
      await startGuarded(onTestFinished);
    const policy = await makePolicy(READ);
    await writeFile(tokenFile, (await makeToken()).SecretID);
    const watched = await watchThree({ tokenFile });
    const changePolicy = (Rules: string): Promise<unknown> =>
      agent.put(`/v1/acl/policy/${policy.ID}`, { ID: policy.ID, Name: 'reader', Rules });

    await changePolicy('');
    await until(() => !watched.status.healthy);
    expect(watched.recorder.lastError).toMatch(/lists no endpoint; keeping the last 3$/u);
    expect(watched.ids).toEqual(ids(1, 2, 3));

    // Nothing of the service has changed, so the index has not either.
    await changePolicy(READ);
    await until(() => watched.status.healthy);
    expect(watched.leastSize).toBe(3);
    expect(watched.recorder.sets).toHaveLength(1);

    // Rights to another service only, and a change of this one: the list is empty under a new index.
    await changePolicy('service "other" { policy = "read" } node_prefix "" { policy = "read" }');
    await until(() => !watched.status.healthy);
    await agent.register(instance(4));
    await changePolicy(READ);
    await until(() => watched.ids?.length === 4);
    expect(watched.leastSize).toBe(3);
  }, 30_000);

  it('holds what a token no longer sees of a service, until a second look agrees', async ({
    onTestFinished,
  }) => {
    const { agent, watch, tokenFile, makePolicy, makeToken } = await startGuarded(onTestFinished);
    for (const number of [1, 2, 3]) await agent.register(instance(number));
    await agent.catalog('edge-1', [{ name: NAME, address: '10.0.0.7', port: 80 }]);
    const policy = await makePolicy(READ);
    await writeFile(tokenFile, (await makeToken()).SecretID);
    const watched = watch({ tokenFile });
    await until(() => watched.ids?.length === 4);
    const Rules = 'service_prefix "" { policy = "read" } node "edge-1" { policy = "read" }';
    await agent.put(`/v1/acl/policy/${policy.ID}`, { ID: policy.ID, Name: 'reader', Rules });
    await until(() => watched.watch.heldCount === 3);
    expect(watched.ids).toHaveLength(4);
    await until(() => watched.ids?.length === 1);
    expect(watched.watch.guardTripCount).toBe(1);
  }, 30_000);
});
