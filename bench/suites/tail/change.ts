import {
  type RunOptions,
  scenarios,
  simulate,
  type SimulationResult,
} from '@evenkeel/core/testing';
import { median } from '../../support/statistics.ts';
import type { SuiteContext } from '../../support/suite.ts';
import type { Plan } from './plan.ts';

const RETURN_MS = 9_000;
const END_MS = 24_000;

/** As quick as checks are worth it: a zone that is back is noticed within 2 s. */
const CHECKED: RunOptions = {
  cluster: { health: { http: { intervalMs: 1_000, timeoutMs: 500, rise: 1, fall: 2 } } },
};

/**
 * A zone that comes back, a wave of restarts, and an outage of all: with the default policy and the default settings
 * where nothing else is said.
 */
export function measureChanges(plan: Plan, { print }: SuiteContext): [string, number][] {
  const recoveryOf = (run: RunOptions): number =>
    median(plan.seeds.map((seed) => zoneRecoveryMs({ ...run, seed })));
  const recoveryMs = recoveryOf({});
  const leastRequestMs = recoveryOf({ policy: 'least-request' });
  const checkedMs = recoveryOf(CHECKED);
  const deployRatio = median(plan.seeds.map((seed) => deployRatioOf(seed)));
  const amplification = median(plan.seeds.map((seed) => outageAmplification(seed)));
  const seconds = (ms: number): string => `${(ms / 1_000).toFixed(1)} s`;
  print(
    `A zone of three that is down for 6 s has 90 % of its fair share ${seconds(recoveryMs)} after it is back,`,
  );
  print(
    `with least request ${seconds(leastRequestMs)}, with a health check per second ${seconds(checkedMs)}.`,
  );
  print(`A wave of restarts: p99 ${deployRatio.toFixed(2)} times that of round robin.`);
  print(`With 3 attempts a total outage makes ${amplification.toFixed(3)} attempts of a request.`);
  return [
    ['zone-recovery-ms', recoveryMs],
    ['least-request-zone-recovery-ms', leastRequestMs],
    ['checked-zone-recovery-ms', checkedMs],
    ['deploy-p99/round-robin', deployRatio],
    ['outage-attempts/request', amplification],
  ];
}

/** From the return of the zone to the first second in which it gets at least 90 % of its fair share. */
function zoneRecoveryMs(run: RunOptions): number {
  const result = simulate(
    {
      ...scenarios['zone-loss'],
      warmUpMs: 1_000,
      durationMs: END_MS - 1_000,
      faults: [{ kind: 'refuse', servers: { zone: 'c' }, fromMs: 3_000, untilMs: RETURN_MS }],
    },
    run,
  );
  const { stepMs, offeredPerSecond } = result.timeline;
  const stepsPerSecond = Math.round(1_000 / stepMs);
  for (let step = RETURN_MS / stepMs; step + stepsPerSecond <= offeredPerSecond.length; step++) {
    if (shareOfZone(result, 'c', [step, step + stepsPerSecond]) >= 0.9)
      return step * stepMs - RETURN_MS;
  }
  return END_MS - RETURN_MS;
}

/** Against the fair share, over some steps of the timeline. */
function shareOfZone(
  { servers, timeline }: SimulationResult,
  zone: string,
  [from, until]: readonly [number, number],
): number {
  const countOf = (index: number): number =>
    timeline.attempts[index]?.slice(from, until).reduce((sum, count) => sum + count, 0) ?? 0;
  const sumOf = (indexes: readonly number[]): number =>
    indexes.reduce((sum, index) => sum + countOf(index), 0);
  const inZone = servers.filter((server) => server.zone === zone).map(({ index }) => index);
  const all = servers.map(({ index }) => index);
  return sumOf(inZone) / sumOf(all) / (inZone.length / all.length);
}

/** The p99 of the default policy against that of round robin, which knows no newcomers. */
function deployRatioOf(seed: number): number {
  const p99Of = (run: RunOptions): number =>
    simulate(scenarios['deploy-wave'], { ...run, seed }).p99Ms;
  return p99Of({}) / p99Of({ policy: 'round-robin' });
}

/** Nobody answers well from the start to the end. */
function outageAmplification(seed: number): number {
  const { attemptCount, requestCount } = simulate(
    {
      ...scenarios.outage,
      warmUpMs: 2_000,
      durationMs: 10_000,
      faults: [{ kind: 'fail-fast' }],
    },
    { seed },
  );
  return attemptCount / requestCount;
}
