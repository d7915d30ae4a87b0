/**
 * What callers feel, in the simulator: latency against oracles that see everything, traffic of bad servers, recovery.
 * Virtual time and fixed seeds: the same code gives the same figures on every machine, so one run is enough.
 */
import type { Figures, Suite, SuiteContext } from '../../support/suite.ts';
import { formatTable } from '../../support/table.ts';
import { measureBadServers } from './bad-server.ts';
import { measureChanges } from './change.ts';
import { DEFAULT, ORACLE, POLICIES, REPORTS_ONLY } from './contenders.ts';
import { measureHetero } from './hetero.ts';
import { planOf, TARGET_LOAD } from './plan.ts';

export const suite: Suite = {
  description: 'latency, errors and bad servers under every policy, simulated, against oracles',
  run(context) {
    const plan = planOf(context);
    const figures: Figures = Object.fromEntries([
      ...measureHetero(plan, context),
      ...measureBadServers(plan, context),
      ...measureChanges(plan, context),
    ]);
    printGoals(figures, context);
    return Promise.resolve(figures);
  },
};

interface Goal {
  readonly what: string;
  readonly value: number;
  readonly limit: number;
}

function printGoals(figures: Figures, { print }: SuiteContext): void {
  const valueOf = (name: string): number => figures[name] ?? Number.NaN;
  const worstFailFast = POLICIES.map(({ name }) => ({
    name,
    share: valueOf(`${name}-failfast-share/fair`),
  })).reduce((worst, each) => (each.share > worst.share ? each : worst));
  const tail = (policy: string, limit: number): Goal => ({
    what: `${policy} p99 against ${ORACLE} at ${TARGET_LOAD} %`,
    value: valueOf(`${policy}@${TARGET_LOAD}-p99/${ORACLE}`),
    limit,
  });
  const goals: readonly Goal[] = [
    tail(DEFAULT, 3),
    tail(REPORTS_ONLY, 1.6),
    tail('prequal', 1.35),
    {
      what: `traffic of a fast-failing server, worst policy (${worstFailFast.name})`,
      value: worstFailFast.share,
      limit: 1,
    },
    {
      what: 'attempts per request in a total outage',
      value: valueOf('outage-attempts/request'),
      limit: 1.25,
    },
    {
      what: 'p99 in a wave of restarts against round robin',
      value: valueOf('deploy-p99/round-robin'),
      limit: 1,
    },
  ];
  const rows = goals.map(({ what, value, limit }) => [
    what,
    value,
    `<= ${limit}`,
    value <= limit ? 'met' : 'MISSED',
  ]);
  print(`\n${formatTable(['goal', 'value', 'limit', ''], rows)}`);
}
