import { Backoff } from '../../algorithm/backoff.ts';
import { uniformUnit } from '../../algorithm/random-source.ts';
import { messageOf } from '../../error/evenkeel-error.ts';
import type { Runtime } from '../../runtime/runtime.ts';
import type { Timer } from '../../runtime/scheduler.ts';
import type { WatchTimes } from './config.ts';
import { type Reading, type RegistrySource, UNCHANGED } from './registry-source.ts';

/** Ceiling of the first wait after a failure; it doubles up to `maxBackoffMs`. */
const FIRST_BACKOFF_MS = 250;
/** Spreads what a fleet does after the same time. */
const JITTER_RATIO = 0.1;
/**
 * The engine rests this many times as long as the thread was busy with an answer: a registry that changes all the time
 * takes about a tenth of the CPU at most, however many endpoints it lists.
 */
const REST_FACTOR = 10;
/** A timer may fire up to a millisecond early: a watch that gives way just before its time is no silent one. */
const TIMER_SLACK_MS = 1;
/** `refresh()` is called whenever a connection breaks: it must not turn into a storm of whole readings. */
const MIN_REFRESH_INTERVAL_MS = 1_000;

export interface WatchLoopTimes extends WatchTimes {
  readonly minIntervalMs: number;
  readonly maxAgeMs: number;
  readonly maxBackoffMs: number;
}

/** Who makes something of the answers. */
export interface WatchLoopListener<Position> {
  /** @returns when to look again, carefully, whatever happens; undefined: there is no need */
  onReading(reading: Reading<Position>): number | undefined;
  /** A sign of life: what was read last still holds. */
  onUnchanged(): void;
  onFailure(problem: string, cause: unknown): void;
}

export interface WatchLoopOptions<Position> {
  readonly source: RegistrySource<Position>;
  readonly times: WatchLoopTimes;
  readonly runtime: Runtime;
  readonly listener: WatchLoopListener<Position>;
}

/** Why everything is read. */
type ReadReason = 'first' | 'poll' | 'failure' | 'age' | 'confirm' | 'refresh';

/** A call to the source that is under way. Whoever ends it replaces the state, so that a late result finds itself alone. */
interface Looking {
  readonly kind: 'looking';
  readonly read: ReadReason | undefined;
  readonly startMs: number;
  readonly abort: AbortController;
  readonly timer: Timer;
}

type State =
  | { readonly kind: 'idle' }
  | Looking
  | { readonly kind: 'resting'; readonly afterFailure: boolean; readonly timer: Timer }
  | { readonly kind: 'closed' };

/**
 * Decides when a registry is asked, and notices when it has stopped to answer.
 *
 * | now                                       | next                                                              |
 * |-------------------------------------------|-------------------------------------------------------------------|
 * | a reading with a position, or `UNCHANGED` | watch from there, `minIntervalMs` after the last call began       |
 * | an answer took long to work through       | the above, but not before ten times as long has passed            |
 * | a reading without a position              | read `pollIntervalMs` later, up to +10 %                          |
 * | a call failed, or took too long           | read, after a wait of full jitter that doubles to `maxBackoffMs`  |
 * | a watch is older than the silence allowed | as above; counted                                                 |
 * | `maxAgeMs` after the last reading         | read, whatever the watch is doing                                 |
 * | the listener wants a second look          | read carefully at that time                                       |
 * | `refresh()`                               | read, at most once a second; not while waiting after a failure    |
 *
 * Nothing is taken on trust from the source: a call that ignores its signal or never settles is left behind, and its
 * result is ignored.
 */
export class WatchLoop<Position> {
  readonly #source: RegistrySource<Position>;
  readonly #times: WatchLoopTimes;
  readonly #runtime: Runtime;
  readonly #listener: WatchLoopListener<Position>;
  readonly #backoff: Backoff;

  #state: State = { kind: 'idle' };
  #position: Position | undefined;
  /** Set when the next call has to be a reading. */
  #readNext: ReadReason | undefined = 'first';
  #lastStartMs = Number.NEGATIVE_INFINITY;
  /** When what was read last is too old. */
  #ageLimitMs: number = Infinity;
  #confirmAtMs: number | undefined;
  #resyncCount = 0;
  #silenceCount = 0;

