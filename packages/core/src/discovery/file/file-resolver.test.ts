/** On the real file system with real watch events; debouncing and polling run on a manual clock. */
import { execFileSync } from 'node:child_process';
import {
  appendFile,
  link,
  mkdir,
  mkdtemp,
  open,
  rename,
  rm,
  symlink,
  unlink,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createManualRuntime, type ManualRuntime } from '../../testing/manual-runtime.ts';
import type { Resolver } from '../resolver.ts';
import { Recorder, until } from '../test-support/recorder.ts';
import type { FileOptions } from './config.ts';
import { file } from './file.ts';

let root: string;
let path: string;
let runtime: ManualRuntime;
let recorder: Recorder;
const resolvers: Resolver[] = [];

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'evenkeel-file-'));
  path = join(root, 'endpoints.json');
  runtime = createManualRuntime();
  recorder = new Recorder();
});
afterEach(async () => {
  await Promise.all(resolvers.splice(0).map((resolver) => resolver.close()));
  expect(runtime.scheduler.pendingCount).toBe(0);
  await rm(root, { recursive: true, force: true });
});

function start(options: Partial<FileOptions> = {}): Resolver {
  const resolver = file({ path, ...options }).create({ cluster: 'users', runtime });
  resolvers.push(resolver);
  resolver.start(recorder);
  return resolver;
}

/** No poll for an hour: what arrives came through a watch. */
const watchOnly = { pollIntervalMs: 3_600_000 };

const seen = (...ids: string[]): Promise<void> =>
  until(() => JSON.stringify(recorder.ids) === JSON.stringify(ids), {
    runtime,
    what: ids.join(' '),
  });
const failed = (text: string): Promise<void> =>
  until(() => recorder.lastError?.includes(text) === true, { runtime, what: text });

async function replace(content: string): Promise<void> {
  await writeFile(`${path}.new`, content);
  await rename(`${path}.new`, path);
}

