import type { Endpoint } from '../model/endpoint.ts';
import { type ApertureRule, apertureParts } from './aperture.ts';
import { zoneOf } from './zone.ts';

export interface ReachRule extends ApertureRule {
  /** Are zones routed apart from each other? Then each of them gets an aperture. */
  readonly byZone: boolean;
  /** Labels by which requests choose subsets: each subset gets an aperture. */
  readonly labels: readonly string[];
}

/**
 * How much of each endpoint a client uses: one aperture per pool of interchangeable endpoints (priority, zone, labels),
 * so that every pool that is ever chosen as one has enough of them.
 *
 * A part counts for more where a larger pool is represented by as few, so that pools keep their shares of the traffic:
 * with 12 of 100 endpoints in one pool and 5 of 5 in another, each of the 12 stands for 8.3.
 *
 * @returns a factor per endpoint, in the order given; 0: not used at all
 */
export function reachFactors(endpoints: readonly Endpoint[], rule: ReachRule): Float64Array {
  const factors = new Float64Array(endpoints.length);
  const pools = poolsOf(endpoints, rule);
  for (const pool of pools.values()) {
    const parts = apertureParts(
      pool.map((index) => endpoints[index] as Endpoint),
      rule,
    );
    const used = parts.reduce((sum, part) => sum + part, 0);
    const scale = pools.size === 1 ? 1 : pool.length / used;
    pool.forEach((index, at) => (factors[index] = (parts[at] as number) * scale));
  }
  return factors;
}

function poolsOf(endpoints: readonly Endpoint[], rule: ReachRule): Map<string, number[]> {
  const pools = new Map<string, number[]>();
  endpoints.forEach(({ priority, locality, metadata }, index) => {
    const labels = rule.labels.map((label) => metadata[label] ?? null);
    const key = JSON.stringify([priority, rule.byZone ? zoneOf(locality) : '', ...labels]);
    const pool = pools.get(key);
    if (pool === undefined) pools.set(key, [index]);
    else pool.push(index);
  });
  return pools;
}
