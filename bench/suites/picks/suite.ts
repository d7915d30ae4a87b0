import { type Contender, measureRounds } from '../../support/rounds.ts';
import { pairedRatios, summarize } from '../../support/statistics.ts';
import type { Figures, Suite, SuiteContext } from '../../support/suite.ts';
import { formatTable } from '../../support/table.ts';
import { CONTENDERS, FLOOR, SIZES } from './contenders.ts';
import { plan, type Task } from './plan.ts';
import { BUILD_TARGET } from './tables.ts';
import { WorkerProcess } from './worker-process.ts';

const TARGET_MS = 25;
const QUICK_TARGET_MS = 4;

/** The floor of the machine that the goals were set on: on a slower one, compare the ratios. */
const GOAL_FLOOR_NS = 10;

export const suite: Suite = {
  description: 'every policy at 10, 1,000 and 10,000 endpoints against the cost of a random index',
  async run(context) {
    const tasks = plan();
    const samples = await measureAll(tasks, context);
    printPicks(samples, context);
    printRest(tasks, samples, context);
    return Object.fromEntries(
      tasks.map(({ figure }): [string, number] => [figure, summarize(samples(figure)).median]),
    ) satisfies Figures;
  },
};

type Samples = (figure: string) => readonly number[];

/** One process per worker; rounds are interleaved over all of them, and only one works at a time. */
async function measureAll(tasks: readonly Task[], { quick }: SuiteContext): Promise<Samples> {
  const workers = new Map<string, WorkerProcess>();
  try {
    const timing = { targetMs: quick ? QUICK_TARGET_MS : TARGET_MS };
    const contenders: Contender[] = [];
    for (const { figure, worker, measurement } of tasks) {
      // A short run is not worth comparing, so one process will do.
      const key = quick ? 'all' : worker;
      const process = workers.get(key) ?? new WorkerProcess();
      workers.set(key, process);
      await process.prepare(figure, measurement, timing);
      contenders.push({ name: figure, measure: () => process.measure(figure) });
    }
    const samples = await measureRounds(
      contenders,
      quick ? { rounds: 1, warmupRounds: 0 } : { rounds: 9, warmupRounds: 2 },
    );
    return (figure) => samples[figure] ?? [];
  } finally {
    await Promise.all([...workers.values()].map((worker) => worker.close()));
  }
}

function printPicks(samples: Samples, context: SuiteContext): void {
  context.print(
    'pick + start + finish in ns of CPU time: median (ratio to the floor), one process per policy',
  );
  const rows = CONTENDERS.map(({ name, targetNs }) => [
    name,
    ...SIZES.map((size) => {
      const own = samples(`${name}@${size}`);
      const ratio = summarize(pairedRatios(own, samples(`${FLOOR}@${size}`))).median;
      return `${summarize(own).median.toFixed(1)} (${ratio.toFixed(1)}x)`;
    }),
    targetNs === undefined ? '' : `<= ${targetNs} (${(targetNs / GOAL_FLOOR_NS).toFixed(0)}x)`,
  ]);
  context.print(formatTable(['policy', ...SIZES.map((size) => `@${size}`), 'goal @10000'], rows));
}

function printRest(tasks: readonly Task[], samples: Samples, context: SuiteContext): void {
  const rows = tasks
    .filter(({ measurement }) => measurement.kind !== 'pick')
    .map(({ figure }) => {
      const { median, min, max } = summarize(samples(figure));
      const goal = figure === BUILD_TARGET.figure ? `<= ${BUILD_TARGET.ms}` : '';
      return [figure, median, min, max, goal];
    });
  context.print(`\n${formatTable(['figure', 'median', 'min', 'max', 'goal'], rows)}`);
}
