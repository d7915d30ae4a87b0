/**
 * Adaptive throttling in the client ("Site Reliability Engineering", Google 2016, chapter 21, "Client-Side
 * Throttling"): a client whose requests are refused stops sending a part of them, because even a refusal costs the
 * server something. With `requests` and `accepts` counted over the last two minutes, a request is refused here with
 * probability
 *
 * ```text
 *   p = max(0, (requests - K * accepts) / (requests + 1))
 * ```
 *
 * where `requests` counts those refused here, too. A server that accepts A requests per second of a demand R > K * A is
 * then sent `R * (1 - p) = K * A`: with K = 2 it refuses as many as it accepts, however high the demand.
 *
 * A server that accepts less than 1 / K of what it is *sent* (one that is down accepts none) would in the end get
 * almost nothing, and two minutes would pass before its return shows. Hence, as in Finagle's NACK admission filter, an
 * upper limit of p and a least rate below which nothing is refused.
 */
import type { z } from 'zod';
import { uniformUnit } from '../algorithm/random-source.ts';
import { SlidingWindow } from '../algorithm/sliding-window.ts';
import { Outcome } from '../model/outcome.ts';
import type { Random } from '../runtime/random.ts';
import { decode } from '../schema/decode.ts';
import { durationMs, number, object } from '../schema/fields.ts';

/** What a user writes at `clientThrottle: {...}`. */
export type ClientThrottleOptions = {
  readonly [Key in keyof ClientThrottleConfig]?: ClientThrottleConfig[Key] | undefined;
};

/** Checked options of client-side throttling. */
export interface ClientThrottleConfig {
  /**
   * K: what the server is sent at most, as a multiple of what it accepts. 1.01..100, default 2. Lower reacts earlier and
   * wastes less of the server, higher notices its recovery sooner.
   */
  readonly acceptMultiplier: number;
  /** Requests of this time count. 1,000..3,600,000 ms, default 120,000. */
  readonly windowMs: number;
  /** Largest part of the requests that is refused, 0..1, default 0.75. The rest finds out how the server is. */
  readonly maxRejectRatio: number;
  /** Below this rate nothing is refused: too few to tell, and too few to hurt. 0..1,000,000 per second, default 5. */
  readonly minRequestsPerSecond: number;
}

/** Schema of the option `clientThrottle`. */
export const clientThrottleSchema: z.ZodType<ClientThrottleConfig, ClientThrottleOptions> = object({
  acceptMultiplier: number({ min: 1.01, max: 100 })
    .default(2)
    .describe('What the server is sent at most, as a multiple of what it accepts.'),
  windowMs: durationMs({ min: 1_000, max: 3_600_000 })
    .default(120_000)
    .describe('Requests of this time count.'),
  maxRejectRatio: number({ min: 0, max: 1 })
    .default(0.75)
    .describe('Largest part of the requests that is refused.'),
  minRequestsPerSecond: number({ min: 0, max: 1_000_000 })
    .default(5)
    .describe('Below this rate nothing is refused.'),
});

export interface ClientThrottlePorts {
  readonly random: Random;
}

/** Counts what one client sends to one cluster. */
export class ClientThrottle {
  readonly config: ClientThrottleConfig;
  /** Refusals since the start. */
  rejectedCount = 0;
  readonly #window: SlidingWindow;
  readonly #random: Random;
  readonly #minRequests: number;
  #beganMs: number | undefined;

  /** @throws ConfigError naming every wrong option */
  constructor(options: ClientThrottleOptions, ports: ClientThrottlePorts) {
    this.config = decode(clientThrottleSchema, options, 'clientThrottle');
    const { windowMs, minRequestsPerSecond } = this.config;
    this.#window = new SlidingWindow({ windowMs, buckets: BUCKETS });
    this.#random = ports.random;
    this.#minRequests = minRequestsPerSecond / 1_000;
  }

  /** Probability with which a request would be refused now, 0..`maxRejectRatio`. */
  rejectRatio(nowMs: number): number {
    const { acceptMultiplier, maxRejectRatio, windowMs } = this.config;
    const refused = this.#window.failures(nowMs);
    // The usual case, at the price of one look at the window.
    if (refused === 0) return 0;
    const accepted = this.#window.successes(nowMs);
    const requests = accepted + refused;
    // Soon after the start the window is not yet full.
    const spanMs = Math.min(windowMs, nowMs - (this.#beganMs ?? nowMs));
    if (requests < this.#minRequests * Math.max(spanMs, MIN_SPAN_MS)) return 0;
    const excess = requests - acceptMultiplier * accepted;
    return excess <= 0 ? 0 : Math.min(maxRejectRatio, excess / (requests + 1));
  }

  /** Lets a request through, to be reported with {@link finish}, or refuses it. */
  tryAcquire(nowMs: number): boolean {
    const ratio = this.rejectRatio(nowMs);
    // No draw while all is well: the random numbers of a quiet client are the same with and without throttling.
    if (ratio === 0 || uniformUnit(this.#random) >= ratio) return true;
    this.rejectedCount++;
    this.#record(false, nowMs);
    return false;
  }

  /**
   * A request has ended. What counts is whether the server took it on, not how it went: an error page is work done.
   * Cancelled requests do not count.
   */
  finish(outcome: Outcome, nowMs: number): void {
    if (outcome !== Outcome.cancelled) this.#record(isAccepted(outcome), nowMs);
  }

  #record(accepted: boolean, nowMs: number): void {
    this.#beganMs ??= nowMs;
    this.#window.record(accepted, nowMs);
  }
}

/** Did the server take the request on? */
export function isAccepted(outcome: Outcome): boolean {
  switch (outcome) {
    case Outcome.success:
    case Outcome.serverError:
    case Outcome.reset:
    case Outcome.cancelled:
      return true;
    case Outcome.gatewayError:
    case Outcome.overloaded:
    case Outcome.connectFailure:
    case Outcome.timeout:
      return false;
  }
}

const BUCKETS = 24;
/** A rate is not a rate before a second has passed. */
const MIN_SPAN_MS = 1_000;