describe('file discovery', () => {
  it('delivers the file that is there at the start', async () => {
    await writeFile(path, '["10.0.0.1:80"]');
    const resolver = start();
    await seen('10.0.0.1:80');
    expect(resolver.status()).toMatchObject({ kind: 'file', source: path, healthy: true });
  });

  it('sees an atomic rename over the file, an in-place write and an append', async () => {
    path = join(root, 'endpoints.yaml');
    await writeFile(path, '- a:1\n');
    start(watchOnly);
    await seen('a:1');
    await replace('- b:1\n');
    await seen('b:1');
    await writeFile(path, '- c:1\n');
    await seen('c:1');
    await appendFile(path, '- d:1\n');
    await seen('c:1', 'd:1');
  });

  it('keeps the set while the file is deleted, says so, and sees it come back', async () => {
    await writeFile(path, '["a:1"]');
    const resolver = start(watchOnly);
    await seen('a:1');
    await unlink(path);
    await failed('does not exist');
    expect(resolver.status().healthy).toBe(false);
    await writeFile(path, '["b:1"]');
    await seen('b:1');
    expect(recorder.sets).toHaveLength(2);
    expect(resolver.status()).toMatchObject({ healthy: true, lastError: undefined });
  });

  it('waits for a file, and for a directory, that does not exist yet', async () => {
    path = join(root, 'a/b/endpoints.json');
    start(watchOnly);
    await failed(`file ${path}: does not exist; waiting for it`);
    await mkdir(join(root, 'a'));
    await mkdir(join(root, 'a/b'));
    await writeFile(path, '["a:1"]');
    await seen('a:1');
  });

  it('sees a directory that is removed and made again', async () => {
    path = join(root, 'a/endpoints.json');
    await mkdir(join(root, 'a'));
    await writeFile(path, '["a:1"]');
    start(watchOnly);
    await seen('a:1');
    await rm(join(root, 'a'), { recursive: true });
    await failed('does not exist');
    await mkdir(join(root, 'a'));
    await writeFile(path, '["b:1"]');
    await seen('b:1');
  });

  it('sees the swaps of a mounted ConfigMap', async () => {
    const mount = async (version: number): Promise<void> => {
      await mkdir(join(root, `..v${version}`));
      await writeFile(join(root, `..v${version}/endpoints.json`), `["v${version}:1"]`);
      await symlink(`..v${version}`, join(root, '..data_tmp'));
      await rename(join(root, '..data_tmp'), join(root, '..data'));
    };
    await mount(1);
    await symlink('..data/endpoints.json', path);
    start(watchOnly);
    await seen('v1:1');
    for (const version of [2, 3, 4]) {
      await mount(version);
      await seen(`v${version}:1`);
      await rm(join(root, `..v${version - 1}`), { recursive: true });
    }
  });

  it('finds a change by polling when no watch tells of it', async () => {
    // Linux reports a write only to watches of the directory through which the file was opened.
    const other = join(root, 'elsewhere');
    await mkdir(other);
    await writeFile(path, '["a:1"]');
    await link(path, join(other, 'link.json'));
    const resolver = start({ pollIntervalMs: 100 });
    await seen('a:1');
    const looks = resolver.status().refreshCount;
    await until(() => resolver.status().refreshCount > looks + 5, { runtime });
    expect(recorder.sets).toHaveLength(1);
    await writeFile(join(other, 'link.json'), '["b:1"]');
    await seen('b:1');
  });

  it('always ends with the last of many quick replacements', async () => {
    await writeFile(path, '["start:1"]');
    start(watchOnly);
    await seen('start:1');
    const advancing = setInterval(() => runtime.scheduler.advance(50), 1);
    for (let i = 1; i <= 200; i += 1) await replace(`["a:1", "n${i}:1"]`);
    clearInterval(advancing);
    await seen('a:1', 'n200:1');
    expect(recorder.errors).toEqual([]);
  });

  it('always ends with the last of many quick in-place writes', async () => {
    await writeFile(path, '["start:1"]');
    start(watchOnly);
    await seen('start:1');
    const advancing = setInterval(() => runtime.scheduler.advance(50), 1);
    for (let i = 100; i < 300; i += 1) await writeFile(path, `["a:1", "n${i}:1"]`);
    clearInterval(advancing);
    await seen('a:1', 'n299:1');
  });

  it('waits for a file that is being written to be quiet', async () => {
    await writeFile(path, '["a:1"]');
    start({ ...watchOnly, debounceMs: 1_000 });
    await seen('a:1');
    const handle = await open(path, 'w');
    await handle.write('["b:1"');
    await until(
      () =>
        runtime.scheduler.nextDueMs !== undefined &&
        runtime.scheduler.nextDueMs - runtime.clock.nowMs() <= 1_000,
    );
    await handle.write(', "c:1"]');
    await handle.close();
    await seen('b:1', 'c:1');
    expect(recorder.errors).toEqual([]);
  });

  it('keeps the last good set of a half-written file, says where it broke, and takes the rest', async () => {
    await writeFile(path, '["a:1"]');
    const resolver = start(watchOnly);
    await seen('a:1');
    const handle = await open(path, 'w');
    await handle.write('[\n"b:1"');
    await failed(`file ${path}: line 2, column 6: `);
    expect(recorder.ids).toEqual(['a:1']);
    expect(resolver.status().healthy).toBe(false);
    await handle.write(']');
    await handle.close();
    await seen('b:1');
  });

  it('reports a file that stays broken once', async () => {
    await writeFile(path, '[');
    const resolver = start({ pollIntervalMs: 100 });
    await failed('line 1, column 2');
    await until(() => runtime.clock.nowMs() > 10_000, { runtime });
    expect(recorder.errors).toHaveLength(1);
    expect(resolver.status().healthy).toBe(false);
  });

  it.each([
    { what: 'an empty list', content: '[]', problem: 'allowEmpty' },
    { what: 'an empty file', content: '', problem: 'Unexpected end' },
    { what: 'a wrong field', content: '["a:1", {"host": "b"}]', problem: 'endpoints[1].port' },
    { what: 'invalid UTF-8', content: Buffer.from([0x5b, 0xff, 0x5d]), problem: 'not valid UTF-8' },
    { what: 'a file over the limit', content: ' '.repeat(2_000), problem: 'larger than maxBytes' },
  ])('keeps the last good set of $what', async ({ content, problem }) => {
    await writeFile(path, '["a:1"]');
    start({ maxBytes: 1_024 });
    await seen('a:1');
    await writeFile(path, content);
    await failed(problem);
    expect(recorder.ids).toEqual(['a:1']);
    expect(recorder.sets).toHaveLength(1);
  });

  it('takes an empty list when that is allowed', async () => {
    await writeFile(path, '["a:1"]');
    start({ allowEmpty: true });
    await seen('a:1');
    await replace('[]');
    await seen();
  });

  it('reads a file with a byte order mark', async () => {
    await writeFile(path, '\uFEFF["a:1"]');
    start();
    await seen('a:1');
  });

  it.skipIf(process.platform === 'win32')(
    'refuses a directory and does not hang on a FIFO',
    async () => {
      await mkdir(path);
      const resolver = start();
      await failed('not a regular file');
      await rm(path, { recursive: true });
      execFileSync('mkfifo', [path]);
      const errors = recorder.errors.length;
      resolver.refresh();
      await until(() => recorder.errors.length > errors, { runtime });
      expect(recorder.lastError).toContain('not a regular file');
    },
  );

  it('looks at once on refresh', async () => {
    await writeFile(path, '["a:1"]');
    const resolver = start(watchOnly);
    await seen('a:1');
    const looks = resolver.status().refreshCount;
    resolver.refresh();
    await until(() => resolver.status().refreshCount === looks + 1);
    expect(recorder.sets).toHaveLength(1);
  });

  it('may be closed in the middle of a look', async () => {
    await writeFile(path, '["a:1"]');
    const resolver = start();
    await resolver.close();
    await resolver.close();
    resolver.refresh();
    await replace('["b:1"]');
    await runtime.scheduler.advanceAsync(60_000);
    expect(recorder.sets).toEqual([]);
  });
});

describe('file()', () => {
  it.each([
    { options: { path: '' }, problem: 'file.path: expected' },
    { options: { path: 'a.conf' }, problem: "file.format: expected 'json' or 'yaml'" },
    {
      options: { path: 'a.json', pollInterval: 5 },
      problem: 'file.pollInterval: expected no such option',
    },
    {
      options: { path: 'a.json', maxBytes: 10 },
      problem: 'file.maxBytes: expected an integer from 1024',
    },
    { options: {}, problem: 'file.path: expected' },
  ])('refuses $options', ({ options, problem }) => {
    expect(() => file(options as FileOptions)).toThrow(problem);
  });

  it('takes any ending with a format', () => {
    expect(file({ path: 'a.conf', format: 'yaml' }).kind).toBe('file');
  });
});
