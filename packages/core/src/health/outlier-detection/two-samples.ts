/** Successes and failures of something. */
export interface Sample {
  readonly successes: number;
  readonly failures: number;
}

/**
 * How strongly two samples speak for two different failure ratios rather than one, as a log likelihood ratio in nats.
 *
 * ```text
 * G = n1 * KL(q1 || p) + n2 * KL(q2 || p)        q: failures / n of each, p: of both together
 * KL(q || p) = q ln(q/p) + (1-q) ln((1-q)/(1-p))
 * ```
 *
 * If both have the same ratio in truth, `2 G` follows a chi-square distribution with one degree of freedom (Wilks 1938),
 * so a `G` of at least `x` comes about by chance with a probability of about `erfc(sqrt(x))`, which is below `exp(-x)`.
 * Unlike a distance in standard deviations this stays true for rare failures, where a hundred requests contain one or
 * none, and it needs no guess at the ratio of an endpoint that has never failed.
 *
 * 0 when a sample is empty.
 */
export function evidenceOfDifference(one: Sample, other: Sample): number {
  const failures = one.failures + other.failures;
  const total = failures + one.successes + other.successes;
  if (total === 0) return 0;
  const together = failures / total;
  return surprise(one, together) + surprise(other, together);
}

/** `n * KL(q || p)` of one sample. */
function surprise({ successes, failures }: Sample, ratio: number): number {
  const total = successes + failures;
  return term(failures, total * ratio) + term(successes, total * (1 - ratio));
}

/** The limit of `x ln x` at 0 is 0. */
function term(seen: number, expected: number): number {
  return seen === 0 ? 0 : seen * Math.log(seen / expected);
}
