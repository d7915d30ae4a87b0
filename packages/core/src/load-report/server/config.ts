import { z } from 'zod';
import type { Clock } from '../../runtime/clock.ts';
import type { ProcessMeter } from '../../runtime/process-meter.ts';
import { durationMs, object, oneOf } from '../../schema/fields.ts';
import type { LoadReportFormat } from '../encode.ts';
import type { ReportPlacement } from './attach-report.ts';

/** What a user may pass to `createLoadReporter`. */
export interface LoadReporterOptions {
  /**
   * How busy the application is by its own account, 0 and up; asked about ten times per window. Default: the event loop or
   * the processors, whichever is busier.
   */
  readonly utilization?: (() => number) | undefined;
  /**
   * Further numbers for each report, by name; asked as often. At most 98, all names and numbers within 8,192 characters;
   * `rif` and `latency_ms` are taken. Default none.
   */
  readonly namedMetrics?: (() => Readonly<Record<string, number>>) | undefined;
  /** Form of the header. Default `text`, which every reader of ORCA knows and people can read. */
  readonly format?: LoadReportFormat | undefined;
  /**
   * Where in the answer. Default `header`. `trailer` is for long streams: it tells the load at the end, to clients that
   * read trailers; answers that cannot have one have the header.
   */
  readonly placement?: ReportPlacement | undefined;
  /** Time that rates and shares are over, in milliseconds, 100..60,000. Default 1,000. */
  readonly windowMs?: number | undefined;
  /** Default: the real clock. */
  readonly clock?: Clock | undefined;
  /** Default: this process. */
  readonly meter?: ProcessMeter | undefined;
}

/** What can be checked by itself. */
export interface LoadReporterConfig {
  readonly format: LoadReportFormat;
  readonly placement: ReportPlacement;
  readonly windowMs: number;
}

export const loadReporterSchema: z.ZodType<LoadReporterConfig> = object({
  format: oneOf(['text', 'json', 'binary']).default('text').describe('Form of the header.'),
  placement: oneOf(['header', 'trailer']).default('header').describe('Where in the answer.'),
  windowMs: durationMs({ min: 100, max: 60_000 })
    .default(1_000)
    .describe('Time that rates and shares are over.'),
  utilization: callback(),
  namedMetrics: callback(),
  clock: z.unknown().optional(),
  meter: z.unknown().optional(),
});

function callback(): z.ZodType {
  return z.custom((value) => typeof value === 'function', { error: 'a function' }).optional();
}
