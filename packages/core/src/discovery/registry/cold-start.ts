import { messageOf } from '../../error/evenkeel-error.ts';
import type { Timer } from '../../runtime/scheduler.ts';
import type { RestoredSet, SetStore } from '../guard/set-store.ts';
import type { DiscoveryEnvironment } from '../resolver.ts';
import type { SourceReport } from '../source-report.ts';

/** A registry that says nothing at all is waited for no longer than this before the set from disk is used. */
const GRACE_MS = 1_000;

export interface ColdStartOptions {
  readonly store: SetStore;
  readonly report: SourceReport;
  readonly environment: DiscoveryEnvironment;
}

/**
 * A start while the registry is down: the last known good set is read at once, and put in force when the registry has
 * failed, or has said nothing for a second, before it delivered anything. From the first good answer on it is history.
 */
export class ColdStart {
  readonly #store: SetStore;
  readonly #report: SourceReport;
  readonly #environment: DiscoveryEnvironment;
  #loaded: RestoredSet | undefined;
  #problem: string | undefined;
  /** Has the registry failed, or had its time? */
  #wanted = false;
  #over = false;
  #restored = false;
  #timer: Timer | undefined;

  constructor({ store, report, environment }: ColdStartOptions) {
    this.#store = store;
    this.#report = report;
    this.#environment = environment;
  }

  /** Is the set in force the one from disk? */
  get restored(): boolean {
    return this.#restored;
  }

  start(): void {
    this.#timer = this.#environment.runtime.scheduler.after(GRACE_MS, () => this.#want());
    this.#store.load().then(
      (loaded) => {
        this.#loaded = loaded;
        this.#restoreIfWanted();
      },
      (error: unknown) => {
        this.#problem = messageOf(error);
        const { cluster, runtime } = this.#environment;
        if (!this.#over) runtime.logger.warn({ cluster, error: this.#problem }, 'no set from disk');
      },
    );
  }

  /** @returns what to say about it beside the failure */
  onFailure(): string | undefined {
    this.#want();
    if (this.#restored) {
      const count = this.#loaded?.set.endpoints.length ?? 0;
      return `using the last known good set from disk, ${count} endpoints`;
    }
    return this.#over ? undefined : this.#problem;
  }

  /** The registry has delivered. */
  confirmed(): void {
    this.#restored = false;
    this.close();
  }

  close(): void {
    this.#over = true;
    this.#timer?.cancel();
  }

  #want(): void {
    this.#wanted = true;
    this.#restoreIfWanted();
  }

  #restoreIfWanted(): void {
    const loaded = this.#loaded;
    if (!this.#wanted || this.#over || this.#restored || loaded === undefined) return;
    this.#restored = true;
    this.#timer?.cancel();
    const { cluster, runtime } = this.#environment;
    const fields = { cluster, count: loaded.set.endpoints.length, ageMs: loaded.ageMs };
    runtime.logger.warn(fields, 'the registry does not answer: using the last known good set');
    this.#report.restore(loaded.set);
  }
}
