import type { Members } from '../../model/members.ts';
import { NO_SLOT, type PickContext } from '../../model/pick-context.ts';
import { NO_INDEX } from '../member-draw.ts';
import type { CandidateExplanation, Picker } from '../policy.ts';
import { explainPool } from './explain-pool.ts';
import { fallbackScore } from './fallback-score.ts';
import type { ProbeGroup } from './probe-group.ts';
import { NONE } from './probe-pool.ts';
import type { PrequalShared } from './shared.ts';

/** Told which group was picked from last, so that the request that starts can be entered there. */
export interface PickObserver {
  lastGroup: ProbeGroup | undefined;
}

export interface PrequalPickerParts {
  readonly members: Members;
  readonly group: ProbeGroup;
  readonly shared: PrequalShared;
  readonly observer: PickObserver;
}

/**
 * The hot-cold rule (arXiv 2312.10172, section 4) over the answers in the pool: of the endpoints that are not hot the
 * fastest, and if all are hot the least loaded. A pick changes nothing in the pool: the request that starts does.
 */
export class PrequalPicker implements Picker {
  readonly group: ProbeGroup;
  readonly #members: Members;
  readonly #shared: PrequalShared;
  readonly #observer: PickObserver;
  readonly #maxAgeMs: number;

  constructor({ members, group, shared, observer }: PrequalPickerParts) {
    this.group = group;
    this.#members = members;
    this.#shared = shared;
    this.#observer = observer;
    this.#maxAgeMs = shared.config.maxAgeMs;
  }

  pick({ exclude }: PickContext, nowMs: number): number {
    this.#observer.lastGroup = this.group;
    const at = this.#best(exclude, nowMs);
    const { counters } = this.#shared;
    if (at !== NONE) {
      counters.pooledPickCount++;
      return this.group.pool.slots[at] as number;
    }
    counters.fallbackPickCount++;
    return this.#fallback(exclude ?? NOTHING, nowMs);
  }

  explain(context: PickContext, nowMs: number): readonly CandidateExplanation[] {
    const { group } = this;
    return explainPool({ context, nowMs, members: this.#members, group, shared: this.#shared });
  }

  /** Where in the pool the best answer is; {@link NONE} when there are too few that count. */
  #best(exclude: readonly number[] | undefined, nowMs: number): number {
    const { group } = this;
    const { pool, threshold } = group;
    const { slots, unitsMs, badness, receivedMs, count } = pool;
    const { memory, counters } = this.#shared;
    const hotAbove = threshold.value;
    const sinceMs = nowMs - this.#maxAgeMs;
    const concerned = memory.concerns(nowMs);
    let best = NONE;
    let isCold = false;
    let lowest = Number.POSITIVE_INFINITY;
    let answers = 0;
    for (let at = 0; at < count; at++) {
      if ((receivedMs[at] as number) <= sinceMs) continue;
      const slot = slots[at] as number;
      if (exclude !== undefined && exclude.includes(slot)) continue;
      answers++;
      let bad = badness[at] as number;
      if (concerned) {
        const own = memory.badness(slot, nowMs);
        if (own > bad) bad = own;
      }
      const requests = group.requestsAt(at);
      // An idle endpoint is no less to be avoided for failing: its errors count as load.
      const load = (group.loadOf(slot, requests) + 1) * bad - 1;
      if (load <= hotAbove) {
        const latency = (unitsMs[at] as number) * (requests > 0 ? requests + 1 : 1) * bad;
        if (isCold && latency >= lowest) continue;
        best = at;
        lowest = latency;
        isCold = true;
      } else if (!isCold && load < lowest) {
        best = at;
        lowest = load;
      }
    }
    if (answers < group.minAnswers) return NONE;
    if (!isCold) counters.hotPickCount++;
    return best;
  }

  /** The better of two drawn by weight, by what this client has in flight there and how it fared. */
  #fallback(exclude: readonly number[], nowMs: number): number {
    const { draw } = this.group;
    const first = draw.drawAllowed(exclude);
    if (first === NO_INDEX) return NO_SLOT;
    const other = draw.drawOtherAllowed(first, exclude);
    const index = this.#score(other, nowMs) < this.#score(first, nowMs) ? other : first;
    return this.#members.slots[index] as number;
  }

  #score(index: number, nowMs: number): number {
    return fallbackScore(this.#members.slots[index] as number, this.group, this.#shared, nowMs);
  }
}

const NOTHING: readonly number[] = [];
