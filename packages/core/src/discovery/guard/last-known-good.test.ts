import { readFileSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type EndpointSet, endpointSetOf, endpointSetsEqual } from '../../model/endpoint-set.ts';
import { createManualRuntime, type ManualRuntime } from '../../testing/manual-runtime.ts';
import { until } from '../test-support/recorder.ts';
import { LastKnownGood } from './last-known-good.ts';

const IDENTITY = { kind: 'consul', source: 'users at 127.0.0.1:8500' };
const DAY_MS = 86_400_000;

const RICH = endpointSetOf([
  '10.0.0.1:80',
  { address: '[::1]:81', id: 'one', weight: 7, priority: 2, hashKey: 'k', hostname: 'users.test' },
  { unix: '/run/app.sock', metadata: { version: 'v2', empty: '' } },
  { host: 'web.test', port: 82, locality: { zone: 'a' } },
]);
const PLAIN = endpointSetOf(['10.0.0.9:80']);

describe('LastKnownGood', () => {
  let directory: string;
  let path: string;
  let runtime: ManualRuntime;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'evenkeel-lkg-'));
    path = join(directory, 'inner', 'users.lkg');
    runtime = createManualRuntime();
  });
  afterEach(() => rm(directory, { recursive: true, force: true }));

  const create = (identity = IDENTITY): LastKnownGood =>
    new LastKnownGood({ path, maxAgeMs: DAY_MS }, identity, runtime);
  const saved = async (set: EndpointSet): Promise<void> => {
    const store = create();
    store.save(set);
    await store.close();
    expect(store.problem).toBeUndefined();
  };

  it('finds nothing on the first start', async () => {
    await expect(create().load()).resolves.toBeUndefined();
  });

  it('gives back every property of every endpoint, and its age', async () => {
    await saved(RICH);
    runtime.scheduler.advance(5_000);
    const restored = await create().load();
    expect(restored?.ageMs).toBe(5_000);
    expect(endpointSetsEqual(restored?.set as EndpointSet, RICH)).toBe(true);
  });

  it('is readable by its owner only and leaves no other file', async () => {
    await saved(RICH);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect(await readdir(join(directory, 'inner'))).toEqual(['users.lkg']);
  });

  it('writes at most every five seconds, the last set wins', async () => {
    const store = create();
    store.save(RICH);
    await runtime.scheduler.advanceAsync(0);
    await until(() => store.problem === undefined && runtime.scheduler.pendingCount === 0);
    await until(() => fileHolds(path, '10.0.0.1:80'));
    store.save(PLAIN);
    store.save(RICH);
    store.save(PLAIN);
    await runtime.scheduler.advanceAsync(4_999);
    expect(await readFile(path, 'utf8')).toContain('10.0.0.1:80');
    await runtime.scheduler.advanceAsync(1);
    await until(() => fileHolds(path, '10.0.0.9:80'));
    await store.close();
    expect(runtime.scheduler.pendingCount).toBe(0);
  });

  it('writes an unchanged set again only after ten minutes, to confirm its age', async () => {
    const store = create();
    store.save(PLAIN);
    await runtime.scheduler.advanceAsync(0);
    await until(() => fileHolds(path, '10.0.0.9:80'));
    await writeFile(path, 'untouched');
    await runtime.scheduler.advanceAsync(599_999);
    store.save(PLAIN);
    await runtime.scheduler.advanceAsync(0);
    expect(runtime.scheduler.pendingCount).toBe(0);
    expect(fileHolds(path, 'untouched')).toBe(true);
    await runtime.scheduler.advanceAsync(1);
    store.save(PLAIN);
    await store.close();
    expect((await create().load())?.ageMs).toBe(0);
  });

  it.each([
    { what: 'a flipped byte', change: (text: string) => text.replace('10.0.0.1', '10.0.0.2') },
    { what: 'a torn file', change: (text: string) => text.slice(0, -10) },
    { what: 'no such file', change: () => 'hello\nworld\n' },
    { what: 'an empty file', change: () => '' },
    { what: 'a newer version', change: (text: string) => text.replace(' 1 ', ' 2 ') },
  ])('refuses $what', async ({ change }) => {
    await saved(RICH);
    await writeFile(path, change(await readFile(path, 'utf8')));
    await expect(create().load()).rejects.toThrow(
      /checksum is wrong|is no evenkeel|has version 2/u,
    );
  });

  it('refuses a set of another source', async () => {
    await saved(RICH);
    await expect(create({ kind: 'consul', source: 'orders at x' }).load()).rejects.toThrow(
      /holds the endpoints of consul users at 127\.0\.0\.1:8500/u,
    );
  });

  it('refuses a set that is too old, and takes one from the future', async () => {
    await saved(RICH);
    runtime.scheduler.advance(DAY_MS);
    await expect(create().load()).resolves.toMatchObject({ ageMs: DAY_MS });
    runtime.scheduler.advance(1);
    await expect(create().load()).rejects.toThrow(/too old: 86400 s/u);
    runtime = createManualRuntime();
    await expect(create().load()).resolves.toMatchObject({ ageMs: 0 });
  });

  it('says so when it cannot write, and tries again', async () => {
    await writeFile(join(directory, 'inner'), 'a file where a folder should be');
    const store = create();
    store.save(PLAIN);
    await runtime.scheduler.advanceAsync(0);
    await until(() => store.problem !== undefined);
    expect(store.problem).toMatch(/cannot be written: (EEXIST|ENOTDIR)/u);
    await rm(join(directory, 'inner'));
    store.save(PLAIN);
    await store.close();
    expect(store.problem).toBeUndefined();
  });
});

function fileHolds(path: string, text: string): boolean {
  try {
    return readFileSync(path, 'utf8').includes(text);
  } catch {
    return false;
  }
}
