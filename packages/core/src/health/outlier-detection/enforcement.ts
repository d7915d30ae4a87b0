/** Which share of a detector's decisions is carried out. */
import { z } from 'zod';
import { number, object } from '../../schema/fields.ts';
import type { OutlierDetectorName } from '../health.ts';
import type { Optional } from './optional.ts';

/** By detector, 0..100. What is not carried out is still reported, as `ejection-skipped`. */
export interface EnforcingPercents {
  readonly consecutiveFailures: number;
  readonly gatewayFailures: number;
  readonly connectFailures: number;
  readonly localOriginFailures: number;
  readonly successRate: number;
  readonly localOriginSuccessRate: number;
  readonly failurePercentage: number;
  readonly localOriginFailurePercentage: number;
}

/** One number for all detectors, or one for each. */
export type EnforcingPercent = number | EnforcingPercents;
export type EnforcingPercentOptions = number | Optional<EnforcingPercents>;

const share = (): z.ZodNumber => number({ min: 0, max: 100 });
const of = (detector: string): z.ZodDefault<z.ZodNumber> =>
  share().default(100).describe(`For the detector \`${detector}\`.`);

export const enforcingPercentSchema: z.ZodType<EnforcingPercent, EnforcingPercentOptions> = z.union(
  [
    share(),
    object({
      consecutiveFailures: of('consecutive-failures'),
      gatewayFailures: of('gateway-failures'),
      connectFailures: of('connect-failures'),
      localOriginFailures: of('local-origin-failures'),
      successRate: of('success-rate'),
      localOriginSuccessRate: of('local-origin-success-rate'),
      failurePercentage: of('failure-percentage'),
      localOriginFailurePercentage: of('local-origin-failure-percentage'),
    }),
  ],
  { error: 'a number from 0 to 100, or an object with one for each detector' },
);

/** A failed trial confirms an ejection that was carried out: it always is as well. */
const OPTIONS: Readonly<Record<OutlierDetectorName, keyof EnforcingPercents | undefined>> = {
  'consecutive-failures': 'consecutiveFailures',
  'gateway-failures': 'gatewayFailures',
  'connect-failures': 'connectFailures',
  'local-origin-failures': 'localOriginFailures',
  'success-rate': 'successRate',
  'local-origin-success-rate': 'localOriginSuccessRate',
  'failure-percentage': 'failurePercentage',
  'local-origin-failure-percentage': 'localOriginFailurePercentage',
  'trial-failed': undefined,
};

/** @returns 0..100 */
export function enforcingPercentOf(
  percent: EnforcingPercent,
  detector: OutlierDetectorName,
): number {
  const option = OPTIONS[detector];
  if (option === undefined) return 100;
  return typeof percent === 'number' ? percent : percent[option];
}
