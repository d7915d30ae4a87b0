import type { ProbeGroup } from './probe-group.ts';
import type { PrequalShared } from './shared.ts';

/**
 * What is compared while there are too few fresh answers: the speed that the endpoint last told, which keeps better than
 * its load, times the requests of this client there in proportion to weight, the one to be picked included, times what
 * its failures make of it. Lower is better.
 */
// oxlint-disable-next-line max-params -- called twice per pick, an options object would be an allocation
export function fallbackScore(
  slot: number,
  group: ProbeGroup,
  { load, memory }: PrequalShared,
  nowMs: number,
): number {
  const told = memory.unitMs.values[slot] as number;
  const unitMs = told > 0 ? told : group.typicalUnitMs;
  const active = group.loadOf(slot, load.active[slot] as number);
  return unitMs * (active + 1) * memory.badness(slot, nowMs);
}
