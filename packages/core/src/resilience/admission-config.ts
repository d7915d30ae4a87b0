/** What a cluster may refuse, as options. Everything is off until it is written down. */
import type { z } from 'zod';
import { object } from '../schema/fields.ts';
import {
  type CircuitConfig,
  type CircuitOptions,
  circuitSchema,
} from './circuit-breaker-config.ts';
import {
  type ClientThrottleConfig,
  type ClientThrottleOptions,
  clientThrottleSchema,
} from './client-throttle.ts';
import {
  type ClusterConcurrencyConfig,
  type ClusterConcurrencyOptions,
  clusterConcurrencySchema,
} from './concurrency/config.ts';
import {
  type LoadSheddingConfig,
  type LoadSheddingOptions,
  loadSheddingSchema,
} from './load-shedder.ts';
import { type RateLimitConfig, type RateLimitOptions, rateLimitSchema } from './rate-limiter.ts';
import { type ThresholdConfig, type ThresholdOptions, thresholdSchema } from './thresholds.ts';

/** What a user writes at `admission: {...}` of a cluster. What is left out refuses nothing; `{}` takes the defaults. */
export interface AdmissionOptions {
  /** Fixed limits of what is open towards the cluster. */
  readonly thresholds?: ThresholdOptions | undefined;
  /** Circuit breakers for the whole cluster and for each endpoint. Needs `createCircuitBreakers` among the ports. */
  readonly circuitBreaker?: ClusterCircuitOptions | undefined;
  /** Refuses the less critical requests first. Needs `thresholds` or `concurrency`, which say what full is. */
  readonly loadShedding?: LoadSheddingOptions | undefined;
  /** Sends less to a cluster that refuses much. */
  readonly clientThrottle?: ClientThrottleOptions | undefined;
  /** As many requests in flight as the other side can use, found out by measurement. */
  readonly concurrency?: ClusterConcurrencyOptions | undefined;
  /** Requests per second of this client. */
  readonly rateLimit?: RateLimitOptions | undefined;
}

export interface ClusterCircuitOptions {
  /** Refuses all requests while the cluster as a whole fails. */
  readonly cluster?: CircuitOptions | undefined;
  /** Takes single endpoints that fail out of rotation. */
  readonly endpoint?: CircuitOptions | undefined;
}

/** Checked options. */
export interface AdmissionConfig {
  readonly thresholds?: ThresholdConfig | undefined;
  readonly circuitBreaker?:
    | {
        readonly cluster?: CircuitConfig | undefined;
        readonly endpoint?: CircuitConfig | undefined;
      }
    | undefined;
  readonly loadShedding?: LoadSheddingConfig | undefined;
  readonly clientThrottle?: ClientThrottleConfig | undefined;
  readonly concurrency?: ClusterConcurrencyConfig | undefined;
  readonly rateLimit?: RateLimitConfig | undefined;
}

/** Schema of the option `admission`. */
export const admissionSchema: z.ZodType<AdmissionConfig, AdmissionOptions> = object({
  thresholds: thresholdSchema
    .optional()
    .describe('Fixed limits of what is open towards the cluster. Left out: none.'),
  circuitBreaker: object({
    cluster: circuitSchema
      .optional()
      .describe('Refuses all requests while the cluster as a whole fails. Left out: none.'),
    endpoint: circuitSchema
      .optional()
      .describe('Takes single endpoints that fail out of rotation. Left out: none.'),
  })
    .optional()
    .describe('Circuit breakers; they need the package opossum. Left out: none.'),
  loadShedding: loadSheddingSchema
    .optional()
    .describe('Refuses the less critical requests first. Left out: off.'),
  clientThrottle: clientThrottleSchema
    .optional()
    .describe('Sends less to a cluster that refuses much. Left out: off.'),
  concurrency: clusterConcurrencySchema
    .optional()
    .describe('Requests in flight, limited by measurement. Left out: no limit.'),
  rateLimit: rateLimitSchema
    .optional()
    .describe('Requests per second of this client. Left out: no limit.'),
}).refine(
  ({ loadShedding, thresholds, concurrency: limit }) =>
    loadShedding === undefined || thresholds !== undefined || limit !== undefined,
  {
    path: ['loadShedding'],
    error: 'thresholds or concurrency beside it, which say how much is full',
  },
);
