import { mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A fresh empty folder outside the repository; `remove()` takes it away with all it holds. */
export interface TemporaryDirectory {
  readonly path: string;
  remove(): Promise<void>;
}

/** Creates a temporary folder; whoever creates it removes it, in a hook that also runs on failure. */
export async function createTemporaryDirectory(name: string): Promise<TemporaryDirectory> {
  const path = await realpath(await mkdtemp(join(tmpdir(), `evenkeel-${name}-`)));
  return { path, remove: () => rm(path, { recursive: true, force: true }) };
}
