import type { Members } from '../../model/members.ts';
import { NO_WEIGHT } from './reported-weights.ts';

/** A reported weight counts for at most this many times the mean, and for at least that part of it. */
const MAX_TO_MEAN = 10;
const MIN_TO_MEAN = 0.01;

/** With weights of fewer endpoints than this the reports decide nothing. */
const MIN_KNOWN = 2;

/**
 * What members weigh: by their reports, and those without any the mean of the others. With fewer than two known, all
 * weigh what discovery gave them, which is round robin unless it gave them weights (gRFC A58, "EDF Scheduler").
 *
 * A nearly idle endpoint divides one small number by another, and a lying one may report what it likes: no report makes
 * an endpoint more than ten times the mean, or starves it.
 *
 * @param reported of each member, `NO_WEIGHT` where unknown
 */
export function effectiveWeights(members: Members, reported: Float64Array): Float64Array {
  const { weights, factors } = members;
  let sum = 0;
  let known = 0;
  for (const weight of reported) {
    if (weight === NO_WEIGHT) continue;
    known++;
    sum += weight;
  }
  if (known < MIN_KNOWN || !(sum < Number.POSITIVE_INFINITY)) return weights;
  const mean = sum / known;
  // Slow start and the like are the client's doing and hold whatever the endpoint says.
  return reported.map((weight, index) => {
    const own = weight === NO_WEIGHT ? mean : clamp(weight, mean * MIN_TO_MEAN, mean * MAX_TO_MEAN);
    return own * (factors?.[index] ?? 1);
  });
}

function clamp(value: number, min: number, max: number): number {
  return value < min ? min : value > max ? max : value;
}
