import { scenarios, simulate } from '@evenkeel/core/testing';
import { median } from '../../support/statistics.ts';
import type { SuiteContext } from '../../support/suite.ts';
import { formatTable } from '../../support/table.ts';
import { ALL_CONTENDERS, type Contender } from './contenders.ts';
import type { Plan } from './plan.ts';

/** What is wrong with one server of 50, by the name in figures. */
const TROUBLES = {
  failfast: scenarios['fail-fast'],
  blackhole: scenarios['black-hole'],
  slow: scenarios.slow,
} as const;

type Trouble = keyof typeof TROUBLES;
const NAMES = Object.keys(TROUBLES) as Trouble[];

/** Long enough for everybody to have met the bad server; what it got until then is measured too. */
const WARM_UP_MS = 500;

interface Play {
  readonly trouble: Trouble;
  readonly run: Contender['run'];
  /** With the default settings, which include outlier detection, or without it. */
  readonly ejects: boolean;
}

/** Traffic of a bad server against its fair share: `<policy>-failfast-share/fair` and its like. */
export function measureBadServers(plan: Plan, { print }: SuiteContext): [string, number][] {
  const figures: [string, number][] = [];
  const rows = ALL_CONTENDERS.map(({ name, run }) => {
    const shares = NAMES.flatMap((trouble) => {
      const share = shareOf({ trouble, run, ejects: true }, plan);
      const bare = shareOf({ trouble, run, ejects: false }, plan);
      figures.push(
        [`${name}-${trouble}-share/fair`, share],
        [`${name}-${trouble}-share/fair-without-ejection`, bare],
      );
      return [share.toFixed(3), bare.toFixed(3)];
    });
    return [name, ...shares];
  });
  print('Traffic of one bad server of 50 at 70 % load, 1 being its fair share:');
  print('with the default settings, and without outlier detection\n');
  const header = NAMES.flatMap((trouble) => [trouble, '(without)']);
  print(`${formatTable(['policy', ...header], rows)}\n`);
  return figures;
}

function shareOf({ trouble, run, ejects }: Play, plan: Plan): number {
  const scenario = {
    ...TROUBLES[trouble],
    warmUpMs: WARM_UP_MS,
    durationMs: plan.badServerDurationMs,
    keyCount: 10_000,
  };
  const shares = plan.badServerSeeds.map((seed) => {
    const cluster = ejects ? {} : { outlierDetection: false as const };
    return simulate(scenario, { ...run, cluster, seed }).servers[0]?.shareToFair ?? Number.NaN;
  });
  return median(shares);
}
