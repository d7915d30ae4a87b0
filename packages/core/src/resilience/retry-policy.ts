/**
 * May a failed try be followed by another, and when? Asked in this order; the first "no" is the verdict.
 *
 * | question | verdict if not |
 * | --- | --- |
 * | has nothing of the response been passed on? | `answered` |
 * | is it a failure that the configuration retries? Cancelled never is | `final` |
 * | may the endpoint see the request twice? Yes if it is idempotent or was never sent | `not-idempotent` |
 * | is the body still there? Yes if it can be read again or nobody has read from it | `body-consumed` |
 * | are there tries left? | `exhausted` |
 * | does the server allow it, and soon enough? | `pushback` |
 * | will there be time? | `deadline` |
 * | do all retries together stay within the budget? | `budget` |
 *
 * The budget comes last, because asking it takes from it. Whoever gets `retry` waits `delayMs` and picks another
 * endpoint: {@link RetrySequence.excluded} lists those that failed. If there is none, {@link RetrySequence.reconsider}
 * says whether to go back to one of them; if a limit on retries stands in the way, {@link RetrySequence.decline} gives
 * the retry back, with the verdict `threshold`.
 *
 * ```ts
 * const sequence = policy.begin({ idempotent: true, replayable: true, deadlineAtMs });
 * const verdict = sequence.consider({ outcome: Outcome.reset, sent: true }, nowMs);
 * if (verdict === 'retry') scheduler.after(sequence.delayMs, tryNext);
 * ```
 */
import { Backoff } from '../algorithm/backoff.ts';
import { isFailure, Outcome, OUTCOME_NAMES } from '../model/outcome.ts';
import type { Random } from '../runtime/random.ts';
import { decode } from '../schema/decode.ts';
import type { RetryBudget } from './retry-budget.ts';
import { type RetryConfig, type RetryPolicyOptions, retrySchema } from './retry-config.ts';

/** Every answer of {@link RetrySequence.consider}. */
export type RetryVerdict =
  | 'retry'
  | 'answered'
  | 'final'
  | 'not-idempotent'
  | 'body-consumed'
  | 'exhausted'
  | 'pushback'
  | 'deadline'
  | 'budget'
  | 'threshold';

/** All of them, for metrics. */
export const RETRY_VERDICTS: readonly RetryVerdict[] = Object.freeze([
  'retry',
  'answered',
  'final',
  'not-idempotent',
  'body-consumed',
  'exhausted',
  'pushback',
  'deadline',
  'budget',
  'threshold',
]);

/** What retries need to know of a request. */
export interface RetryableRequest {
  /** By its method (`isIdempotentMethod`) or because the caller says so. */
  readonly idempotent: boolean;
  /** Can the body be read from its beginning again? True for none, text and bytes; false for streams. */
  readonly replayable: boolean;
  /** Default none. */
  readonly deadlineAtMs?: number | undefined;
}

/** How a try ended. */
export interface FinishedTry {
  readonly outcome: Outcome;
  /** HTTP status, if there was one. Decides alone whether an answer is retried, unless there is a gRPC code. */
  readonly statusCode?: number | undefined;
  /** gRPC status, if there was one. */
  readonly grpcCode?: number | undefined;
  /** May the endpoint have seen any of the request? False only if no connection took it. */
  readonly sent: boolean;
  /** Has anything been read from the body's source? Default: what `sent` says. */
  readonly bodyRead?: boolean | undefined;
  /** Has any of the response been passed on to the caller? Default false. */
  readonly answered?: boolean | undefined;
  /** What the server asked for, from `retryAfterMs`. */
  readonly retryAfterMs?: number | undefined;
  /** What the server asked for in gRPC's way, from `grpcPushbackMs`; `NEVER_RETRY` forbids. */
  readonly pushbackMs?: number | undefined;
  /** Is there another endpoint to go to? Default true. */
  readonly elsewhere?: boolean | undefined;
}

