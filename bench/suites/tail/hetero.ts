import { scenarios, type ServerGroupOptions, simulate } from '@evenkeel/core/testing';
import { median } from '../../support/statistics.ts';
import type { SuiteContext } from '../../support/suite.ts';
import { type Cell, formatTable } from '../../support/table.ts';
import { type Contender, CONTENDERS, ORACLE } from './contenders.ts';
import type { Plan } from './plan.ts';

/** Keys enough for every hash policy to spread them evenly. */
const KEY_COUNT = 100_000;

/** Medians over the seeds. */
interface Row {
  readonly name: string;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly p999Ms: number;
  readonly meanMs: number;
  readonly errorPercent: number;
  /** Against the oracle under the same seed. */
  readonly p50Ratio: number;
  readonly p99Ratio: number;
  readonly p999Ratio: number;
}

type Latencies = Pick<Row, 'p50Ms' | 'p99Ms' | 'p999Ms' | 'meanMs' | 'errorPercent'>;

/** Uneven, disturbed servers under rising load: `<policy>@<load>-p99/jsq` and its like. */
export function measureHetero(plan: Plan, { print }: SuiteContext): [string, number][] {
  print(
    `20 clients x 50 uneven servers, default settings; median of ${plan.seeds.length} seeds, ratio to ${ORACLE} in brackets\n`,
  );
  return plan.loads.flatMap((load) => {
    const rows = measureLoad(load, plan);
    print(`load ${load} %\n${tableOf(rows)}\n`);
    return rows.flatMap(({ name, p50Ratio, p99Ratio, p999Ratio, errorPercent, p99Ms }) => {
      const prefix = `${name}@${load}`;
      const figures: [string, number][] = [[`${prefix}-error-percent`, errorPercent]];
      if (name === ORACLE) return [...figures, [`${prefix}-p99-ms`, p99Ms]] as typeof figures;
      figures.push(
        [`${prefix}-p50/${ORACLE}`, p50Ratio],
        [`${prefix}-p99/${ORACLE}`, p99Ratio],
        [`${prefix}-p99.9/${ORACLE}`, p999Ratio],
      );
      return figures;
    });
  });
}

function measureLoad(loadPercent: number, plan: Plan): Row[] {
  const runs = new Map(
    CONTENDERS.map((contender): [string, Latencies[]] => [
      contender.name,
      plan.seeds.map((seed) => play({ contender, loadPercent, seed }, plan)),
    ]),
  );
  const oracle = runs.get(ORACLE) ?? [];
  return [...runs].map(([name, own]): Row => {
    const medianOf = (key: keyof Latencies): number => median(own.map((run) => run[key]));
    const ratioOf = (key: keyof Latencies): number =>
      median(own.map((run, index) => run[key] / (oracle[index]?.[key] ?? Number.NaN)));
    return {
      name,
      p50Ms: medianOf('p50Ms'),
      p99Ms: medianOf('p99Ms'),
      p999Ms: medianOf('p999Ms'),
      meanMs: medianOf('meanMs'),
      errorPercent: medianOf('errorPercent'),
      p50Ratio: ratioOf('p50Ms'),
      p99Ratio: ratioOf('p99Ms'),
      p999Ratio: ratioOf('p999Ms'),
    };
  });
}

interface Play {
  readonly contender: Contender;
  readonly loadPercent: number;
  readonly seed: number;
}

function play({ contender, loadPercent, seed }: Play, { warmUpMs, durationMs }: Plan): Latencies {
  const { hetero } = scenarios;
  const servers = contender.knowsSpeeds === true ? hetero.servers.map(weighted) : hetero.servers;
  const { p50Ms, p99Ms, p999Ms, meanMs, errorPercent } = simulate(
    { ...hetero, servers, warmUpMs, durationMs, keyCount: KEY_COUNT },
    { ...contender.run, loadPercent, seed },
  );
  return { p50Ms, p99Ms, p999Ms, meanMs, errorPercent };
}

function weighted(group: ServerGroupOptions): ServerGroupOptions {
  return { ...group, weight: Math.round((group.speed ?? 1) * 100) };
}

function tableOf(rows: readonly Row[]): string {
  const withRatio = (value: number, ratio: number): Cell =>
    `${value.toFixed(1)} (${ratio.toFixed(2)}x)`;
  return formatTable(
    ['policy', 'p50 ms', 'p99 ms', 'p99.9 ms', 'mean ms', 'failed %'],
    rows.map((row) => [
      row.name,
      withRatio(row.p50Ms, row.p50Ratio),
      withRatio(row.p99Ms, row.p99Ratio),
      withRatio(row.p999Ms, row.p999Ratio),
      row.meanMs.toFixed(1),
      row.errorPercent.toFixed(3),
    ]),
  );
}
