import { mkdir, mkdtemp, realpath, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { planWatches } from './watch-plan.ts';

let root: string;

beforeEach(async () => {
  root = await realpath(await mkdtemp(join(tmpdir(), 'evenkeel-plan-')));
});
afterEach(() => rm(root, { recursive: true, force: true }));

/** The plan with paths relative to the root of this test. */
async function plan(path: string): Promise<Record<string, string[]>> {
  const entries = [...(await planWatches(join(root, path)))];
  return Object.fromEntries(
    entries.map(([directory, names]) => [directory.slice(root.length + 1), [...names].sort()]),
  );
}

describe('planWatches', () => {
  it('watches the directory of a plain file for its name', async () => {
    await writeFile(join(root, 'e.yaml'), '');
    expect(await plan('e.yaml')).toEqual({ '': ['e.yaml'] });
  });

  it('waits for a missing file, or for the first missing directory', async () => {
    expect(await plan('e.yaml')).toEqual({ '': ['e.yaml'] });
    expect(await plan('a/b/e.yaml')).toEqual({ '': ['a'] });
    await mkdir(join(root, 'a'));
    expect(await plan('a/b/e.yaml')).toEqual({ a: ['b'] });
  });

  it('follows the symlinks of a mounted ConfigMap', async () => {
    await mkdir(join(root, '..2030_1'));
    await writeFile(join(root, '..2030_1/e.yaml'), '');
    await symlink('..2030_1', join(root, '..data'));
    await symlink('..data/e.yaml', join(root, 'e.yaml'));
    expect(await plan('e.yaml')).toEqual({ '': ['..data', 'e.yaml'], '..2030_1': ['e.yaml'] });
  });

  it('follows absolute symlinks, ".." and a directory that is a symlink', async () => {
    await mkdir(join(root, 'releases/1/config'), { recursive: true });
    await mkdir(join(root, 'shared'));
    await writeFile(join(root, 'shared/e.yaml'), '');
    await symlink(join(root, 'releases/1'), join(root, 'current'));
    await symlink('../../../shared/e.yaml', join(root, 'releases/1/config/e.yaml'));
    expect(await plan('current/config/e.yaml')).toEqual({
      '': ['current'],
      'releases/1/config': ['e.yaml'],
      shared: ['e.yaml'],
    });
  });

  it('watches for the missing target of a dangling symlink', async () => {
    await symlink('gone/e.yaml', join(root, 'e.yaml'));
    expect(await plan('e.yaml')).toEqual({ '': ['e.yaml', 'gone'] });
  });

  it('ends in a circle of symlinks', async () => {
    await symlink('b', join(root, 'a'));
    await symlink('a', join(root, 'b'));
    expect(await plan('a')).toEqual({ '': ['a', 'b'] });
  });

  it('sees that a path leads elsewhere after a swap', async () => {
    await mkdir(join(root, 'one'));
    await mkdir(join(root, 'two'));
    await writeFile(join(root, 'one/e.yaml'), '');
    await writeFile(join(root, 'two/e.yaml'), '');
    await symlink('one', join(root, 'current'));
    await symlink('two', join(root, 'next'));
    await rename(join(root, 'next'), join(root, 'current'));
    expect(await plan('current/e.yaml')).toEqual({ '': ['current'], two: ['e.yaml'] });
  });
});
