/** How far one request may still be retried, and where. */
import type { Dispatcher } from 'undici';
import { ANY, type PickContext } from '../../model/pick-context.ts';
import { createRetryBackoff } from '../../resilience/retry-backoff.ts';
import { hashKeyOf } from './affinity.ts';
import type { ExchangeHost } from './exchange-host.ts';
import type { DispatchableCluster } from './options.ts';
import { type FailedTry, isRepeatable, mayRetry } from './retry-rules.ts';

/** For requests that cannot be repeated: they must not be the trial of an endpoint that was ejected. */
export const NO_PROBE: PickContext = Object.freeze({ ...ANY, probe: false });

export class RetryState {
  /** Retries made so far. */
  used = 0;
  /** What the last try failed with, if not with a response. */
  lastError: Error | undefined = undefined;
  /** May an endpoint that failed be used again when there is no other? Not after a time limit: it is busy enough. */
  mayReuse = true;

  readonly #host: ExchangeHost;
  readonly #cluster: DispatchableCluster;
  readonly #request: Dispatcher.DispatchOptions;
  readonly #repeatable: boolean;
  readonly #hashKey: string | undefined;
  #excluded: readonly number[] | undefined = undefined;
  #backoff: ReturnType<typeof createRetryBackoff> | undefined = undefined;

  constructor(
    host: ExchangeHost,
    cluster: DispatchableCluster,
    request: Dispatcher.DispatchOptions,
  ) {
    this.#host = host;
    this.#cluster = cluster;
    this.#request = request;
    this.#repeatable = isRepeatable(request);
    const source = cluster.hashKeySource;
    this.#hashKey = source === undefined ? undefined : hashKeyOf(source, request);
  }

  /** What the next pick depends on. */
  context(): PickContext {
    return { hashKey: this.#hashKey, exclude: this.#excluded, probe: this.#repeatable };
  }

  /** Does a failure without a response allow another try, and the budget too? */
  allows(failed: FailedTry): boolean {
    return this.#mayTryAgain() && mayRetry(failed, this.#request) && this.#affordable();
  }

  /** Does a response of the kind to retry allow another try, and the budget too? */
  allowsResponse(): boolean {
    return this.#repeatable && this.#mayTryAgain() && this.#affordable();
  }

  /** Another try is being made. */
  count(error: Error | undefined): void {
    this.used++;
    this.lastError = error ?? this.lastError;
    this.#host.budget.tryWithdraw(this.#cluster.nowMs());
    this.#host.counters.retryCount++;
  }

  exclude(slot: number): void {
    this.#excluded = [...(this.#excluded ?? []), slot];
  }

  /** Lets endpoints that failed be picked again. @returns false when there are none, or they may not */
  forgetExcluded(): boolean {
    if (this.#excluded === undefined || !this.mayReuse) return false;
    this.#excluded = undefined;
    return true;
  }

  /** The next pause: longer each time, jittered. */
  pauseMs(): number {
    const { config, runtime } = this.#host;
    this.#backoff ??= createRetryBackoff(config.retry.maxBackoffMs, runtime.random);
    return this.#backoff.nextMs();
  }

  /** Is a `Retry-After` short enough to wait for? */
  worthWaiting(delayMs: number, leftMs: number): boolean {
    return delayMs <= this.#host.config.retry.maxRetryAfterMs && delayMs < leftMs;
  }

  #mayTryAgain(): boolean {
    return !this.#host.destroyed && this.used < this.#host.config.retry.attempts;
  }

  #affordable(): boolean {
    if (this.#host.budget.remaining(this.#cluster.nowMs()) >= 1) return true;
    this.#host.counters.retryRefusedCount++;
    return false;
  }
}
