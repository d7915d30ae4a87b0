import { createHash } from 'node:crypto';
import { EvenkeelError, messageOf } from '../../error/evenkeel-error.ts';
import type { EndpointSet } from '../../model/endpoint-set.ts';
import { jittered } from '../../runtime/random.ts';
import type { Runtime } from '../../runtime/runtime.ts';
import type { Timer } from '../../runtime/scheduler.ts';
import type {
  DiscoveryEnvironment,
  Resolver,
  ResolverListener,
  ResolverStatus,
} from '../resolver.ts';
import { SourceReport } from '../source-report.ts';
import type { FileConfig } from './config.ts';
import { DirectoryWatch } from './directory-watch.ts';
import { parseEndpoints } from './parse-endpoints.ts';
import { type FileReading, type FileSignature, readTextFile, signatureOf } from './read-file.ts';
import { planWatches } from './watch-plan.ts';

/** A file that keeps changing is read at the latest this many debounce times after the first change. */
const MAX_DEBOUNCE_FACTOR = 10;
/** Looks in a row that may find the file changing under them before that is reported. */
const MAX_TORN_LOOKS = 10;
/** Spreads the polls of a fleet that shares a file server. */
const POLL_JITTER_RATIO = 0.1;

/** What a content turned out to be. */
interface ParsedContent {
  readonly digest: string;
  readonly set: EndpointSet | undefined;
  readonly error: unknown;
}

/**
 * Watches one file.
 *
 * A **look** brings the directory watches in line with where the path leads now, reads the file and parses it. Looks
 * never overlap. Three things cause one: a change that the system reports (debounced), the poll, and `refresh()`.
 * The poll is the safety net below the watches, which lie on network file systems and can be refused by a full inotify
 * table; it skips the reading when the file's signature shows no change.
 *
 * A signature may hide a second write within the same clock tick of the file system. Therefore it is trusted only when
 * two looks have seen it, which costs one extra read per change.
 */
export class FileResolver implements Resolver {
  readonly #config: FileConfig;
  readonly #runtime: Runtime;
  readonly #report: SourceReport;
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
  /** Several looks may see one content, and parsing is the dear part. */
  #parsed: ParsedContent | undefined;

  constructor(config: FileConfig, environment: DiscoveryEnvironment) {
    this.#config = config;
    this.#runtime = environment.runtime;
    this.#report = new SourceReport({ kind: 'file', source: config.path }, environment);
    this.#watch = new DirectoryWatch(() => this.#onChange());
  }

  start(listener: ResolverListener): void {
    this.#report.open(listener);
    this.#beginLook(true);
  }

  refresh(): void {
    if (!this.#report.closed) this.#beginLook(true);
  }

  status(): ResolverStatus {
    return this.#report.status();
  }

  async close(): Promise<void> {
    this.#report.close();
    this.#timer?.cancel();
    this.#watch.close();
    await this.#looking;
  }

  /** Waits for the file to be quiet, but not for ever: a file written without a pause must get through, too. */
  #onChange(): void {
    if (this.#report.closed) return;
    if (this.#looking !== undefined) {
      this.#lookAgain = true;
      return;
    }
    const { clock, scheduler } = this.#runtime;
    const { debounceMs } = this.#config;
    this.#changedSinceMs ??= clock.nowMs();
    const latestMs = this.#changedSinceMs + debounceMs * MAX_DEBOUNCE_FACTOR;
    this.#timer?.cancel();
    this.#timer = scheduler.after(Math.min(debounceMs, latestMs - clock.nowMs()), () =>
      this.#beginLook(true),
    );
  }

  #schedulePoll(): void {
    const { random, scheduler } = this.#runtime;
    const delayMs = jittered(random, this.#config.pollIntervalMs, POLL_JITTER_RATIO);
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
      if (this.#report.closed) return;
      if (this.#lookAgain) {
        this.#lookAgain = false;
        this.#onChange();
      } else {
        this.#schedulePoll();
      }
    });
  }

  async #look(mustRead: boolean): Promise<void> {
    const { path, maxBytes } = this.#config;
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
      this.#fail(error);
    }
  }

  async #isUnchanged(): Promise<boolean> {
    if (!this.#signatureConfirmed) return false;
    if ((await signatureOf(this.#config.path)) !== this.#signature) return false;
    // A file that is still as wrong as before has been reported already.
    if (this.#report.last !== undefined && this.#report.status().healthy)
      this.#succeed(this.#report.last);
    return true;
  }

  async #take({ text, signature, torn }: FileReading): Promise<void> {
    if (torn) {
      this.#tornLooks += 1;
      this.#lookAgain = true;
      if (this.#tornLooks % MAX_TORN_LOOKS === 0)
        this.#report.fail('keeps changing while it is read');
      return;
    }
    this.#tornLooks = 0;
    this.#signatureConfirmed = signature === this.#signature;
    this.#signature = signature;
    const digest = createHash('sha256').update(text).digest('base64');
    const isNew = digest !== this.#parsed?.digest;
    this.#parsed = isNew ? await this.#parse(text, digest) : this.#parsed;
    if (this.#parsed?.set !== undefined) this.#succeed(this.#parsed.set);
    // What is still as wrong as before has been reported, unless there was another failure in between.
    else if (isNew || this.#report.status().lastError !== reasonOf(this.#parsed?.error)) {
      this.#fail(this.#parsed?.error);
    }
  }

  async #parse(text: string, digest: string): Promise<ParsedContent> {
    try {
      return { digest, set: await parseEndpoints(text, this.#config), error: undefined };
    } catch (error) {
      return { digest, set: undefined, error };
    }
  }

  #succeed(set: EndpointSet): void {
    const { problem } = this.#watch;
    this.#report.succeed(set, problem === undefined ? undefined : `${problem}; polling only`);
  }

  #fail(error: unknown): void {
    this.#report.fail(reasonOf(error), error);
  }
}

function reasonOf(error: unknown): string {
  if (error instanceof EvenkeelError) return error.message;
  const { code } = error as NodeJS.ErrnoException;
  if (code === 'ENOENT') return 'does not exist; waiting for it';
  return messageOf(error);
}
