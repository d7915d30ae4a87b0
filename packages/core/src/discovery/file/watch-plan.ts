import { lstat, readlink } from 'node:fs/promises';
import { dirname, join, parse, sep } from 'node:path';

/**
 * The directory entries that decide what a path leads to: directory -> names in it. Watching the file itself would
 * follow the old inode after a rename over it, and watching only its directory would miss a swapped symlink higher up:
 *
 * ```text
 * /etc/app/endpoints.yaml -> ..data/endpoints.yaml     a mounted Kubernetes ConfigMap
 * /etc/app/..data         -> ..2030_01_01_12_00        replaced by rename on every update
 *
 * /etc/app                     : endpoints.yaml, ..data
 * /etc/app/..2030_01_01_12_00  : endpoints.yaml
 * ```
 */
export type WatchPlan = ReadonlyMap<string, ReadonlySet<string>>;

/** As many as Linux follows before it says ELOOP (path_resolution(7)). */
const MAX_SYMLINKS = 40;

/**
 * Walks an absolute path as the kernel would and notes every entry that a symlink, the file or a gap hangs on. It ends at the
 * first part that does not exist: that is the one to wait for.
 */
export async function planWatches(path: string): Promise<WatchPlan> {
  const plan = new Map<string, Set<string>>();
  const note = (directory: string, name: string): void => {
    const names = plan.get(directory);
    if (names === undefined) plan.set(directory, new Set([name]));
    else names.add(name);
  };

  let directory = parse(path).root;
  let rest = partsOf(path.slice(directory.length));
  let symlinks = 0;
  while (rest.length > 0) {
    const [name = '', ...further] = rest;
    rest = further;
    if (name === '..') {
      directory = dirname(directory);
      continue;
    }
    const entry = join(directory, name);
    const target = await targetOf(entry);
    if (target.kind !== 'other' || rest.length === 0) note(directory, name);
    if (target.kind === 'missing') return plan;
    if (target.kind === 'other') {
      directory = entry;
      continue;
    }
    symlinks += 1;
    if (symlinks > MAX_SYMLINKS) return plan;
    const { root } = parse(target.path);
    if (root !== '') directory = root;
    rest = [...partsOf(target.path.slice(root.length)), ...rest];
  }
  return plan;
}

type Target =
  | { readonly kind: 'missing' }
  | { readonly kind: 'other' }
  | { readonly kind: 'symlink'; readonly path: string };

async function targetOf(entry: string): Promise<Target> {
  try {
    const stats = await lstat(entry);
    return stats.isSymbolicLink()
      ? { kind: 'symlink', path: await readlink(entry) }
      : { kind: 'other' };
  } catch {
    // Missing, replaced between the two calls, or not allowed: in each case this entry is the one to watch.
    return { kind: 'missing' };
  }
}

function partsOf(path: string): string[] {
  return path.split(sep === '\\' ? /[\\/]/ : sep).filter((part) => part !== '' && part !== '.');
}
