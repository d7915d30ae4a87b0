/**
 * Discovery against a real Consul server that is killed, paused, emptied, or denies access. In each case the set in force
 * stays sane, the failure is told, and recovery comes by itself, within the bounds that docs/guides/consul.md states;
 * the short times of these tests are put in.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ConsulAgent } from '../../../../../test/support/consul-agent.ts';
import { requireComponent } from '../../../../../test/support/require-component.ts';
import { until } from '../test-support/recorder.ts';
import type { ConsulOptions } from './config.ts';
import { silenceOf } from './consul-source.ts';
import { FaultProxy } from './test-support/fault-proxy.ts';
import { Watched } from './test-support/watched.ts';

const component = requireComponent('consul');
const NAME = 'users';
const instance = (number: number) => ({ name: NAME, address: `10.0.0.${number}`, port: 80 });
const ids = (...numbers: number[]): string[] => numbers.map((number) => `10.0.0.${number}:80`);

describe.skipIf(component.path === undefined)('consul', () => {
  let agent: ConsulAgent;
  let proxy: FaultProxy;
  const cleanups: (() => Promise<unknown>)[] = [];

  beforeEach(async () => {
    agent = await ConsulAgent.start(component.path ?? '');
    cleanups.push(() => agent.dispose());
    proxy = await FaultProxy.start(agent.port);
    cleanups.push(() => proxy.close());
  });
  afterEach(async () => {
    for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
  });

  const watch = (options: Partial<ConsulOptions> = {}): Watched => {
    const watched = new Watched({ address: proxy.address, service: NAME, ...options });
    cleanups.push(() => watched.resolver.close());
    return watched;
  };

  /** A watch that has seen three instances. */
  const watchThree = async (options: Partial<ConsulOptions> = {}): Promise<Watched> => {
    for (const number of [1, 2, 3]) await agent.register(instance(number));
    const watched = watch(options);
    await until(() => watched.ids?.length === 3);
    return watched;
  };

  const isUnwell = (watched: Watched) => () => !watched.status.healthy;
  const isWell = (watched: Watched) => () => watched.status.healthy;

  describe('the server', () => {
    it('is killed and comes back with its data', async () => {
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

    it('is killed and comes back without its data', async () => {
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

    it('is paused for longer than the watchdog waits', async () => {
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

    it('suddenly lists nothing', async () => {
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

    it('suddenly lists nothing, and the user wants that believed', async () => {
      const watched = await watchThree({ onEmpty: 'clear' });
      const node = instance(1);
      await agent.put('/v1/catalog/register', { Node: 'x', Address: '127.0.0.1' });
      for (const number of [1, 2, 3]) await agent.deregister({ ...node, ...instance(number) });
      await until(() => watched.ids?.length === 0);
      expect(proxy.requests.some((url) => url.includes('consistent'))).toBe(true);
    });
  });

  describe('a last known good set on disk', () => {
    it('serves a start while the server is down, until it is back', async () => {
      const directory = await mkdtemp(join(tmpdir(), 'evenkeel-consul-'));
      cleanups.push(() => rm(directory, { recursive: true, force: true }));
      const lastKnownGood = { path: join(directory, 'users.lkg') };
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

  it('keeps the sets of sources apart that share a file by mistake', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'evenkeel-consul-'));
    cleanups.push(() => rm(directory, { recursive: true, force: true }));
    const lastKnownGood = { path: join(directory, 'shared.lkg') };
    const users = await watchThree({ lastKnownGood });
    await users.resolver.close();
    await agent.kill();
    const orders = watch({ service: 'orders', lastKnownGood });
    await until(() => orders.recorder.errors.length > 1);
    expect(orders.recorder.sets).toEqual([]);
    expect(orders.warnings).toEqual(['no set from disk']);
  });
});

describe.skipIf(component.path === undefined)('consul with ACLs', () => {
  const MASTER = '4f1f3c0e-5b6a-4a53-9d1b-5b3a7f6f2f10';
  const cleanups: (() => Promise<unknown>)[] = [];
  afterEach(async () => {
    for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
  });

  it('takes a rotated token from its file, and keeps the set while the token is worth nothing', async () => {
    const agent = await ConsulAgent.start(component.path ?? '', { acl: { token: MASTER } });
    cleanups.push(() => agent.dispose());
    for (const number of [1, 2, 3]) await agent.register(instance(number));
    const directory = await mkdtemp(join(tmpdir(), 'evenkeel-consul-'));
    cleanups.push(() => rm(directory, { recursive: true, force: true }));
    const tokenFile = join(directory, 'token');
    const makeToken = async (): Promise<string> => {
      const made = (await agent.put('/v1/acl/token', {
        Policies: [{ Name: 'reader' }],
      })) as { SecretID: string };
      return made.SecretID;
    };
    await agent.put('/v1/acl/policy', {
      Name: 'reader',
      Rules: 'service_prefix "" { policy = "read" } node_prefix "" { policy = "read" }',
    });
    const first = await makeToken();
    await writeFile(tokenFile, `${first}\n`);

    const watched = new Watched({ address: agent.address, service: NAME, tokenFile });
    cleanups.push(() => watched.resolver.close());
    await until(() => watched.ids?.length === 3);

    // Revoked: refused outright.
    const { AccessorID } = (await agent
      .get('/v1/acl/tokens')
      .then((tokens) =>
        (tokens as { AccessorID: string; Policies?: { Name: string }[] }[]).find(({ Policies }) =>
          Policies?.some(({ Name }) => Name === 'reader'),
        ),
      )) as { AccessorID: string };
    await agent.delete(`/v1/acl/token/${AccessorID}`);
    await until(() => watched.recorder.lastError?.includes('answered 403') === true);
    expect(watched.recorder.lastError).not.toContain(first);
    expect(watched.ids).toEqual(ids(1, 2, 3));

    await writeFile(tokenFile, '');
    await until(() => watched.recorder.lastError?.includes('holds no token') === true);

    await writeFile(tokenFile, await makeToken());
    await until(() => watched.status.healthy);
    await agent.register(instance(4));
    await until(() => watched.ids?.length === 4);
    expect(watched.leastSize).toBe(3);
  }, 30_000);
});
