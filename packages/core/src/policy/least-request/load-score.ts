import type { Members } from '../../model/members.ts';
import type { FailurePenalty } from './failure-penalty.ts';

/** Counts up to here have their power in a table; `Math.pow` costs tens of nanoseconds. */
const TABLE_SIZE = 256;

/**
 * The load of members as least request compares it. Works on positions in `Members`.
 *
 * With equal weights it is the number of requests in flight. With weights it is `(active + 1)^bias / weight`, the state
 * that a request *would* bring about, and a challenger must not only be below the incumbent's own such number: it must
 * not exceed what the incumbent bears *without* the request.
 *
 * ```text
 * weights 100 and 1, both idle      (0 + 1) / 1 = 1    against   0 / 100 = 0   -> the incumbent stays
 * 200 in flight on the first        (0 + 1) / 1 = 1    against 200 / 100 = 2   -> the light one takes it
 * ```
 *
 * Incumbents are drawn in proportion to weight, so at low load the traffic follows the weights; the plain comparison
 * would give nearly all of it to the heaviest. With equal weights both rules are one: b + 1 <= a says b < a.
 */
export class LoadScore {
  /** Do counts decide alone? */
  readonly plain: boolean;
  /** Do weights decide alone? */
  readonly weightsOnly: boolean;
  readonly #slots: Int32Array;
  readonly #weights: Float64Array;
  readonly #active: Int32Array;
  readonly #penalty: FailurePenalty;
  readonly #bias: number;
  readonly #powers: Float64Array;

  constructor({ members: { slots, weights }, active, penalty, bias }: LoadScoreParts) {
    this.#slots = slots;
    this.#weights = weights;
    this.#active = active;
    this.#penalty = penalty;
    this.#bias = bias;
    this.weightsOnly = bias === 0;
    this.plain = bias > 0 && weights.every((weight) => weight === weights[0]);
    this.#powers = this.plain
      ? NO_POWERS
      : Float64Array.from({ length: TABLE_SIZE }, (_, count) => count ** bias);
  }

  /** Requests in flight. */
  active(index: number): number {
    return this.#active[this.#slots[index] as number] as number;
  }

  /** Failed requests that still count. */
  penalty(index: number, nowMs: number): number {
    return this.#penalty.of(this.#slots[index] as number, nowMs);
  }

  weight(index: number): number {
    return this.#weights[index] as number;
  }

  /** `(active + 1)^bias / weight`; `active + 1`, which orders alike, while counts decide alone. */
  of(index: number, nowMs: number): number {
    if (this.plain) return this.#load(index, nowMs) + 1;
    return this.#power(this.#load(index, nowMs) + 1) / this.weight(index);
  }

  /** Should a request that would go to the incumbent go to the challenger instead? False for a tie of equal weights. */
  isBetter(challenger: number, incumbent: number, nowMs: number): boolean {
    if (this.plain) return this.#load(challenger, nowMs) < this.#load(incumbent, nowMs);
    if (this.weightsOnly || challenger === incumbent) return false;
    const withRequest = this.#power(this.#load(challenger, nowMs) + 1) * this.weight(incumbent);
    return withRequest <= this.#power(this.#load(incumbent, nowMs)) * this.weight(challenger);
  }

  #load(index: number, nowMs: number): number {
    const slot = this.#slots[index] as number;
    return (this.#active[slot] as number) + this.#penalty.of(slot, nowMs);
  }

  #power(count: number): number {
    return count < this.#powers.length ? (this.#powers[count] as number) : count ** this.#bias;
  }
}

export interface LoadScoreParts {
  readonly members: Members;
  /** Of the load table, by slot. */
  readonly active: Int32Array;
  readonly penalty: FailurePenalty;
  /** 0 or more. */
  readonly bias: number;
}

const NO_POWERS = new Float64Array(0);
