/**
 * Probabilities of "the best of a few drawn" from ranks alone, without drawing: what `explain()` prints as shares.
 *
 * Sort n candidates best first. The winner has rank >= r exactly when all draws fall among the n - r worst, so with
 * `tail(m)` = probability that all draws fall among the m worst, rank r wins with probability tail(n - r) -
 * tail(n - r - 1). Equal scores win alike, so that a group of them divides its probability evenly.
 *
 * ```text
 * two distinct draws, n = 4: tail(m) = m (m - 1) / (n (n - 1))      ranks 0..3 win with 3/6, 2/6, 1/6 and 0
 * ```
 */
export function rankShares(sortedScores: ArrayLike<number>, tail: (m: number) => number): number[] {
  const count = sortedScores.length;
  const shares: number[] = [];
  let from = 0;
  while (from < count) {
    let to = from + 1;
    while (to < count && sortedScores[to] === sortedScores[from]) to++;
    const share = (tail(count - from) - tail(count - to)) / (to - from);
    for (; from < to; from++) shares.push(share);
  }
  return shares;
}

/** `tail` of {@link rankShares} for two distinct uniform draws and any further ones with replacement. */
export function uniformTail(count: number, draws: number): (m: number) => number {
  if (count < 2) return (m) => m;
  const pairs = count * (count - 1);
  return (m) => ((m * (m - 1)) / pairs) * (m / count) ** (draws - 2);
}

/**
 * Shares of the better of two distinct draws with probabilities `p`, given best first.
 *
 * A pair {i, j} comes up as (i, j) with p_i p_j / (1 - p_i) and as (j, i) with p_j p_i / (1 - p_j). With i better, i
 * wins both; with equal scores each wins where it was drawn first. Two running sums over the ranks behind make it O(n).
 */
export function weightedPairShares(
  sortedScores: ArrayLike<number>,
  p: readonly number[],
): number[] {
  if (p.length === 1) return [1];
  const shares = p.map(() => 0);
  let behind = 0;
  let behindOdds = 0;
  for (let to = p.length; to > 0;) {
    let from = to - 1;
    while (from > 0 && sortedScores[from - 1] === sortedScores[from]) from--;
    const group = p.slice(from, to);
    const groupSum = group.reduce((sum, own) => sum + own, 0);
    group.forEach((own, place) => {
      shares[from + place] = own * ((behind + groupSum - own) / (1 - own) + behindOdds);
    });
    behind += groupSum;
    behindOdds += group.reduce((sum, own) => sum + own / (1 - own), 0);
    to = from;
  }
  return shares;
}
