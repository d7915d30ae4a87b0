import type { z } from 'zod';
import { PROBE_PATH } from '../../load-report/load-report.ts';
import { durationMs, flag, integer, number, object, text } from '../../schema/fields.ts';
import type { ProbeConfig } from '../probing.ts';

/** What a user may write. The paper's values, where they differ, in brackets. */
export interface PrequalOptions {
  /**
   * Probes per request, 0..16, on average where it is no whole number. Default 1 [3]. A load report that comes with an
   * answer saves half of them.
   */
  readonly probesPerRequest?: number;
  /** Most probes per second, however many requests there are, 1..100,000. Default 10,000. */
  readonly maxProbesPerSecond?: number;
  /** Answers that are remembered, 2..64. Default 16. */
  readonly poolSize?: number;
  /** Age in milliseconds at which an answer is forgotten, 10..60,000. Default 1,000. */
  readonly maxAgeMs?: number;
  /**
   * Answers thrown away for each one that comes in, in turn the oldest and the worst, 0..1. Default 0.1 [0.33]: keeps a
   * pool that is seldom used up from filling with what nobody wants.
   */
  readonly removalRatio?: number;
  /**
   * An endpoint with more requests in flight than this share of the latest 128 answers is hot: taken only when all are.
   * 0..1, default 0.6 [0.84]. Near 0 only requests in flight count, at 1 only latency does.
   */
  readonly hotQuantile?: number;
  /** How endpoints are probed. By default over HTTP at `/.evenkeel/probe`, for 1,000 ms, at most 64 at a time. */
  readonly probe?: Partial<ProbeConfig>;
}

/** Options with the defaults filled in. */
export interface PrequalConfig {
  readonly probesPerRequest: number;
  readonly maxProbesPerSecond: number;
  readonly poolSize: number;
  readonly maxAgeMs: number;
  readonly removalRatio: number;
  readonly hotQuantile: number;
  readonly probe: ProbeConfig;
}

export const prequalSchema: z.ZodType<PrequalConfig> = object({
  probesPerRequest: number({ min: 0, max: 16 })
    .default(1)
    .describe('Probes per request; a load report that comes with an answer saves half of them.'),
  maxProbesPerSecond: number({ min: 1, max: 100_000 })
    .default(10_000)
    .describe('Most probes per second, however many requests there are.'),
  poolSize: integer({ min: 2, max: 64 }).default(16).describe('Answers that are remembered.'),
  maxAgeMs: durationMs({ min: 10, max: 60_000 })
    .default(1_000)
    .describe('Age at which an answer is forgotten.'),
  removalRatio: number({ min: 0, max: 1 })
    .default(0.1)
    .describe('Answers thrown away for each that comes in, in turn the oldest and the worst.'),
  hotQuantile: number({ min: 0, max: 1 })
    .default(0.6)
    .describe('An endpoint with more in flight than this share of the latest answers is hot.'),
  probe: object({
    path: text(2048)
      .regex(/^\/[\x21-\x7e]*$/, {
        error: "a path that starts with '/', without spaces or control characters",
      })
      .default(PROBE_PATH)
      .describe('Path with query that answers probes.'),
    port: integer({ min: 1, max: 65_535 })
      .optional()
      .describe('Port that answers probes. Left out: that of the endpoint.'),
    tls: flag().default(false).describe('Probe over TLS?'),
    timeoutMs: durationMs({ min: 1, max: 60_000 })
      .default(1_000)
      .describe('Patience with one probe.'),
    maxConcurrent: integer({ min: 1, max: 1_024 })
      .default(64)
      .describe('Probes under way at the same time; more are not sent.'),
  })
    .prefault({})
    .describe('How endpoints are probed.'),
});