  constructor({ source, times, runtime, listener }: WatchLoopOptions<Position>) {
    this.#source = source;
    this.#times = times;
    this.#runtime = runtime;
    this.#listener = listener;
    this.#backoff = new Backoff({
      baseMs: Math.min(FIRST_BACKOFF_MS, times.maxBackoffMs),
      maxMs: times.maxBackoffMs,
      jitter: 'full',
      random: runtime.random,
    });
  }

  /** Whole readings that succeeded, besides the first and those that are the rule where nothing can be watched. */
  get resyncCount(): number {
    return this.#resyncCount;
  }

  get silenceCount(): number {
    return this.#silenceCount;
  }

  start(): void {
    this.#look();
  }

  refresh(): void {
    const state = this.#state;
    if (state.kind !== 'looking' && state.kind !== 'resting') return;
    if (state.kind === 'resting' && state.afterFailure) return;
    this.#readNext ??= 'refresh';
    // A reading that is under way may have begun before what the caller has noticed: another one follows it.
    if (state.kind === 'looking' && state.read !== undefined) return;
    this.#leave();
    this.#rest(this.#lastStartMs + MIN_REFRESH_INTERVAL_MS - this.#nowMs(), false);
  }

  /** The source is the owner's to close. */
  close(): void {
    this.#leave();
    this.#state = { kind: 'closed' };
  }

  #nowMs(): number {
    return this.#runtime.clock.nowMs();
  }

  #look(): void {
    const nowMs = this.#nowMs();
    const read = this.#readReason(nowMs);
    const position = this.#position;
    this.#readNext = undefined;
    this.#lastStartMs = nowMs;
    const abort = new AbortController();
    const limitMs =
      read === undefined
        ? Math.min(this.#times.silenceMs, this.#dueMs() - nowMs)
        : this.#times.readTimeoutMs;
    const state: Looking = {
      kind: 'looking',
      read,
      startMs: nowMs,
      abort,
      timer: this.#runtime.scheduler.after(limitMs, () => this.#onLimit(state)),
    };
    this.#state = state;
    const look = { signal: abort.signal, careful: read === 'confirm' };
    const answer =
      read === undefined && position !== undefined
        ? this.#source.watch(position, look)
        : this.#source.read(look);
    answer.then(
      (reading) => this.#state === state && this.#onAnswer(state, reading),
      (error: unknown) => this.#state === state && this.#fail(messageOf(error), error),
    );
  }

  #readReason(nowMs: number): ReadReason | undefined {
    if (this.#confirmAtMs !== undefined && this.#confirmAtMs <= nowMs) return 'confirm';
    if (this.#readNext !== undefined) return this.#readNext;
    if (this.#position === undefined) return 'poll';
    return this.#ageLimitMs <= nowMs ? 'age' : undefined;
  }

  /** When a watch has to give way to a reading. */
  #dueMs(): number {
    return Math.min(this.#ageLimitMs, this.#confirmAtMs ?? Infinity);
  }

  #onAnswer(state: Looking, answer: Reading<Position> | typeof UNCHANGED): void {
    this.#leave();
    this.#backoff.reset();
    const { minIntervalMs, pollIntervalMs, maxAgeMs } = this.#times;
    let busyMs = -this.#nowMs();
    if (answer === UNCHANGED) {
      this.#listener.onUnchanged();
    } else {
      this.#position = answer.position;
      busyMs += answer.busyMs ?? 0;
      if (state.read !== undefined) {
        this.#ageLimitMs = this.#nowMs() + maxAgeMs * (1 - this.#jitter());
        if (state.read !== 'first' && state.read !== 'poll') this.#resyncCount += 1;
      }
      try {
        this.#confirmAtMs = this.#listener.onReading(answer);
      } catch (error) {
        this.#fail(messageOf(error), error);
        return;
      }
    }
    if (this.#state.kind === 'closed') return;
    const intervalMs =
      this.#position === undefined && this.#readNext === undefined
        ? Math.max(minIntervalMs, pollIntervalMs * (1 + this.#jitter()))
        : minIntervalMs;
    const nowMs = this.#nowMs();
    busyMs += nowMs;
    const wantedMs = Math.min(state.startMs + intervalMs, this.#confirmAtMs ?? Infinity);
    const earliestMs = Math.max(state.startMs + minIntervalMs, nowMs + busyMs * REST_FACTOR);
    this.#rest(Math.max(wantedMs, earliestMs) - nowMs, false);
  }

  #onLimit(state: Looking): void {
    if (this.#state !== state) return;
    if (state.read !== undefined) {
      this.#fail(`no answer within ${this.#times.readTimeoutMs} ms`, undefined);
    } else if (this.#dueMs() <= this.#nowMs() + TIMER_SLACK_MS) {
      this.#leave();
      const earlyMs = this.#dueMs() - this.#nowMs();
      if (earlyMs > 0) this.#rest(earlyMs + TIMER_SLACK_MS, false);
      else this.#look();
    } else {
      this.#silenceCount += 1;
      this.#fail(`silent for ${this.#times.silenceMs} ms`, undefined);
    }
  }

  #fail(problem: string, cause: unknown): void {
    this.#leave();
    this.#position = undefined;
    this.#readNext = 'failure';
    this.#listener.onFailure(problem, cause);
    if (this.#state.kind !== 'closed') this.#rest(this.#backoff.nextMs(), true);
  }

  #rest(delayMs: number, afterFailure: boolean): void {
    const timer = this.#runtime.scheduler.after(Math.max(0, delayMs), () => this.#look());
    this.#state = { kind: 'resting', afterFailure, timer };
  }

  /** Ends what is going on. */
  #leave(): void {
    const state = this.#state;
    this.#state = { kind: 'idle' };
    if (state.kind === 'looking') {
      state.timer.cancel();
      state.abort.abort();
    } else if (state.kind === 'resting') {
      state.timer.cancel();
    } else if (state.kind === 'closed') {
      this.#state = state;
    }
  }

  #jitter(): number {
    return uniformUnit(this.#runtime.random) * JITTER_RATIO;
  }
}
