/**
 * Who has to go when not all can stay: requests carry a criticality, and with growing load the lowest are refused first
 * ("Site Reliability Engineering", Google 2016, chapter 21, "Criticality").
 *
 * ```text
 *   utilisation   0 ───────── 0.7 ──────── 0.8 ──────── 0.9 ──────── 1.0 ───────►
 *   refused           none    │ low        │ + normal   │ + high     │ + critical
 *                             └ again below 0.7 - hysteresis, and not before holdMs has passed
 * ```
 *
 * Refusing a class lowers the load, which shows a little later. So classes go one at a time, `raiseMs` apart: a flood of
 * low requests must not cost the critical ones their place before it is seen that refusing the low ones was enough. And
 * they come back one at a time, when the load has fallen by `hysteresis` below the line that was crossed and `holdMs`
 * has passed since the last change, or each return would bring the load that sends the class away again.
 *
 * Utilisation is any number that is 1 when full; {@link utilisationOf} makes one of requests in flight and queueing time.
 */
import type { z } from 'zod';
import { decode } from '../schema/decode.ts';
import { durationMs, number, object } from '../schema/fields.ts';

/** How much a request matters. Small integers: higher ones are refused first. */
export const Criticality = {
  /** Its failure is an outage. */
  critical: 0,
  /** A user waits for it. */
  high: 1,
  /** The default. */
  normal: 2,
  /** Can wait or be lost: batch work, prefetching, reports. */
  low: 3,
} as const;

export type Criticality = (typeof Criticality)[keyof typeof Criticality];
export type CriticalityName = keyof typeof Criticality;

/** Names by number. */
export const CRITICALITY_NAMES: readonly CriticalityName[] = Object.freeze([
  'critical',
  'high',
  'normal',
  'low',
]);

/** What a user writes at `loadShedding: {...}`. */
export type LoadSheddingOptions = {
  readonly [Key in keyof LoadSheddingConfig]?: LoadSheddingConfig[Key] | undefined;
};

/** Checked options. The lines have to be in order: low <= normal <= high <= critical; each 0.01..1,000. */
export interface LoadSheddingConfig {
  /** Utilisation from which low requests are refused. Default 0.7. */
  readonly low: number;
  /** Default 0.8. */
  readonly normal: number;
  /** Default 0.9. */
  readonly high: number;
  /** Default 1: when everything is full, nothing but a refusal is left. */
  readonly critical: number;
  /** How far the utilisation has to fall below a line for its class to come back. 0..1, default 0.1. */
  readonly hysteresis: number;
  /** Time after a class was refused before the next one is, 0..60,000 ms, default 100: for the effect to show. */
  readonly raiseMs: number;
  /** Time after a change before a class comes back. 0..600,000 ms, default 2,000. */
  readonly holdMs: number;
}

const line = (): z.ZodNumber => number({ min: 0.01, max: 1_000 });

/** Schema of the option `loadShedding`. */
export const loadSheddingSchema: z.ZodType<LoadSheddingConfig, LoadSheddingOptions> = object({
  low: line().default(0.7).describe('Utilisation from which low requests are refused.'),
  normal: line().default(0.8).describe('Utilisation from which normal requests are refused.'),
  high: line().default(0.9).describe('Utilisation from which high requests are refused.'),
  critical: line().default(1).describe('Utilisation from which all requests are refused.'),
  hysteresis: number({ min: 0, max: 1 })
    .default(0.1)
    .describe('How far the utilisation has to fall below a line for its class to come back.'),
  raiseMs: durationMs({ min: 0, max: 60_000 })
    .default(100)
    .describe('Time after a class was refused before the next one is.'),
  holdMs: durationMs({ min: 0, max: 600_000 })
    .default(2_000)
    .describe('Time after a change before a class comes back.'),
}).refine(
  ({ low, normal, high, critical }) => low <= normal && normal <= high && high <= critical,
  {
    path: ['low'],
    error: 'lines in order: low <= normal <= high <= critical',
  },
);

export class LoadShedder {
  readonly config: LoadSheddingConfig;
  /** Refusals since the start, by criticality. */
  readonly rejectedCounts: Float64Array = new Float64Array(CRITICALITY_NAMES.length);
  /** Utilisation from which level 1, 2, 3, 4 holds: low first. */
  readonly #lines: readonly number[];
  /** How many classes are refused, 0..4. */
  #level = 0;
  #changedMs = Number.NEGATIVE_INFINITY;
  /** Was the last change one upwards? */
  #raising = false;

  /** @throws ConfigError naming every wrong option */
  constructor(options: LoadSheddingOptions = {}) {
    this.config = decode(loadSheddingSchema, options, 'loadShedding');
    const { low, normal, high, critical } = this.config;
    this.#lines = [low, normal, high, critical];
  }

  /** How many classes are refused: 0 for none, 4 for all. */
  get level(): number {
    return this.#level;
  }

  /** Takes the utilisation of the moment: 0 for idle, 1 for full. Call it as often as it changes. */
  observe(utilisation: number, nowMs: number): void {
    const level = this.#level;
    const sinceMs = nowMs - this.#changedMs;
    if (utilisation >= (this.#lines[level] ?? Number.POSITIVE_INFINITY)) {
      if (!this.#raising || sinceMs >= this.config.raiseMs) this.#change(level + 1, nowMs);
      return;
    }
    if (level === 0 || sinceMs < this.config.holdMs) return;
    const crossed = this.#lines[level - 1] as number;
    // A line lower than the hysteresis is left at 0.
    if (utilisation < Math.max(MIN_BACK, crossed - this.config.hysteresis)) {
      this.#change(level - 1, nowMs);
    }
  }

  /** Is a request of this criticality admitted? */
  tryAcquire(criticality: Criticality): boolean {
    // Level 1 refuses class 3, level 2 also class 2, and so on.
    if (criticality + this.#level < CRITICALITY_NAMES.length) return true;
    this.rejectedCounts[criticality] = (this.rejectedCounts[criticality] as number) + 1;
    return false;
  }

  #change(level: number, nowMs: number): void {
    this.#raising = level > this.#level;
    this.#level = level;
    this.#changedMs = nowMs;
  }
}

const MIN_BACK = 0.01;

/** What one server knows about its load. Leave out what is not known. */
export interface LoadSigns {
  readonly inFlight?: number | undefined;
  /** Requests that may be in flight, above 0; a concurrency limiter's `limit` will do. */
  readonly limit?: number | undefined;
  /** How long requests have waited before work on them began. */
  readonly queueMs?: number | undefined;
  /** How long they may wait, above 0. */
  readonly targetQueueMs?: number | undefined;
  /** Part of the CPU in use, 0..1. */
  readonly cpu?: number | undefined;
}

/** The worst of the signs as one utilisation: the scarcest resource decides. */
export function utilisationOf(signs: LoadSigns): number {
  const { inFlight = 0, limit = 0, queueMs = 0, targetQueueMs = 0, cpu = 0 } = signs;
  return Math.max(
    cpu,
    limit > 0 ? inFlight / limit : 0,
    targetQueueMs > 0 ? queueMs / targetQueueMs : 0,
  );
}
