/** Where requests go when their cluster has nobody for them. */
import { type Cluster, NO_SLOT, Outcome, type PickContext } from '@evenkeel/core';
import type { Admission } from '@evenkeel/core/resilience';
import { pickAdmitted } from './admitted-pick.ts';
import type { Target } from './route.ts';

/** The targets of one request, in turn. */
export class Failover {
  readonly #first: Target;
  readonly #others: readonly Target[];
  #count = 0;

  constructor(first: Target, others: readonly Target[]) {
    this.#first = first;
    this.#others = others;
  }

  /** @param isAnybodyGood does the first one count again at the end, whatever the health of its endpoints? */
  hasNext(isAnybodyGood: boolean): boolean {
    return this.#count < this.#others.length + (isAnybodyGood ? 1 : 0);
  }

  next(isAnybodyGood: boolean): Target | undefined {
    if (!this.hasNext(isAnybodyGood)) return undefined;
    return this.#others[this.#count++] ?? this.#first;
  }
}

/**
 * A pick for requests that have somewhere else to go. When too few endpoints of a cluster are healthy, it spreads requests over all of them: better a bad chance than none.
 * With another cluster behind it there is a better one.
 *
 * @returns `NO_SLOT` also for an endpoint that would only be asked because health is ignored
 */
// oxlint-disable-next-line max-params -- as `pickAdmitted`
export function pickHealthy(
  cluster: Cluster,
  admission: Admission | undefined,
  context: PickContext,
  nowMs: number,
): number {
  const slot = pickAdmitted(cluster, admission, context, nowMs);
  if (slot === NO_SLOT || !cluster.isInPanic(slot)) return slot;
  const state = cluster.stateOf(slot);
  if (state === 'healthy' || state === 'degraded') return slot;
  admission?.leave(slot, Outcome.cancelled, 0, nowMs, nowMs);
  return NO_SLOT;
}

/** What picks on another target ask for: the client's key goes along. */
export function contextOn({ context }: Target, { hashKey }: PickContext): PickContext {
  return hashKey === undefined ? context : { ...context, hashKey };
}
