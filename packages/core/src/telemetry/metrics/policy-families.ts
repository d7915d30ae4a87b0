/** Metrics of what policies keep count of themselves. Most keep nothing, and have no such series. */
import { counter, type Family, gauge } from './family.ts';

/** The contract of policies: numbers whose names end so only grow. */
const GROWS = /Count$/;

export const POLICY_FAMILIES: readonly Family[] = [
  counter(
    'cluster_policy_events_total',
    'What the policy has counted, by the name in policyStats of a snapshot.',
    { labels: ['stat'], read: perStat((stat) => GROWS.test(stat)) },
  ),
  gauge(
    'cluster_policy_level',
    'Present numbers of the policy, by the name in policyStats of a snapshot.',
    { labels: ['stat'], read: perStat((stat) => !GROWS.test(stat)) },
  ),
];

function perStat(isMeant: (stat: string) => boolean): Family['read'] {
  return ({ snapshot }, emit) => {
    for (const [stat, value] of Object.entries(snapshot.policyStats))
      if (isMeant(stat)) emit(value, stat);
  };
}
