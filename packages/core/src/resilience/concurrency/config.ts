import type { z } from 'zod';
import { durationMs, integer, number, object, oneOf } from '../../schema/fields.ts';
import type { AimdConfig } from './aimd.ts';
import type { Gradient2Config } from './gradient2.ts';
import type { LimitBounds } from './limit-algorithm.ts';
import type { VegasConfig } from './vegas.ts';

type Own<Config> = Omit<Config, keyof LimitBounds>;
type Loose<Config> = { readonly [Key in keyof Config]?: Config[Key] | undefined };

/** Checked options of a concurrency limit. */
export interface ConcurrencyConfig extends LimitBounds {
  /** How the limit is found. Default `gradient2`. */
  readonly algorithm: 'gradient2' | 'vegas' | 'aimd';
  /** Where it starts. 1..100,000, default 20. */
  readonly initialLimit: number;
  /** It never falls below, so that there is always something to measure. 1..100,000, default 5. */
  readonly minLimit: number;
  /** It never rises above. 1..100,000, default 1,000. */
  readonly maxLimit: number;
  /**
   * Requests of this time make one sample: their mean time, the most in flight, whether many were dropped.
   * 0..60,000 ms, default 100. Single requests vary so much by nature that an algorithm that looks at each of them finds
   * a limit of noise. 0: every request is a sample.
   */
  readonly windowMs: number;
  /** A window lasts longer until it has as many. 1..10,000, default 10. */
  readonly minWindowSamples: number;
  /**
   * A window with a larger part of refused or late requests says "too much". 0..1, default 0.01: a rare timeout must not
   * throttle a busy client, whose every window has one.
   */
  readonly dropRatio: number;
  /**
   * After this time under full load, the limit is halved for a moment to measure how long an answer takes when nothing
   * queues. 0..3,600,000 ms, default 30,000, jittered by a quarter. 0: never.
   */
  readonly probeIntervalMs: number;
  readonly gradient2: Own<Gradient2Config>;
  readonly vegas: Own<VegasConfig>;
  readonly aimd: Own<AimdConfig>;
}

/** What a user writes at `concurrency: {...}`. Everything has a default; see {@link ConcurrencyConfig}. */
export type ConcurrencyOptions = Loose<
  Omit<ConcurrencyConfig, 'gradient2' | 'vegas' | 'aimd'> & {
    readonly gradient2: Loose<Own<Gradient2Config>>;
    readonly vegas: Loose<Own<VegasConfig>>;
    readonly aimd: Loose<Own<AimdConfig>>;
  }
>;

const limit = (): z.ZodNumber => integer({ min: 1, max: 100_000 });

const fields = {
  algorithm: oneOf(['gradient2', 'vegas', 'aimd'])
    .default('gradient2')
    .describe('How the limit is found.'),
  initialLimit: limit().default(20).describe('Where the limit starts.'),
  minLimit: limit().default(5).describe('Smallest limit.'),
  maxLimit: limit().default(1_000).describe('Largest limit.'),
  windowMs: durationMs({ min: 0, max: 60_000 })
    .default(100)
    .describe('Requests of this time make one sample. 0: every request does.'),
  minWindowSamples: integer({ min: 1, max: 10_000 })
    .default(10)
    .describe('A window lasts longer until it has as many requests.'),
  dropRatio: number({ min: 0, max: 1 })
    .default(0.01)
    .describe('Part of refused or late requests that says "too much".'),
  probeIntervalMs: durationMs({ min: 0, max: 3_600_000 })
    .default(30_000)
    .describe('How often, under full load, the time without a queue is measured. 0: never.'),
  gradient2: object({
    rttTolerance: number({ min: 1, max: 10 })
      .default(1.5)
      .describe('Slowdown that is taken for normal.'),
    queueSize: integer({ min: 0, max: 1_000 }).default(4).describe('Requests that may queue.'),
    smoothing: number({ min: 0.01, max: 1 }).default(0.2).describe('Part of a step that is taken.'),
    longWindow: integer({ min: 10, max: 100_000 })
      .default(600)
      .describe('Samples that the long-term average looks back on.'),
  })
    .prefault({})
    .describe('Options of gradient2: time now against time in the long run.'),
  vegas: object({
    alpha: number({ min: 1, max: 100 })
      .default(3)
      .describe('The limit grows below this queue, in units of log10(limit).'),
    beta: number({ min: 1, max: 200 })
      .default(6)
      .describe('The limit shrinks above this queue, in units of log10(limit).'),
    baseline: oneOf(['mean', 'shortest'])
      .default('mean')
      .describe('What is taken for the time without a queue.'),
    probeMultiplier: number({ min: 0, max: 1_000 })
      .default(30)
      .describe('The time without a queue is taken anew after this times the limit samples.'),
  })
    .prefault({})
    .describe('Options of vegas: time now against time without a queue.'),
  aimd: object({
    backoffRatio: number({ min: 0.5, max: 0.99 })
      .default(0.9)
      .describe('What a drop leaves of the limit.'),
    timeoutMs: durationMs({ min: 1, max: 600_000 })
      .default(5_000)
      .describe('A time above this counts as a drop.'),
  })
    .prefault({})
    .describe('Options of aimd: refusals and late answers only.'),
};

/** Adds the rules across fields. */
function withRules<T extends z.ZodType<ConcurrencyConfig>>(schema: T): T {
  return schema
    .refine(({ minLimit, maxLimit }) => minLimit <= maxLimit, {
      path: ['minLimit'],
      error: 'a limit of at most maxLimit',
    })
    .refine(({ vegas }) => vegas.alpha <= vegas.beta, {
      path: ['vegas', 'alpha'],
      error: 'a number of at most beta',
    });
}

/** Schema of the option `concurrency` of a limiter. */
export const concurrencySchema: z.ZodType<ConcurrencyConfig, ConcurrencyOptions> = withRules(
  object(fields),
);

/** One limit for all that a client sends to a cluster, or one per endpoint. */
export type ConcurrencyScope = 'cluster' | 'endpoint';

/** Checked options of the limits of a cluster. */
export interface ClusterConcurrencyConfig extends ConcurrencyConfig {
  /** Default `cluster`. */
  readonly per: ConcurrencyScope;
}

/** What a user writes at `admission.concurrency: {...}` of a cluster. */
export type ClusterConcurrencyOptions = ConcurrencyOptions & {
  readonly per?: ConcurrencyScope | undefined;
};

/** Schema of the option `admission.concurrency` of a cluster. */
export const clusterConcurrencySchema: z.ZodType<
  ClusterConcurrencyConfig,
  ClusterConcurrencyOptions
> = withRules(
  object({
    per: oneOf(['cluster', 'endpoint'])
      .default('cluster')
      .describe('One limit for the cluster, or one for each endpoint.'),
    ...fields,
  }),
);
