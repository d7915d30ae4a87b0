/**
 * Priority levels: how much of the load each takes while its health falls. The arithmetic is Envoy's
 * (`load_balancer_impl.cc`: availability per level, healthy load first, then degraded, panic per level), in its whole
 * percents, so that both send the same share to the same place.
 *
 * ```text
 * availability of a level = min(100, 140 * healthy / all)         140: the overprovisioning factor 1.4
 * load of a level         = its availability, as far as the load lasts, level 0 first; then the degraded likewise
 * ```
 *
 * A level goes on taking everything while 100 / 1.4 = 72 % of it are healthy: endpoints are provisioned for more than
 * their average load, and moving traffic to a spare region for one lost endpoint would do more harm than good.
 */
import { isPanic } from './panic.ts';

/** As in Envoy (`overprovisioning_factor` 140). */
export const DEFAULT_OVERPROVISIONING_FACTOR = 1.4;

/** The members of one level. */
export interface LevelHealth {
  /** Nothing speaks against them. */
  readonly healthyCount: number;
  /** They work, and are to be spared. */
  readonly degradedCount: number;
  /** Those for which `isPresumedHealthy` holds. */
  readonly presumedHealthyCount: number;
  /** All that would take traffic if they were healthy. */
  readonly candidateCount: number;
}

/** What a level takes, in whole percents of all requests. The loads of all levels add up to 100. */
export interface LevelLoad {
  readonly healthyPercent: number;
  readonly degradedPercent: number;
  /** Health is ignored in this level: both loads go to all its candidates. */
  readonly panic: boolean;
}

export interface PriorityRule {
  /** 1 or more. */
  readonly overprovisioningFactor: number;
  /** 0..100; 0: no level ever panics. */
  readonly panicThresholdPercent: number;
}

/**
 * The load of each level, the preferred one first. There must be one level or more.
 *
 * | level 0 healthy | level 1 healthy | load 0 | load 1 | panic |
 * |---|---|---|---|---|
 * | 100 % | 100 % | 100 | 0 | |
 * | 72 % | 100 % | 100 | 0 | |
 * | 50 % | 100 % | 70 | 30 | |
 * | 25 % | 100 % | 35 | 65 | none: the other level can take what is too much |
 * | 25 % | 25 % | 50 | 50 | both |
 * | 0 % | 0 % | by their sizes | | both |
 */
export function priorityLoads(levels: readonly LevelHealth[], rule: PriorityRule): LevelLoad[] {
  const factorPercent = Math.round(rule.overprovisioningFactor * 100);
  const healthy = levels.map((level) => availability(level, level.healthyCount, factorPercent));
  const degraded = levels.map((level) => availability(level, level.degradedCount, factorPercent));
  const available = Math.min(100, sum(healthy) + sum(degraded));
  const panic = levels.map((level) => isInPanic(level, levels.length, { ...rule, available }));
  if (available === 0 || (levels.length > 1 && panic.every(Boolean))) {
    return loadsWithoutHealth(levels, panic);
  }
  const toHealthy = distribute(healthy, { load: 100, available });
  const toDegraded = distribute(degraded, { load: 100 - sum(toHealthy), available });
  // What rounding has left over, the first that is there takes.
  const rest = 100 - sum(toHealthy) - sum(toDegraded);
  const first = healthy.findIndex((percent) => percent > 0);
  if (first >= 0) toHealthy[first] = (toHealthy[first] as number) + rest;
  else {
    const spared = degraded.findIndex((percent) => percent > 0);
    toDegraded[spared] = (toDegraded[spared] as number) + rest;
  }
  return levels.map((_, index) => ({
    healthyPercent: toHealthy[index] as number,
    degradedPercent: toDegraded[index] as number,
    panic: panic[index] as boolean,
  }));
}

function availability(level: LevelHealth, count: number, factorPercent: number): number {
  const { candidateCount } = level;
  return candidateCount === 0
    ? 0
    : Math.min(100, Math.floor((factorPercent * count) / candidateCount));
}

/**
 * A single level panics by the plain rule. Of several none does while together they can take everything: the others
 * take what this one cannot, so there is no need to try its bad ones.
 */
function isInPanic(
  level: LevelHealth,
  levelCount: number,
  { available, panicThresholdPercent }: PriorityRule & { readonly available: number },
): boolean {
  if (levelCount > 1 && available === 100) return false;
  return isPanic(level.presumedHealthyCount, level.candidateCount, panicThresholdPercent);
}

/** Each takes of the load what it can, in order, until nothing is left. Changes nothing that it is given. */
function distribute(
  availabilities: readonly number[],
  { load, available }: { readonly load: number; readonly available: number },
): number[] {
  let left = load;
  return availabilities.map((percent) => {
    const taken = Math.min(left, Math.floor((percent * 100) / available));
    left -= taken;
    return taken;
  });
}

/**
 * Nobody is healthy enough to be counted, or all levels panic: the load goes by the sizes of the levels in panic. Without
 * one (panic is switched off, or nothing is known yet) it goes to the first level that has anyone to offer.
 */
function loadsWithoutHealth(
  levels: readonly LevelHealth[],
  panic: readonly boolean[],
): LevelLoad[] {
  const sizes = levels.map(({ candidateCount }, index) => (panic[index] ? candidateCount : 0));
  const total = sum(sizes);
  const loads = sizes.map((size) => (total === 0 ? 0 : Math.floor((100 * size) / total)));
  const first = total === 0 ? firstToOffer(levels) : sizes.findIndex((size) => size > 0);
  loads[first] = (loads[first] as number) + 100 - sum(loads);
  return levels.map(({ healthyCount, degradedCount }, index) => {
    const load = loads[index] as number;
    const toDegraded = panic[index] === false && healthyCount === 0 && degradedCount > 0;
    return {
      healthyPercent: toDegraded ? 0 : load,
      degradedPercent: toDegraded ? load : 0,
      panic: panic[index] as boolean,
    };
  });
}

function firstToOffer(levels: readonly LevelHealth[]): number {
  const healthy = levels.findIndex(({ healthyCount }) => healthyCount > 0);
  if (healthy >= 0) return healthy;
  return Math.max(
    0,
    levels.findIndex(({ degradedCount }) => degradedCount > 0),
  );
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
