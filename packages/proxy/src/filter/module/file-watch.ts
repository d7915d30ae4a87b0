/**
 * Notices when one of a few files changes. The folders are watched, because editors write a new file and rename it; what
 * counts is that a file is another one or has another time or size. Because no file system promises these events, all
 * files are looked at every now and then, too.
 */
import { type FSWatcher, watch } from 'node:fs';
import { stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Scheduler, Timer } from '@evenkeel/core';

/** A save is often several events; and a file that is half written is not worth loading. */
export const SETTLE_MS = 50;

/** How late a change is noticed that no event tells of. */
const LOOK_MS = 2_000;

export class FileWatch {
  readonly #scheduler: Scheduler;
  readonly #onChange: () => void;
  /** By file: what is known of it. */
  #seen = new Map<string, string>();
  readonly #watchers = new Map<string, FSWatcher>();
  #timer: Timer | undefined = undefined;
  #looking: Promise<void> | undefined = undefined;
  #isClosed = false;

  constructor(scheduler: Scheduler, onChange: () => void) {
    this.#scheduler = scheduler;
    this.#onChange = onChange;
    this.#lookAfter(LOOK_MS);
  }

  /** What is watched from now on. A file that was watched before has changed if it differs from what was seen then. */
  async setFiles(files: readonly string[]): Promise<void> {
    const seen = new Map<string, string>();
    for (const file of files) seen.set(file, this.#seen.get(file) ?? (await signatureOf(file)));
    if (this.#isClosed) return;
    this.#seen = seen;
    const folders = new Set(files.map((file) => dirname(file)));
    for (const [folder, watcher] of this.#watchers) {
      if (folders.has(folder)) continue;
      watcher.close();
      this.#watchers.delete(folder);
    }
    for (const folder of folders) if (!this.#watchers.has(folder)) this.#watch(folder);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#timer?.cancel();
    for (const watcher of this.#watchers.values()) watcher.close();
    this.#watchers.clear();
    await this.#looking;
  }

  #watch(folder: string): void {
    try {
      const watcher = watch(folder, { persistent: false }, () => this.#lookAfter(SETTLE_MS));
      // The folder went away: the look now and then goes on.
      watcher.on('error', () => watcher.close());
      this.#watchers.set(folder, watcher);
    } catch {
      // As many watchers as the system allows: the same.
    }
  }

  #lookAfter(delayMs: number): void {
    if (this.#isClosed) return;
    this.#timer?.cancel();
    this.#timer = this.#scheduler.after(delayMs, () => {
      // What happens meanwhile comes with events of its own, or with the next look.
      this.#looking ??= this.#look().finally(() => {
        this.#looking = undefined;
        this.#lookAfter(LOOK_MS);
      });
    });
  }

  async #look(): Promise<void> {
    let hasChanged = false;
    for (const [file, before] of this.#seen) {
      const now = await signatureOf(file);
      if (now === before) continue;
      this.#seen.set(file, now);
      hasChanged = true;
    }
    if (hasChanged && !this.#isClosed) this.#onChange();
  }
}

/** '' for a file that is not there. */
async function signatureOf(file: string): Promise<string> {
  try {
    const { ino, size, mtimeNs } = await stat(file, { bigint: true });
    return `${ino}:${size}:${mtimeNs}`;
  } catch {
    return '';
  }
}
