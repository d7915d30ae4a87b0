import { expectedLatencyMs, peakEwmaCost } from '../../algorithm/peak-ewma-cost.ts';
import type { Members } from '../../model/members.ts';
import type { DecayScale } from '../decay-scale.ts';
import type { EndpointState } from './endpoint-state.ts';

/**
 * An endpoint this many times as slow as the average of all answers is a poor choice. Ordinary differences between
 * machines stay far below; an endpoint that fails every third request is at 3.4.
 */
const POOR_FACTOR = 4;

/** With requests waiting, a trial is due only this much later: those that wait are trials already. */
const WAITING_PATIENCE = 10;

/**
 * Cost of an endpoint: the expected time to a good answer, were the request sent there.
 *
 * ```text
 *   cost = max(price, age) * (active * relief + 1)        price = latency / success rate^3
 * ```
 *
 * - `latency`: average time to the first byte. The price decays with time, so that what is long past is forgiven;
 * - success rate: trying until one attempt succeeds takes 1 / rate attempts. The cube says that a failure is worse than
 *   the same time spent waiting: at a rate of one half an endpoint would have to be 8 times as fast;
 * - `age`: how long the endpoint has owed an answer without giving any. A hung endpoint loses after a few requests, not
 *   after their timeouts; a long poll on an endpoint that goes on answering others does not count;
 * - `active`: requests in flight, `relief` = mean weight / weight: a heavy endpoint carries more for the same cost.
 *   Candidates are drawn by weight, so that weights decide the shares and costs correct them.
 */
export class CostReader {
  readonly #slots: Int32Array;
  /** Undefined when all weigh the same, which saves the hot path two reads. */
  readonly #relief: Float64Array | undefined;
  readonly #state: EndpointState;
  readonly #decay: DecayScale;
  readonly #active: Int32Array;
  readonly #price: Float64Array;
  readonly #owingSinceMs: Float64Array;

  /** Takes the arrays as they are now: made anew after every growth of the table, in `Balancer.update`. */
  constructor(members: Members, state: EndpointState, active: Int32Array) {
    this.#slots = members.slots;
    this.#relief = reliefOf(members.weights);
    this.#state = state;
    this.#decay = state.decay;
    this.#active = active;
    this.#price = state.price.values;
    this.#owingSinceMs = state.owingSinceMs.values;
  }

  /**
   * The member with the lower cost, `a` if they are equal. Its complement (`~`) tells that even that one is poor: a good
   * answer would take far longer there than answers usually do. Load does not make an endpoint poor, a busy one is not
   * a bad one. One number for both, because the times are computed here anyway.
   */
  better(a: number, b: number, nowMs: number): number {
    const timeA = this.#timeMs(this.#slots[a] as number, nowMs);
    const timeB = this.#timeMs(this.#slots[b] as number, nowMs);
    const lower = peakEwmaCost(timeB, this.#load(b), 1) < peakEwmaCost(timeA, this.#load(a), 1);
    const poor = (lower ? timeB : timeA) > POOR_FACTOR * this.#state.typicalMs;
    const index = lower ? b : a;
    return poor ? ~index : index;
  }

  /** Is the cost of the member at `a` strictly below that of `b`? */
  isLower(a: number, b: number, nowMs: number): boolean {
    const index = this.better(b, a, nowMs);
    return (index < 0 ? ~index : index) === a;
  }

  /** The cost in milliseconds and its parts, for explanations. Leaves the decay scale where it is. */
  read(index: number, nowMs: number): CostParts {
    const slot = this.#slots[index] as number;
    const price = (this.#price[slot] as number) * this.#decay.inverseAt(nowMs);
    const priceMs = price > 0 ? price : this.#state.typicalPeakMs;
    const ageMs = Math.max(0, nowMs - (this.#owingSinceMs[slot] as number));
    return {
      costMs: peakEwmaCost(expectedLatencyMs(priceMs, ageMs, 0), this.#load(index), 1),
      latencyMs: price > 0 ? this.#state.latencyMs(slot, nowMs) : undefined,
      priceMs,
      ageMs,
      active: this.#active[slot] as number,
      successRatio: this.#state.successRatio(slot, nowMs),
    };
  }

  /**
   * Has it gone without a request for so long that a pick should find out how it is? A trial costs some caller the
   * endpoint's latency, or a failure: the slower and the worse it was, the longer the wait.
   */
  isProbeDue(slot: number, nowMs: number): boolean {
    const state = this.#state;
    if (state.isHeld(slot, nowMs)) return false;
    const slowness = Math.max(1, state.latencyMs(slot, nowMs) / state.typicalMs);
    const dueMs = (state.config.probeIntervalMs * slowness) / state.successRatio(slot, nowMs);
    return state.waitingCount(slot) > 0
      ? nowMs - (this.#owingSinceMs[slot] as number) > dueMs * WAITING_PATIENCE
      : state.unheardMs(slot) > dueMs;
  }

  /** Requests in flight, as many as they feel like on an endpoint of this weight. */
  #load(index: number): number {
    const active = this.#active[this.#slots[index] as number] as number;
    const relief = this.#relief;
    return relief === undefined ? active : active * (relief[index] as number);
  }

  /** Expected time to a good first byte on an idle endpoint. */
  #timeMs(slot: number, nowMs: number): number {
    const price = this.#price[slot] as number;
    const priceMs = price > 0 ? price * this.#decay.inverse : this.#state.typicalPeakMs;
    return expectedLatencyMs(priceMs, nowMs - (this.#owingSinceMs[slot] as number), 0);
  }
}

/** A cost and what it is made of. */
export interface CostParts {
  readonly costMs: number;
  /** Undefined: not measured. */
  readonly latencyMs: number | undefined;
  readonly priceMs: number;
  /** 0: no answer is owed. */
  readonly ageMs: number;
  readonly active: number;
  readonly successRatio: number;
}

/** Mean weight / weight; undefined when all are 1. */
function reliefOf(weights: Float64Array): Float64Array | undefined {
  if (weights.every((weight) => weight === weights[0])) return undefined;
  const mean = weights.reduce((sum, weight) => sum + weight, 0) / weights.length;
  return weights.map((weight) => mean / weight);
}
