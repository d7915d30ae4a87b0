import { withRoom } from './slot-arrays.ts';

/**
 * A run of timeouts that is at least this probable without any fault of the endpoint's own is no evidence. The same
 * number as for success rates (`falseAlarmRatio`), for the same reason: every request is another occasion for it.
 */
const FALSE_ALARM_RATIO = 1e-9;
const LEAST_LOG = Math.log(FALSE_ALARM_RATIO);

/** A run in which there was more than timeouts. So far below 0 that timeouts do not lift it. */
const MIXED = -(2 ** 30);

/**
 * Is a run of timeouts the endpoint's, or do all time out now and then because there is too much to do? In an overload
 * every endpoint has such runs; ejecting those that happen to have one makes less capacity of too little.
 *
 * ```text
 * all do     more than half of the members have had a timeout lately
 * p          timeouts / (timeouts + successes + 1)   of the members that answer, since the run began
 * common     all do, and p^length >= 1e-9      p 1.5 %: 5 in a row are evidence; 10 %: 9; 30 %: 18; 50 %: 30
 * ```
 *
 * - More than half: a few slow members that time out again and again would otherwise excuse each other.
 * - Since the run began: an overload comes and goes within seconds.
 * - That answer: the timeouts of a run count when a success ends it, so that members that have gone silent, a zone of
 *   them, say, excuse nobody. Where all are silent there is nothing to compare with, and the usual limits apply.
 * - Timeouts only. A refused connection or an error page is not what an overload makes of an endpoint that works.
 */
export class CommonTimeouts {
  /**
   * Successes, and timeouts that successes followed, of all members: written on the path of every request. They wrap
   * around, and differences do not mind. Integers, because each addition waits for the one before it.
   */
  readonly totals: Uint32Array<ArrayBuffer> = new Uint32Array(2);
  readonly #latelyMs: number;
  /** Timeouts since the last success by slot; below 0: there were other failures too. */
  #runs = new Int32Array(0);
  /** The totals as they were at the beginning of the run, two by slot. */
  #before = new Uint32Array(0);
  /** When the last timeout was. */
  #lastMs = new Float64Array(0);

  /** @param latelyMs what counts as lately */
  constructor(latelyMs: number) {
    this.#latelyMs = latelyMs;
  }

  ensureCapacity(slots: number): void {
    this.#runs = withRoom(this.#runs, slots, (length) => new Int32Array(length));
    this.#before = withRoom(this.#before, slots * 2, (length) => new Uint32Array(length));
    this.#lastMs = withRoom(this.#lastMs, slots, (length) =>
      new Float64Array(length).fill(Number.NEGATIVE_INFINITY),
    );
  }

  /** The run begins anew. */
  reset(slot: number): void {
    this.#runs[slot] = 0;
  }

  /** The slot may pass to somebody else. */
  forget(slot: number): void {
    this.#runs[slot] = 0;
    this.#lastMs[slot] = Number.NEGATIVE_INFINITY;
  }

  /** A success ended a run. Successes that follow a success are added to `totals` by the caller. */
  onSuccess(slot: number): void {
    const { totals } = this;
    totals[SUCCESSES] = (totals[SUCCESSES] as number) + 1;
    totals[TIMEOUTS] = (totals[TIMEOUTS] as number) + Math.max(0, this.#runs[slot] as number);
    this.#runs[slot] = 0;
  }

  onTimeout(slot: number, nowMs: number): void {
    this.#lastMs[slot] = nowMs;
    const length = (this.#runs[slot] as number) + 1;
    this.#runs[slot] = length;
    if (length !== 1) return;
    this.#before[slot * 2] = this.totals[SUCCESSES] as number;
    this.#before[slot * 2 + 1] = this.totals[TIMEOUTS] as number;
  }

  /** A failure of another kind. */
  onOther(slot: number): void {
    this.#runs[slot] = MIXED;
  }

  /** Is the run, of which a timeout was the last, no more than what the others have too? */
  explain(slot: number, members: readonly number[], nowMs: number): boolean {
    const length = this.#runs[slot] as number;
    if (length <= 0) return false;
    const [before, totals] = [this.#before, this.totals];
    const successes = ((totals[SUCCESSES] as number) - (before[slot * 2] as number)) >>> 0;
    const timeouts = ((totals[TIMEOUTS] as number) - (before[slot * 2 + 1] as number)) >>> 0;
    const likely = length * Math.log(timeouts / (timeouts + successes + 1)) >= LEAST_LOG;
    return likely && this.#doAll(members, nowMs);
  }

  #doAll(members: readonly number[], nowMs: number): boolean {
    const sinceMs = nowMs - this.#latelyMs;
    let count = 0;
    for (const slot of members) if ((this.#lastMs[slot] as number) >= sinceMs) count++;
    return count * 2 > members.length;
  }
}

export const SUCCESSES = 0;
const TIMEOUTS = 1;
