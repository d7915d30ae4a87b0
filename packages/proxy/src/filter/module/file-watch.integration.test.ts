/** Files that change in all the ways that files change, on a real disk. */
import { appendFile, mkdir, mkdtemp, rename, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createManualRuntime } from '@evenkeel/core/testing';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { FileWatch } from './file-watch.ts';

let root: string;
let changeCount: number;
const { scheduler } = createManualRuntime();
let watch: FileWatch;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'evenkeel-watch-'));
  changeCount = 0;
  watch = new FileWatch(scheduler, () => changeCount++);
});
afterEach(async () => {
  await watch.close();
  expect(scheduler.pendingCount).toBe(0);
  await rm(root, { recursive: true });
});

/** Time passes until so many changes were noticed; whether events of the system come first does not matter. */
async function noticed(count: number): Promise<void> {
  await expect
    .poll(() => {
      scheduler.advance(2_000);
      return changeCount;
    })
    .toBe(count);
}

/** Looks several times, and finds nothing more. */
async function nothingMore(count: number): Promise<void> {
  for (let turn = 0; turn < 5; turn++) {
    scheduler.advance(2_000);
    await stat(root);
  }
  expect(changeCount).toBe(count);
}

it.each<[string, (file: string) => Promise<unknown>]>([
  ['written to', (file) => appendFile(file, 'x')],
  [
    'replaced by another one',
    async (file) => {
      await writeFile(`${file}.new`, 'a');
      await rename(`${file}.new`, file);
    },
  ],
  ['removed', (file) => rm(file)],
  [
    'in a folder that is made anew',
    async (file) => {
      await rm(join(file, '..'), { recursive: true });
      await mkdir(join(file, '..'));
      await writeFile(file, 'b');
    },
  ],
  [
    'a link to another one',
    async (file) => {
      await rm(file);
      await writeFile(join(root, 'other'), 'a');
      await symlink(join(root, 'other'), file);
    },
  ],
])('a file that is %s has changed, once', async (_, change) => {
  const folder = join(root, 'folder');
  const file = join(folder, 'a.mjs');
  await mkdir(folder);
  await writeFile(file, 'a');
  await watch.setFiles([file]);
  await nothingMore(0);
  await change(file);
  await noticed(1);
  await nothingMore(1);
});

it('a file that is not there yet is watched', async () => {
  const file = join(root, 'late.mjs');
  await watch.setFiles([file]);
  await writeFile(file, 'a');
  await noticed(1);
});

it('what changed before the files were told again has changed', async () => {
  const [a, b] = [join(root, 'a'), join(root, 'b')];
  await writeFile(a, 'a');
  await watch.setFiles([a]);
  await appendFile(a, 'x');
  await writeFile(b, 'b');
  await watch.setFiles([a, b]);
  await noticed(1);
});