export interface RetryPorts {
  readonly random: Random;
  /** Shared by retries and hedges, best by everything that one client sends to one cluster. */
  readonly budget: RetryBudget;
  /** Least time that must be left for a try. Default 1 ms. */
  readonly minTryMs?: number | undefined;
}

/** The rules of one client. */
export class RetryPolicy {
  readonly config: RetryConfig;
  readonly budget: RetryBudget;
  readonly random: Random;
  readonly minTryMs: number;
  readonly #statuses: ReadonlySet<number>;
  readonly #grpcCodes: ReadonlySet<number>;
  readonly #outcomes: ReadonlySet<string>;
  readonly #counts = new Map<RetryVerdict, number>();

  /** @throws ConfigError naming every wrong option */
  constructor(options: RetryPolicyOptions, ports: RetryPorts) {
    this.config = decode(retrySchema, options, 'retry');
    this.budget = ports.budget;
    this.random = ports.random;
    this.minTryMs = ports.minTryMs ?? 1;
    this.#statuses = new Set(this.config.statuses);
    this.#grpcCodes = new Set(this.config.grpcCodes);
    this.#outcomes = new Set(this.config.outcomes);
  }

  /** The tries of one request. Made when a first try has failed; a request that succeeds needs none. */
  begin(request: RetryableRequest): RetrySequence {
    return new RetrySequence(this, request);
  }

  /** Is it a failure of a kind that another endpoint may not have? */
  isRetryable(finished: FinishedTry): boolean {
    if (finished.outcome === Outcome.cancelled) return false;
    const { grpcCode, statusCode } = finished;
    // gRPC failures come with an HTTP status of 200.
    if (grpcCode !== undefined && grpcCode !== 0) return this.#grpcCodes.has(grpcCode);
    if (statusCode !== undefined) return this.#statuses.has(statusCode);
    return (
      isFailure(finished.outcome) && this.#outcomes.has(OUTCOME_NAMES[finished.outcome] as string)
    );
  }

  /**
   * How often each verdict was given, for metrics. A retry that was granted and then not made counts twice: as `retry`
   * and with the reason.
   */
  count(verdict: RetryVerdict): number {
    return this.#counts.get(verdict) ?? 0;
  }

  /** @internal */
  note(verdict: RetryVerdict): RetryVerdict {
    this.#counts.set(verdict, this.count(verdict) + 1);
    return verdict;
  }
}

/** The tries of one request, after the first has failed. */
export class RetrySequence {
  /** Retries granted so far. */
  used = 0;
  /** Pause before the retry that was granted last. */
  delayMs = 0;

  readonly #policy: RetryPolicy;
  readonly #request: RetryableRequest;
  readonly #excluded: number[] = [];
  #last: FinishedTry | undefined;
  #backoff: Backoff | undefined;

  constructor(policy: RetryPolicy, request: RetryableRequest) {
    this.#policy = policy;
    this.#request = request;
  }

  /** Slots that the next pick has to avoid. */
  get excluded(): readonly number[] {
    return this.#excluded;
  }

  /** Notes an endpoint that failed this request. */
  exclude(slot: number): void {
    if (!this.#excluded.includes(slot)) this.#excluded.push(slot);
  }

  /** Lets endpoints that failed be picked again, when there are no others. */
  forgetExcluded(): void {
    this.#excluded.length = 0;
  }

  /** The verdict on another try. After `retry` it is taken from the budget and {@link delayMs} says how long to wait. */
  consider(finished: FinishedTry, nowMs: number): RetryVerdict {
    this.#last = finished;
    return this.#policy.note(this.#verdict(finished, nowMs));
  }

  /**
   * The retry that was granted finds no other endpoint: may it go back to one that failed? After `retry` none is excluded
   * any more, and {@link delayMs} says how long to wait; after anything else the budget has its part back.
   *
   * Not after a timeout: that endpoint is busy enough. Nor after an answer, unless it said when to come back.
   */
  reconsider(nowMs: number): RetryVerdict {
    const verdict = this.#verdictOnReturn(nowMs);
    if (verdict === 'retry') {
      this.forgetExcluded();
      return verdict;
    }
    return this.#giveBack(verdict, nowMs);
  }

  /** The retry that was granted is not made, because too many run at once. @returns the verdict `threshold` */
  decline(nowMs: number): RetryVerdict {
    return this.#giveBack('threshold', nowMs);
  }

  #giveBack(verdict: RetryVerdict, nowMs: number): RetryVerdict {
    this.used--;
    this.#policy.budget.refund(nowMs);
    return this.#policy.note(verdict);
  }

