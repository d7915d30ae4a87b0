import type { Scenario } from '../scenario/scenario.ts';
import type { Stream } from './stream.ts';

/** Draws the work of one request. */
export type WorkSource = (stream: Stream) => number;

/** Mean of max(0, X) for a normal X of mean 1 and deviation 1: Phi(1) + phi(1). */
const MEAN_OF_CUT_NORMAL = 0.841_344_746_068_542_9 + 0.241_970_724_519_143_37;

/** The distribution of a scenario. Whatever its shape, its mean is `meanMs`. */
export function createWorkSource({ meanMs, shape, alpha, capMs }: Scenario['work']): WorkSource {
  switch (shape) {
    case 'constant':
      return () => meanMs;
    case 'exponential':
      return (stream) => stream.exponential(meanMs);
    case 'normal': {
      const unit = meanMs / MEAN_OF_CUT_NORMAL;
      return (stream) => Math.max(0, 1 + stream.normal()) * unit;
    }
    case 'pareto': {
      const least = leastOfPareto(meanMs, alpha, capMs);
      return (stream) => Math.min(capMs, least * stream.unit() ** (-1 / alpha));
    }
  }
}

/**
 * The least value of a Pareto distribution whose draws, cut down to `cap`, have the given mean. With x for it, the mean
 * is the integral of P(X > t) over t from 0 to the cap:
 *
 *     mean(x) = x + x^a * (x^(1-a) - cap^(1-a)) / (a - 1) = x * (1 + (1 - (x / cap)^(a-1)) / (a - 1))
 *
 * which grows with x from 0 to `cap`: halving the interval finds it.
 */
function leastOfPareto(mean: number, alpha: number, cap: number): number {
  let low = 0;
  let high = cap;
  for (let step = 0; step < 100; step++) {
    const x = (low + high) / 2;
    const meanOfX = x * (1 + (1 - (x / cap) ** (alpha - 1)) / (alpha - 1));
    if (meanOfX < mean) low = x;
    else high = x;
  }
  return (low + high) / 2;
}
