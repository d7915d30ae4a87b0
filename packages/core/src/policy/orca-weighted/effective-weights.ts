import type { Members } from '../../model/members.ts';
import { NO_WEIGHT } from './reported-weights.ts';

/** A reported weight counts for at most this many times the median, and for at least that part of it. */
const MAX_TO_MEDIAN = 10;
const MIN_TO_MEDIAN = 0.01;

/** With weights of fewer endpoints than this the reports decide nothing. */
const MIN_KNOWN = 2;

/** What members weigh, and where that comes from. */
export interface EffectiveWeights {
  readonly weights: Float64Array;
  /** Requests per second that a weight of 1 stands for; {@link NO_WEIGHT}: the weights are those of discovery. */
  readonly unit: number;
  /** Members whose weight is their own report. */
  readonly knownCount: number;
}

/**
 * What members weigh: by their reports, and those without any the mean of the others. With fewer than two known, all
 * weigh what discovery gave them, which is round robin unless it gave them weights (gRFC A58, "EDF Scheduler").
 *
 * A nearly idle endpoint divides one small number by another, and a lying one may report what it likes: no report makes
 * an endpoint count more than ten times the median, or less than a hundredth of it. The median, because a mean is at the
 * mercy of the liar: a weight of 10^9 among ones would push all others down to the lower bound.
 *
 * ```text
 * reported   100   120   none   10^9     median 120 (of two in the middle the lower one)
 * weight    0.83     1   3.94     10     in units of the median; none: the mean of the others
 * ```
 *
 * @param reported of each member, `NO_WEIGHT` where unknown; finite
 */
export function effectiveWeights(members: Members, reported: Float64Array): EffectiveWeights {
  const known = reported.filter((weight) => weight !== NO_WEIGHT).sort();
  const knownCount = known.length;
  if (knownCount < MIN_KNOWN) return { weights: members.weights, unit: NO_WEIGHT, knownCount };
  const unit = known[(knownCount - 1) >> 1] as number;
  let sum = 0;
  for (const weight of known) sum += clamped(weight / unit);
  const mean = sum / knownCount;
  const { factors } = members;
  // Slow start and the like are the client's doing and hold whatever the endpoint says.
  const weights = reported.map(
    (weight, index) =>
      (weight === NO_WEIGHT ? mean : clamped(weight / unit)) * (factors?.[index] ?? 1),
  );
  return { weights, unit, knownCount };
}

function clamped(weight: number): number {
  if (weight < MIN_TO_MEDIAN) return MIN_TO_MEDIAN;
  return weight > MAX_TO_MEDIAN ? MAX_TO_MEDIAN : weight;
}
