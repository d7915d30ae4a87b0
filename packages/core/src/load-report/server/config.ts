import { z } from 'zod';
import type { Clock } from '../../runtime/clock.ts';
import type { ProcessMeter } from '../../runtime/process-meter.ts';
import { durationMs, object, oneOf } from '../../schema/fields.ts';
import type { LoadReportFormat } from '../encode.ts';

/** What a user may pass to `createLoadReporter`. */
export interface LoadReporterOptions {
  /**
   * How busy the application is by its own account, 0 and up; asked about ten times per window. Default: the event loop or
   * the processors, whichever is busier.
   */
  readonly utilization?: (() => number) | undefined;
  /** Further numbers for each report, by name; asked as often. Default none. */
  readonly namedMetrics?: (() => Readonly<Record<string, number>>) | undefined;
  /** Form of the header. Default `text`, which every reader of ORCA knows and people can read. */
  readonly format?: LoadReportFormat | undefined;
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
  readonly windowMs: number;
}

export const loadReporterSchema: z.ZodType<LoadReporterConfig> = object({
  format: oneOf(['text', 'json', 'binary']).default('text').describe('Form of the header.'),
  windowMs: durationMs({ min: 100, max: 60_000 })
    .default(1_000)
    .describe('Time that rates and shares are over.'),
  utilization: callback(),
  namedMetrics: callback(),
  clock: z.unknown(),
  meter: z.unknown(),
});

function callback(): z.ZodType {
  return z.custom((value) => typeof value === 'function', { error: 'a function' }).optional();
}
