/** Beyond this argument the result is 0; exp(-20) is 2e-9. */
const LIMIT = 20;
const STEPS_PER_UNIT = 64;
const TABLE = Float64Array.from({ length: LIMIT * STEPS_PER_UNIT + 1 }, (_, step) =>
  Math.exp(-step / STEPS_PER_UNIT),
);

/**
 * `exp(-x)` for the weights of moving averages, about three times as fast as `Math.exp`.
 *
 * exp(-x) = exp(-s) * exp(-f), where s is the multiple of 1/64 nearest to x: a table gives the first factor, the Taylor
 * series 1 - f + f^2/2 the second. As |f| <= 1/128, the first term left out is at most (1/128)^3 / 6 = 8e-8, so
 *
 *     |decay(x) - exp(-x)| <= 8.1e-8 * exp(-x)   for 0 <= x < 20
 *
 * and 0 from 20 on. 1 for x <= 0: time that stands still or runs backwards decays nothing.
 */
export function decay(x: number): number {
  if (!(x > 0)) return 1;
  if (x >= LIMIT) return 0;
  const step = (x * STEPS_PER_UNIT + 0.5) | 0;
  const f = x - step * (1 / STEPS_PER_UNIT);
  return (TABLE[step] as number) * (1 - f + f * f * 0.5);
}
