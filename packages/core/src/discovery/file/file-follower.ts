import { messageOf } from '../../error/evenkeel-error.ts';
import { jittered } from '../../runtime/random.ts';
import type { Runtime } from '../../runtime/runtime.ts';
import type { Timer } from '../../runtime/scheduler.ts';
import { discoveryError } from '../discovery-error.ts';
import { DirectoryWatch } from './directory-watch.ts';
import { type FileReading, type FileSignature, readTextFile, signatureOf } from './read-file.ts';
import { planWatches } from './watch-plan.ts';

/** A file that keeps changing is read at the latest this many debounce times after the first change. */
const MAX_DEBOUNCE_FACTOR = 10;
/** Looks in a row that may find the file changing under them before that is reported. */
const MAX_TORN_LOOKS = 10;
/** Spreads the polls of a fleet that shares a file server. */
const POLL_JITTER_RATIO = 0.1;

/** Which file, and how. */
export interface FollowedFile {
  /** Absolute. */
  readonly path: string;
  /** Largest file that is read. */
  readonly maxBytes: number;
  /** How long the file must have been quiet before it is read. */
  readonly debounceMs: number;
  /** How often to look without having been told of a change. */
  readonly pollIntervalMs: number;
}

/** Hears of every look: of one of these. */
export interface FileListener {
  /** The whole file, which may be what it was before. The next look waits for the promise, which is not rejected. */
  onText(text: string): void | Promise<void>;
  /** Nothing has changed since the last text. */
  onUnchanged(): void;
  /** The file cannot be read; what was read before may be out of date. */
  onFailure(error: unknown): void;
}

/**
 * Follows one file through all the ways in which files are changed: written in place, replaced, reached by symbolic links
 * that are swapped, deleted and made anew.
 *
 * A **look** brings the directory watches in line with where the path leads now, and reads the file. Looks
 * never overlap. Three things cause one: a change that the system reports (debounced), the poll, and {@link look}.
 * The poll is the safety net below the watches, which lie on network file systems and can be refused by a full inotify
 * table; it skips the reading when the file's signature shows no change.
 *
 * A signature may hide a second write within the same clock tick of the file system. Therefore it is trusted only when
 * two looks have seen it, which costs one extra read per change.
 */
export class FileFollower {
  readonly #file: FollowedFile;
  readonly #runtime: Runtime;
  readonly #listener: FileListener;
  readonly #watch: DirectoryWatch;

  #timer: Timer | undefined;
  /** When the changes that are being debounced began; undefined while the timer is the poll's. */
  #changedSinceMs: number | undefined;
  #looking: Promise<void> | undefined;
  /** Something changed during the look that is under way. */
  #lookAgain = false;
  #signature: FileSignature | undefined;
  #signatureConfirmed = false;
  #tornLooks = 0;
  #closed = false;

  constructor(file: FollowedFile, runtime: Runtime, listener: FileListener) {
    this.#file = file;
    this.#runtime = runtime;
    this.#listener = listener;
    this.#watch = new DirectoryWatch(() => this.#onChange());
  }

  /** Why changes are found by polling alone; undefined when they are not. */
  get problem(): string | undefined {
    const { problem } = this.#watch;
    return problem === undefined ? undefined : `${problem}; polling only`;
  }

  /** Reads the file at once; the first call begins to follow it. */
  look(): void {
    if (!this.#closed) this.#beginLook(true);
  }

  /** Idempotent. @returns once no look is under way */
  async close(): Promise<void> {
    this.#closed = true;
    this.#timer?.cancel();
    this.#watch.close();
    await this.#looking;
  }

  /** Waits for the file to be quiet, but not for ever: a file written without a pause must get through, too. */
  #onChange(): void {
    if (this.#closed) return;
    if (this.#looking !== undefined) {
      this.#lookAgain = true;
      return;
    }
    const { clock, scheduler } = this.#runtime;
    const { debounceMs } = this.#file;
    this.#changedSinceMs ??= clock.nowMs();
    const latestMs = this.#changedSinceMs + debounceMs * MAX_DEBOUNCE_FACTOR;
    this.#timer?.cancel();
    this.#timer = scheduler.after(Math.min(debounceMs, latestMs - clock.nowMs()), () =>
      this.#beginLook(true),
    );
  }

  #schedulePoll(): void {
    const { random, scheduler } = this.#runtime;
    const delayMs = jittered(random, this.#file.pollIntervalMs, POLL_JITTER_RATIO);
    this.#timer?.cancel();
    this.#timer = scheduler.after(delayMs, () => this.#beginLook(false));
  }

  /** @param mustRead a change was reported, so that an equal signature proves nothing */
  #beginLook(mustRead: boolean): void {
    if (this.#looking !== undefined) {
      this.#lookAgain = true;
      return;
    }
    this.#timer?.cancel();
    this.#changedSinceMs = undefined;
    this.#looking = this.#look(mustRead).finally(() => {
      this.#looking = undefined;
      if (this.#closed) return;
      if (this.#lookAgain) {
        this.#lookAgain = false;
        this.#onChange();
      } else {
        this.#schedulePoll();
      }
    });
  }

  async #look(mustRead: boolean): Promise<void> {
    const { path, maxBytes } = this.#file;
    try {
      // First the watch, then the reading: a change between the two is then reported rather than lost.
      await this.#watch.update(await planWatches(path));
      if (!mustRead && (await this.#isUnchanged())) return;
      const reading = await readTextFile(path, maxBytes);
      // The path may have been led elsewhere before the new place was watched.
      if (await this.#watch.update(await planWatches(path))) this.#lookAgain = true;
      await this.#take(reading);
    } catch (error) {
      this.#signature = undefined;
      if (!this.#closed) this.#listener.onFailure(error);
    }
  }

  async #isUnchanged(): Promise<boolean> {
    if (!this.#signatureConfirmed) return false;
    if ((await signatureOf(this.#file.path)) !== this.#signature) return false;
    if (!this.#closed) this.#listener.onUnchanged();
    return true;
  }

  async #take({ text, signature, torn }: FileReading): Promise<void> {
    if (torn) {
      this.#tornLooks += 1;
      this.#lookAgain = true;
      if (this.#tornLooks % MAX_TORN_LOOKS === 0)
        this.#listener.onFailure(discoveryError('keeps changing while it is read'));
      return;
    }
    this.#tornLooks = 0;
    this.#signatureConfirmed = signature === this.#signature;
    this.#signature = signature;
    if (!this.#closed) await this.#listener.onText(text);
  }
}

/** Why a look failed, in a few words. */
export function readFailureOf(error: unknown): string {
  const { code } = error as NodeJS.ErrnoException;
  if (code === 'ENOENT') return 'does not exist; waiting for it';
  return messageOf(error);
}
