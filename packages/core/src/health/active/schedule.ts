/**
 * When checks run. Two things must not happen: that one process checks all its endpoints in the same moment, and that
 * all processes of a fleet check one endpoint in the same moment.
 *
 * - The first check of an endpoint comes after a share of the spread that is a hash of cluster, endpoint and a number
 *   that the process draws for itself: different for the endpoints of one process, and for one endpoint in different
 *   processes, even if a registry told them all of it in the same millisecond.
 * - Every further check comes one jittered interval after the start of the one before. Starts drift apart like random
 *   walks, so even checks that were once delayed together do not stay together.
 */
import { jittered, type Random } from '../../runtime/random.ts';
import type { CheckTimingConfig } from './timing-config.ts';

/** Longest spread of first checks that traffic waits for. */
const MAX_WAITING_SPREAD_MS = 1000;

/** The time over which first checks are spread. */
export function initialSpreadMs(config: CheckTimingConfig): number {
  if (config.initialSpreadMs !== undefined) return config.initialSpreadMs;
  return config.initial === 'unchecked'
    ? Math.min(config.intervalMs, MAX_WAITING_SPREAD_MS)
    : config.intervalMs;
}

/**
 * Where in the spread an endpoint's first check falls.
 *
 * @param seed of this process, any 32-bit integer
 * @returns 0..1, 1 excluded; evenly spread over ids
 */
export function phaseOf(cluster: string, endpointId: string, seed: number): number {
  return (mixed(hashText(endpointId, hashText(cluster, seed | 0))) >>> 0) / 2 ** 32;
}

/**
 * Time until the first check of an endpoint. The spread is jittered like an interval: were it sharp, the early ones of
 * the second round would meet the last of the first, and the rate would rise to one and a half times its mean there
 * (the first wait of a renewal process in equilibrium is a share of a whole interval).
 */
export function firstDelayMs(config: CheckTimingConfig, phase: number, random: Random): number {
  return phase * jittered(random, initialSpreadMs(config), config.jitterRatio);
}

/** Time from the start of a check to the start of the next. */
export function nextIntervalMs(
  config: CheckTimingConfig,
  healthy: boolean | undefined,
  random: Random,
): number {
  const { intervalMs, unhealthyIntervalMs = intervalMs, jitterRatio } = config;
  return jittered(random, healthy === false ? unhealthyIntervalMs : intervalMs, jitterRatio);
}

/** FNV-1a over UTF-16 code units, after any earlier state. */
function hashText(text: string, state: number): number {
  let hash = state ^ 0x811c9dc5;
  for (let index = 0; index < text.length; index++) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  }
  return hash;
}

/** Final mix of MurmurHash3: FNV alone leaves neighbours such as ":8001" and ":8002" close together. */
function mixed(hash: number): number {
  let value = hash ^ (hash >>> 16);
  value = Math.imul(value, 0x85ebca6b);
  value ^= value >>> 13;
  value = Math.imul(value, 0xc2b2ae35);
  return value ^ (value >>> 16);
}
