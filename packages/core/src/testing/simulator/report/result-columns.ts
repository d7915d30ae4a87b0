import type { SimulationResult } from '../result.ts';
import { durationText, numberText, percentText } from './number-text.ts';

/** A column of the tables, in text and in HTML. */
export interface ResultColumn {
  readonly name: string;
  readonly valueOf: (result: SimulationResult) => number;
  readonly textOf: (value: number) => string;
  /** Is the lowest number the best, and worth being marked? */
  readonly best?: boolean;
}

export const COLUMNS: readonly ResultColumn[] = [
  { name: 'p50', valueOf: ({ p50Ms }) => p50Ms, textOf: durationText, best: true },
  { name: 'p90', valueOf: ({ p90Ms }) => p90Ms, textOf: durationText, best: true },
  { name: 'p99', valueOf: ({ p99Ms }) => p99Ms, textOf: durationText, best: true },
  { name: 'p99.9', valueOf: ({ p999Ms }) => p999Ms, textOf: durationText, best: true },
  { name: 'mean', valueOf: ({ meanMs }) => meanMs, textOf: durationText, best: true },
  { name: 'failed', valueOf: ({ errorPercent }) => errorPercent, textOf: percentText, best: true },
  {
    name: 'tries per request',
    valueOf: ({ attemptCount, requestCount }) => attemptCount / requestCount,
    textOf: (value) => value.toFixed(3),
  },
  { name: 'ejections', valueOf: ({ ejectionCount }) => ejectionCount, textOf: numberText },
];
