/**
 * Discovery against a real etcd server that is killed, paused, emptied, or denies access. In each case the set in force
 * stays sane, the failure is told, and recovery comes by itself, within the bounds that docs/guides/etcd.md states; the
 * short times of these tests are put in.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { EtcdServer } from '../../../../../test/support/etcd-server.ts';
import { requireComponent } from '../../../../../test/support/require-component.ts';
import { until } from '../test-support/recorder.ts';
import type { EtcdOptions } from './config.ts';
import { StreamFaultProxy } from './test-support/stream-fault-proxy.ts';
import { Watched } from './test-support/watched.ts';

const component = requireComponent('etcd');
const PREFIX = '/services/users/';
const keyOf = (number: number): string => `${PREFIX}${number}`;
const idOf = (number: number): string => `10.0.0.${number}:80`;
const ids = (...numbers: number[]): string[] => numbers.map(idOf);

describe.skipIf(component.path === undefined)('etcd', () => {
  let server: EtcdServer;
  const cleanups: (() => Promise<unknown>)[] = [];

  beforeEach(async () => {
    server = await EtcdServer.start(component.path ?? '', { flags: ['--auth-token-ttl=1'] });
    cleanups.push(() => server.dispose());
  });
  afterEach(async () => {
    for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
  });

  const watch = (options: Partial<EtcdOptions> = {}): Watched => {
    const watched = new Watched({ endpoints: [server.address], prefix: PREFIX, ...options });
    cleanups.push(() => watched.resolver.close());
    return watched;
  };
  const put = (number: number): Promise<void> => server.put(keyOf(number), idOf(number));
  const folder = async (): Promise<string> => {
    const directory = await mkdtemp(join(tmpdir(), 'evenkeel-etcd-'));
    cleanups.push(() => rm(directory, { recursive: true, force: true }));
    return directory;
  };

  /** A watch that has seen three instances. */
  const watchThree = async (options: Partial<EtcdOptions> = {}): Promise<Watched> => {
    for (const number of [1, 2, 3]) await put(number);
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
    expect(watched.recorder.lastError).toMatch(/^etcd \/services\/users\/ at http:/u);
    await server.start();
    await until(isWell(watched));
    await put(4);
    await until(() => watched.ids?.length === 4);
    expect(watched.leastSize).toBe(3);
    expect(watched.watch.resyncCount).toBeGreaterThan(0);
  });

  it('is killed and comes back without its data: nothing is lost but what stays away', async () => {
    const watched = await watchThree();
    for (const key of ['/x', '/y', '/z'])
      await server.put(key, 'so that the revision is far ahead');
    await server.kill();
    server.loseData();
    await server.start();
    await until(() => watched.status.lastError?.includes('lists no endpoint') === true);
    const errors = (): string => watched.recorder.errors.map(({ message }) => message).join('\n');
    expect(errors()).toMatch(/the revision went back from \d+ to \d+/u);
    expect(watched.ids).toEqual(ids(1, 2, 3));
    // The instances come back one by one, as their own registrations notice.
    await put(1);
    await until(() => watched.watch.heldCount === 2);
    expect(watched.ids).toEqual(ids(1, 2, 3));
    expect(watched.warnings).toEqual([
      'guard: many endpoints vanished at once; keeping them for now',
    ]);
    await put(2);
    // The third is really gone: a second look confirms it, 0.7 s after it was first missed.
    await until(() => watched.ids?.length === 2);
    expect(watched.ids).toEqual(ids(1, 2));
    await until(() => watched.status.lastError === undefined);
    expect(watched.status.healthy).toBe(true);
  });

  it('goes back to an older state while nobody notices the restart', async () => {
    // A proxy hides the exchange of the server: connections go on, the store behind them is another.
    const other = await EtcdServer.start(component.path ?? '');
    cleanups.push(() => other.dispose());
    for (const number of [1, 2, 3, 4]) await other.put(keyOf(number), idOf(number));
    for (const key of ['/x', '/y', '/z']) await server.put(key, 'ahead');
    const watched = await watchThree();
    expect(await other.revision()).toBeLessThan(await server.revision());
    await watched.resolver.close();

    const proxy = await StreamFaultProxy.start(server.port);
    cleanups.push(() => proxy.close());
    const behind = watch({ endpoints: [proxy.address] });
    await until(() => behind.ids?.length === 3);
    proxy.redirect(other.port);
    await until(() => behind.ids?.length === 4);
    const errors = (): string => behind.recorder.errors.map(({ message }) => message).join('\n');
    await until(() => /went back|another cluster|behind/u.test(errors()));
    expect(behind.leastSize).toBe(3);
  });

  it('is paused for longer than the watchdog waits', async () => {
    const watched = await watchThree();
    // A watch is open.
    await until(() => watched.status.refreshCount > 1);
    server.pause();
    await until(() => watched.watch.silenceCount === 1);
    expect(watched.recorder.errors[0]?.message).toMatch(/silent for 2000 ms/u);
    await until(() => watched.recorder.lastError?.includes('answer within') === true);
    expect(watched.ids).toEqual(ids(1, 2, 3));
    server.resume();
    await until(isWell(watched));
    await put(4);
    await until(() => watched.ids?.length === 4);
    expect(watched.leastSize).toBe(3);
  }, 30_000);

  it('suddenly lists nothing', async () => {
    const watched = await watchThree();
    await server.post('/v3/kv/deleterange', {
      key: Buffer.from(PREFIX).toString('base64'),
      range_end: Buffer.from('/services/users0').toString('base64'),
    });
    await until(() => watched.status.lastError?.includes('lists no endpoint') === true);
    expect(watched.ids).toEqual(ids(1, 2, 3));
    expect(watched.status.healthy).toBe(false);
    await put(9);
    await until(() => watched.ids?.includes(idOf(9)) === true);
    await until(() => watched.ids?.length === 1);
  });

  it('suddenly lists nothing, and the user wants that believed', async () => {
    const watched = await watchThree({ onEmpty: 'clear' });
    for (const number of [1, 2, 3]) await server.delete(keyOf(number));
    await until(() => watched.ids?.length === 0);
  });

  it('lists nothing but nonsense: the set stays', async () => {
    const watched = await watchThree();
    for (const number of [1, 2, 3]) await server.put(keyOf(number), '<instance/>');
    await until(() => watched.recorder.lastError?.includes('left out') === true);
    await until(isUnwell(watched));
    expect(watched.leastSize).toBeGreaterThan(0);
    for (const number of [1, 2, 3]) await put(number);
    await until(() => watched.status.lastError === undefined);
    expect(watched.ids).toEqual(ids(1, 2, 3));
  });

  it('is down at a start: the last known good set from disk serves, until it is back', async () => {
    const lastKnownGood = { path: join(await folder(), 'users.lkg') };
    const before = await watchThree({ lastKnownGood });
    await before.resolver.close();
    await server.kill();

    const after = watch({ lastKnownGood });
    await until(() => after.ids?.length === 3);
    expect(after.status.healthy).toBe(false);
    expect(after.watch.restored).toBe(true);
    await server.start();
    await until(isWell(after));
    expect(after.watch.restored).toBe(false);
    expect(after.recorder.sets).toHaveLength(1);
  });

  describe('with authentication', () => {
    const PASSWORD = 'hunter2 and more';
    const wrong = (watched: Watched): string => JSON.stringify(watched.recorder.errors);

    it('forgets tokens, when they are old and when it restarts: new ones are asked for', async () => {
      for (const number of [1, 2, 3]) await put(number);
      await server.enableAuth(PASSWORD);
      const proxy = await StreamFaultProxy.start(server.port);
      cleanups.push(() => proxy.close());
      const user = { endpoints: [proxy.address], username: 'reader', password: PASSWORD };
      const watched = watch({ ...user, waitMs: 2_500 });
      await until(() => watched.ids?.length === 3);
      expect(proxy.countOf('/v3/auth/authenticate')).toBe(1);
      // The token lasts one second, the watch is opened anew after two and a half.
      await until(() => proxy.countOf('/v3/auth/authenticate') === 2);
      await server.logIn(PASSWORD);
      await put(4);
      await until(() => watched.ids?.length === 4);
      expect(watched.recorder.errors).toEqual([]);

      await server.kill();
      await server.start();
      await until(() => proxy.countOf('/v3/auth/authenticate') >= 3);
      await until(isWell(watched));
      await server.logIn(PASSWORD);
      await put(5);
      await until(() => watched.ids?.length === 5);
      expect(wrong(watched)).not.toContain(PASSWORD);
    }, 30_000);

    it('is turned on while we watch, and denies until the password file is right', async () => {
      const passwordFile = join(await folder(), 'password');
      await writeFile(passwordFile, 'wrong');
      const watched = await watchThree({ username: 'reader', passwordFile });
      await server.enableAuth(PASSWORD);
      await until(
        () => watched.recorder.lastError?.includes('invalid user ID or password') === true,
      );
      expect(watched.ids).toEqual(ids(1, 2, 3));
      await writeFile(passwordFile, '');
      await until(() => watched.recorder.lastError?.includes('is empty') === true);
      await writeFile(passwordFile, `${PASSWORD}\n`);
      await until(isWell(watched));
      await put(4);
      await until(() => watched.ids?.length === 4);
      expect(watched.leastSize).toBe(3);
    }, 30_000);

    it('takes the right to read away: the set stays, and it says why', async () => {
      for (const number of [1, 2, 3]) await put(number);
      await server.enableAuth(PASSWORD);
      const watched = watch({ username: 'reader', password: PASSWORD });
      await until(() => watched.ids?.length === 3);
      await server.post('/v3/auth/user/revoke', { name: 'reader', role: 'reader' });
      await until(() => watched.recorder.lastError?.includes('permission denied') === true);
      expect(watched.ids).toEqual(ids(1, 2, 3));
      await server.logIn(PASSWORD);
      await server.post('/v3/auth/user/grant', { user: 'reader', role: 'reader' });
      await until(isWell(watched));
      expect(wrong(watched)).not.toContain(PASSWORD);
    }, 30_000);
  });
});
