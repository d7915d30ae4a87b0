import { mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { messageOf } from '../../error/evenkeel-error.ts';
import type { EndpointSet } from '../../model/endpoint-set.ts';
import type { Runtime } from '../../runtime/runtime.ts';
import type { Timer } from '../../runtime/scheduler.ts';
import { discoveryError } from '../discovery-error.ts';
import { readTextFile } from '../file/read-file.ts';
import type { SourceIdentity } from '../source-report.ts';
import type { LastKnownGoodConfig } from './config.ts';
import { decodeStoredSet, encodeStoredSet } from './encode-set.ts';
import type { RestoredSet, SetStore } from './set-store.ts';

/** Least time between two writings: a registry that changes all the time must not wear the disk out. */
const MIN_WRITE_INTERVAL_MS = 5_000;
/** An unchanged set is written again after this time, so that the file tells when it was last confirmed. */
const RECONFIRM_INTERVAL_MS = 600_000;
/** Far more than the largest set takes; see `MAX_ENDPOINTS`. */
const MAX_BYTES: number = 256 * 1024 * 1024;

/**
 * The last good set in a file: written beside it, flushed, and renamed into place, so that a reader and a crash find
 * the old one or the new one. Several processes may share the file; the last one to write wins.
 */
export class LastKnownGood implements SetStore {
  readonly #config: LastKnownGoodConfig;
  readonly #identity: SourceIdentity;
  readonly #runtime: Runtime;

  /** Confirmed, and not yet written. */
  #pending: EndpointSet | undefined;
  #written: EndpointSet | undefined;
  #writtenAtMs = Number.NEGATIVE_INFINITY;
  #timer: Timer | undefined;
  #writing: Promise<void> | undefined;
  #problem: string | undefined;
  #closed = false;

  /** @param identity of the source: a file of another source is refused */
  constructor(config: LastKnownGoodConfig, identity: SourceIdentity, runtime: Runtime) {
    this.#config = config;
    this.#identity = identity;
    this.#runtime = runtime;
  }

  get problem(): string | undefined {
    return this.#problem;
  }

  async load(): Promise<RestoredSet | undefined> {
    const { path, maxAgeMs } = this.#config;
    try {
      const { text } = await readTextFile(path, MAX_BYTES);
      const { identity, savedMs, set } = decodeStoredSet(text);
      const { kind, source } = this.#identity;
      if (identity.kind !== kind || identity.source !== source) {
        throw discoveryError(`holds the endpoints of ${identity.kind} ${identity.source}`);
      }
      // A clock that was set back makes the set look as if from the future: its age is then unknown, not negative.
      const ageMs = Math.max(0, this.#runtime.clock.wallMs() - savedMs);
      if (ageMs > maxAgeMs) throw discoveryError(`is too old: ${Math.round(ageMs / 1_000)} s`);
      return { set, ageMs };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw discoveryError(`last known good set ${path}: ${messageOf(error)}`, error);
    }
  }

  save(set: EndpointSet): void {
    if (this.#closed) return;
    const elapsedMs = this.#runtime.clock.nowMs() - this.#writtenAtMs;
    if (set === this.#written && elapsedMs < RECONFIRM_INTERVAL_MS) {
      this.#pending = undefined;
      return;
    }
    this.#pending = set;
    if (this.#timer !== undefined || this.#writing !== undefined) return;
    this.#schedule(Math.max(0, MIN_WRITE_INTERVAL_MS - elapsedMs));
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#timer?.cancel();
    this.#timer = undefined;
    await this.#writing;
    if (this.#pending !== undefined) await this.#write(this.#pending);
  }

  #schedule(delayMs: number): void {
    this.#timer = this.#runtime.scheduler.after(delayMs, () => {
      this.#timer = undefined;
      if (this.#pending === undefined) return;
      this.#writing = this.#write(this.#pending).finally(() => {
        this.#writing = undefined;
        if (this.#pending !== undefined && !this.#closed) this.#schedule(MIN_WRITE_INTERVAL_MS);
      });
    });
  }

  async #write(set: EndpointSet): Promise<void> {
    this.#pending = undefined;
    const { clock } = this.#runtime;
    this.#writtenAtMs = clock.nowMs();
    try {
      const savedMs = Math.max(0, Math.floor(clock.wallMs()));
      await this.#replace(encodeStoredSet({ identity: this.#identity, savedMs, set }));
      this.#written = set;
      this.#problem = undefined;
    } catch (error) {
      // The next confirmation tries again.
      this.#written = undefined;
      this.#problem = `the last known good set cannot be written: ${messageOf(error)}`;
    }
  }

  async #replace(content: string): Promise<void> {
    const { path } = this.#config;
    await mkdir(dirname(path), { recursive: true });
    const temporary = `${path}.${process.pid}-${this.#runtime.random.nextInt32() >>> 0}.tmp`;
    try {
      // Addresses and labels of an inner network are nobody else's business.
      const handle = await open(temporary, 'wx', 0o600);
      try {
        await handle.writeFile(content);
        await handle.sync();
      } finally {
        await handle.close();
      }
      await rename(temporary, path);
    } catch (error) {
      await rm(temporary, { force: true });
      throw error;
    }
  }
}