  #verdictOnReturn(nowMs: number): RetryVerdict {
    const last = this.#last;
    if (last === undefined || this.#excluded.length === 0) return 'final';
    if (last.outcome === Outcome.timeout) return 'final';
    const { statusCode, retryAfterMs, pushbackMs } = last;
    if (statusCode !== undefined && (retryAfterMs ?? pushbackMs) === undefined) return 'final';
    const alone = { ...last, elsewhere: false };
    const askedMs = this.#askedMs(alone);
    if (askedMs > this.#policy.config.maxRetryAfterMs) return 'pushback';
    const delayMs = this.#drawMs(alone, askedMs);
    if (!this.#hasTime(delayMs, nowMs)) return 'deadline';
    this.delayMs = delayMs;
    return 'retry';
  }

  #hasTime(delayMs: number, nowMs: number): boolean {
    const deadlineAtMs = this.#request.deadlineAtMs ?? Number.POSITIVE_INFINITY;
    return nowMs + delayMs + this.#policy.minTryMs <= deadlineAtMs;
  }

  #verdict(finished: FinishedTry, nowMs: number): RetryVerdict {
    const { config, budget } = this.#policy;
    const { sent } = finished;
    if (finished.answered === true) return 'answered';
    if (!this.#policy.isRetryable(finished)) return 'final';
    if (sent && !this.#request.idempotent) return 'not-idempotent';
    if ((finished.bodyRead ?? sent) && !this.#request.replayable) return 'body-consumed';
    if (this.used >= config.attempts) return 'exhausted';
    const askedMs = this.#askedMs(finished);
    if (askedMs > config.maxRetryAfterMs) return 'pushback';
    const delayMs = this.#drawMs(finished, askedMs);
    if (!this.#hasTime(delayMs, nowMs)) return 'deadline';
    if (!budget.tryWithdraw(nowMs)) return 'budget';
    this.used++;
    this.delayMs = delayMs;
    return 'retry';
  }

  /** What the server asked for and this retry has to respect; 0 for nothing. */
  #askedMs({ pushbackMs, retryAfterMs, elsewhere = true }: FinishedTry): number {
    if (pushbackMs !== undefined) return pushbackMs;
    const binds = !elsewhere || this.#policy.config.retryAfterScope === 'cluster';
    return binds ? (retryAfterMs ?? 0) : 0;
  }

  #drawMs(finished: FinishedTry, askedMs: number): number {
    // gRFC A6: a pushback replaces the pause, and the pauses after it begin anew.
    if (finished.pushbackMs !== undefined) {
      this.#backoff?.reset();
      return askedMs;
    }
    const { baseBackoffMs, maxBackoffMs, jitter, pauseFirst } = this.#policy.config;
    const isFresh = this.used === 0 && askedMs === 0 && finished.elsewhere !== false;
    if (baseBackoffMs === 0 || (isFresh && !pauseFirst)) return askedMs;
    this.#backoff ??= new Backoff({
      baseMs: Math.min(baseBackoffMs, maxBackoffMs),
      maxMs: maxBackoffMs,
      jitter,
      random: this.#policy.random,
    });
    // On top of what was asked, or all who were sent away at once would return at once.
    return askedMs + this.#backoff.nextMs();
  }
}
