import type { Cluster } from '../cluster/face.ts';
import { ANY, isExcluded, NO_SLOT, type PickContext } from '../model/pick-context.ts';
import { hasLabels } from '../topology/subset.ts';

/** What affinity asks of a cluster. */
export type AffinityCluster = Pick<Cluster, 'pick' | 'endpoint' | 'stateOf' | 'isInPanic'>;

export interface AffinityPreference {
  /** The slot to stay with, or `NO_SLOT`. */
  readonly slot: number;
  /** Stay with it as long as it exists? */
  readonly strict: boolean;
}

/**
 * The preferred slot if a request may go there, else what the policy picks.
 *
 * | the preferred endpoint is | strict: false | strict: true |
 * |---|---|---|
 * | healthy, degraded | kept | kept |
 * | ejected, unhealthy, unchecked | policy; kept in panic, where health is ignored | kept |
 * | draining, weight 0 | policy | kept |
 * | disabled, gone, excluded by the context, outside its subset | policy | policy |
 *
 * It is kept also where the policy would not pick it, in another zone or priority for instance: moving back there is
 * the policy's wish, staying is the session's.
 *
 * @returns a slot, or `NO_SLOT`
 */
export function pickWithAffinity(
  cluster: AffinityCluster,
  preference: AffinityPreference,
  context: PickContext = ANY,
): number {
  return keepsPreference(cluster, preference, context) ? preference.slot : cluster.pick(context);
}

/** May a request go to the preferred slot? */
export function keepsPreference(
  cluster: AffinityCluster,
  { slot, strict }: AffinityPreference,
  context: PickContext,
): boolean {
  if (slot === NO_SLOT || isExcluded(context, slot)) return false;
  const endpoint = cluster.endpoint(slot);
  if (endpoint === undefined) return false;
  if (context.subset !== undefined && !hasLabels(endpoint, context.subset)) return false;
  if (endpoint.weight === 0 && !strict) return false;
  switch (cluster.stateOf(slot)) {
    case 'healthy':
    case 'degraded':
      return true;
    case 'ejected':
    case 'unhealthy':
    case 'unchecked':
      return strict || cluster.isInPanic(slot);
    case 'draining':
      return strict;
    // Its circuit would refuse the request.
    case 'circuit-open':
    case 'disabled':
    case undefined:
      return false;
  }
}
