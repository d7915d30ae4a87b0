/**
 * Hedging: when an answer is late, ask a second endpoint as well and take whichever answers first (Dean and Barroso,
 * "The Tail at Scale", CACM 2013, "hedged requests").
 *
 * ```text
 *   first try   ├────────── delay ──────────┬─ ─ ─ ─ ─ ─ ─ ✕ cancelled, says nothing about the endpoint
 *   hedge                                   ├──────────✓ wins
 * ```
 *
 * The delay is a percentile of what first tries take, so that hedges add a known share of load: with the 95th, 5 %.
 * The estimate stands or falls with what is recorded. A first try that lost was *at least* as slow as the moment it was
 * cancelled, and has to be recorded with that time. Were only finished tries recorded, the slow ones would vanish from
 * the statistics and the percentile would sink: more than twice as many hedges in the simulation beside this file.
 * Hedges themselves are not recorded.
 */
import { decode } from '../schema/decode.ts';
import { type HedgeConfig, type HedgeOptions, hedgeSchema } from './hedge-config.ts';
import { LatencyQuantile } from './latency-quantile.ts';
import type { RetryBudget } from './retry-budget.ts';

/** Delay of a request that is not to be hedged. */
export const NO_HEDGE: number = Number.POSITIVE_INFINITY;

/** Every answer of {@link HedgePolicy.tryHedge}. */
export type HedgeVerdict =
  'hedge' | 'not-idempotent' | 'body-consumed' | 'exhausted' | 'deadline' | 'budget';

/** What hedging needs to know of a request that waits for its answer. */
export interface HedgeableRequest {
  /** Two endpoints will see it at the same time. */
  readonly idempotent: boolean;
  /** Can the body be read from its beginning again, while it may still be read? */
  readonly replayable: boolean;
  /** Default none. */
  readonly deadlineAtMs?: number | undefined;
}

export interface HedgePorts {
  /** The same that retries take from. */
  readonly budget: RetryBudget;
  /** Least time that must be left for a hedge. Default 1 ms. */
  readonly minTryMs?: number | undefined;
}

/** The rules of one client, and what it has learnt about latencies. */
export class HedgePolicy {
  readonly config: HedgeConfig;
  /** Hedges granted since the start. */
  hedgeCount = 0;
  /** Hedges that the budget refused since the start. */
  refusedCount = 0;

  readonly #budget: RetryBudget;
  readonly #minTryMs: number;
  /** 0..1; undefined: the delay is fixed. */
  readonly #ratio: number | undefined;
  readonly #latencies: LatencyQuantile;
  #delayMs: number;
  #refreshAtMs = Number.NEGATIVE_INFINITY;

  /** @throws ConfigError naming every wrong option */
  constructor(options: HedgeOptions, ports: HedgePorts) {
    this.config = decode(hedgeSchema, options, 'hedge');
    const { delayMs, percentile = delayMs === undefined ? 95 : undefined, tauMs } = this.config;
    this.#budget = ports.budget;
    this.#minTryMs = ports.minTryMs ?? 1;
    this.#ratio = percentile === undefined ? undefined : percentile / 100;
    this.#latencies = new LatencyQuantile(tauMs);
    this.#delayMs = this.#atLeast(delayMs ?? NO_HEDGE);
  }

  /**
   * Notes how long a first try took to its answer, or how long it had taken when it was cancelled because a hedge won.
   * Not for failures: how fast an endpoint fails says nothing about how long to wait for one that works.
   */
  observe(latencyMs: number): void {
    if (this.#ratio !== undefined) this.#latencies.record(latencyMs);
  }

  /** How long to wait before the next hedge; {@link NO_HEDGE} while too little is known. */
  delayMs(nowMs: number): number {
    if (nowMs >= this.#refreshAtMs && this.#ratio !== undefined) this.#refresh(this.#ratio, nowMs);
    return this.#delayMs;
  }

  /**
   * The delay has passed without an answer: may another endpoint be asked? After `hedge` it is taken from the budget.
   *
   * @param used hedges that this request has had
   */
  tryHedge(request: HedgeableRequest, used: number, nowMs: number): HedgeVerdict {
    if (!request.idempotent) return 'not-idempotent';
    if (!request.replayable) return 'body-consumed';
    if (used >= this.config.maxHedges) return 'exhausted';
    const deadlineAtMs = request.deadlineAtMs ?? Number.POSITIVE_INFINITY;
    if (nowMs + this.#minTryMs > deadlineAtMs) return 'deadline';
    if (!this.#budget.tryWithdraw(nowMs)) {
      this.refusedCount++;
      return 'budget';
    }
    this.hedgeCount++;
    return 'hedge';
  }

  /** The hedge that was granted just now is not made: there is no other endpoint. */
  giveBack(nowMs: number): void {
    this.hedgeCount--;
    this.#budget.refund(nowMs);
  }

  #refresh(ratio: number, nowMs: number): void {
    this.#latencies.age(nowMs);
    if (this.#latencies.total < this.config.minSamples) {
      // Soon again: it may only be the first seconds.
      this.#refreshAtMs = nowMs + FIRST_REFRESH_MS;
      this.#delayMs = this.#atLeast(this.config.delayMs ?? NO_HEDGE);
      return;
    }
    this.#refreshAtMs = nowMs + this.config.refreshMs;
    this.#delayMs = this.#atLeast(this.#latencies.quantileMs(ratio) ?? NO_HEDGE);
  }

  #atLeast(delayMs: number): number {
    return Math.max(this.config.minDelayMs, delayMs);
  }
}

/** How often to look whether there are samples enough, until there are. */
const FIRST_REFRESH_MS = 100;
