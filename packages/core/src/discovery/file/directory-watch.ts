import { type FSWatcher, watch } from 'node:fs';
import { stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { messageOf } from '../../error/evenkeel-error.ts';
import type { WatchPlan } from './watch-plan.ts';

interface WatchedDirectory {
  readonly watcher: FSWatcher;
  /** Which directory this is, apart from its name: a new one of the same name is watched anew. */
  readonly identity: string;
  names: ReadonlySet<string>;
}

/** Watches the directories of a plan and tells of changes to the entries that matter. */
export class DirectoryWatch {
  readonly #onChange: () => void;
  readonly #directories = new Map<string, WatchedDirectory>();
  #closed = false;
  #problem: string | undefined;

  constructor(onChange: () => void) {
    this.#onChange = onChange;
  }

  /** Why the system refused a watch at the last update, for instance when inotify's limit is reached. */
  get problem(): string | undefined {
    return this.#problem;
  }

  /** How many directories are being watched: 0 after `close()`. */
  get watchCount(): number {
    return this.#directories.size;
  }

  /**
   * Brings the watches in line with a plan.
   * @returns was there anything to do? Then what was read before may be out of date.
   */
  async update(plan: WatchPlan): Promise<boolean> {
    let changed = false;
    this.#problem = undefined;
    for (const directory of [...this.#directories.keys()]) {
      if (!plan.has(directory)) this.#drop(directory);
    }
    for (const [directory, names] of plan) {
      changed = (await this.#ensure(directory, names)) || changed;
    }
    return changed;
  }

  close(): void {
    this.#closed = true;
    for (const directory of [...this.#directories.keys()]) this.#drop(directory);
  }

  async #ensure(directory: string, names: ReadonlySet<string>): Promise<boolean> {
    const identity = await identityOf(directory);
    if (this.#closed) return false;
    const known = this.#directories.get(directory);
    if (known !== undefined && known.identity === identity) {
      const same =
        names.size === known.names.size && [...names].every((name) => known.names.has(name));
      known.names = names;
      return !same;
    }
    this.#drop(directory);
    if (identity === undefined) return known !== undefined;
    return this.#watch(directory, { identity, names });
  }

  #watch(
    directory: string,
    { identity, names }: { identity: string; names: ReadonlySet<string> },
  ): boolean {
    try {
      const watcher = watch(directory, { persistent: false });
      this.#directories.set(directory, { watcher, identity, names });
      watcher.on('change', (_event, name) => this.#onEvent(directory, name));
      watcher.on('error', () => {
        this.#drop(directory);
        this.#onChange();
      });
      return true;
    } catch (error) {
      this.#problem = `cannot watch ${directory}: ${messageOf(error)}`;
      return false;
    }
  }

  #onEvent(directory: string, name: string | Buffer | null): void {
    const known = this.#directories.get(directory);
    if (known === undefined) return;
    if (name === null) return this.#onChange();
    const text = String(name);
    // A directory that was deleted or moved reports its own name and then nothing any more.
    const self = text === basename(directory);
    if (self) this.#drop(directory);
    if (self || known.names.has(text)) this.#onChange();
  }

  #drop(directory: string): void {
    this.#directories.get(directory)?.watcher.close();
    this.#directories.delete(directory);
  }
}

async function identityOf(directory: string): Promise<string | undefined> {
  try {
    // The birth time tells a new directory from an old one whose inode number it was given.
    const { dev, ino, birthtimeNs } = await stat(directory, { bigint: true });
    return `${dev}:${ino}:${birthtimeNs}`;
  } catch {
    return undefined;
  }
}
