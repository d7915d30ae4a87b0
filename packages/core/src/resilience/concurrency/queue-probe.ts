import { jittered, type Random } from '../../runtime/random.ts';

/**
 * Finds out how long an answer takes when nothing queues, while there is more to do than can be done. Algorithms that
 * judge by delay need to know that time, and cannot learn it under load that never lets up: the queue they keep
 * standing is in all they measure.
 *
 * ```text
 *   watching ── interval over, and the limit was reached ──► draining: admit half of the limit
 *      ▲                                                        │ in flight <= half
 *      └── rebase(mean) ◄── 5 round trips ── measuring ◄── settling: 3 round trips
 * ```
 *
 * Settling is what makes the mean an honest one. Were the first answers after the drain taken, the short ones would be
 * among them and the long ones still under way: with exponential times the result was 40 % too low.
 *
 * Costs at most half of the throughput for nine round trips per interval, and nothing while the limit is not reached.
 */
export class QueueProbe {
  readonly #intervalMs: number;
  readonly #minCount: number;
  readonly #random: Random;
  #dueMs = Number.NaN;
  #rttMs = 0;
  #giveUpMs = 0;
  /** Limit meanwhile; Infinity while not probing. */
  #cap = Number.POSITIVE_INFINITY;
  /** From when answers count; NaN until few enough are in flight. */
  #fromMs = Number.NaN;
  #sumMs = 0;
  #count = 0;

  /** @param minCount least number of answers of one measurement */
  constructor(intervalMs: number, minCount: number, random: Random) {
    this.#intervalMs = intervalMs;
    this.#minCount = minCount;
    this.#random = random;
  }

  /** Upper limit of requests in flight for the sake of the measurement; Infinity when there is none under way. */
  get cap(): number {
    return this.#cap;
  }

  /** A window in which the limit was reached has ended. @param rttMs its mean time */
  onFullWindow(limit: number, rttMs: number, nowMs: number): void {
    if (this.#intervalMs === 0 || this.#cap !== Number.POSITIVE_INFINITY) return;
    this.#rttMs = rttMs;
    if (Number.isNaN(this.#dueMs)) this.#schedule(nowMs);
    if (nowMs < this.#dueMs) return;
    this.#cap = Math.max(1, Math.floor(limit / 2));
    this.#fromMs = Number.NaN;
    this.#sumMs = 0;
    this.#count = 0;
    // Requests that never end must not keep the limit down.
    this.#giveUpMs = nowMs + Math.max(MIN_PATIENCE_MS, PATIENCE_TRIPS * rttMs);
  }

  /**
   * An answer has come during a probe.
   *
   * @returns the mean time without a queue when it is known; 0 while it is not, or when it could not be found
   */
  onAnswer(rttMs: number, inFlight: number, nowMs: number): number {
    if (Number.isNaN(this.#fromMs)) {
      if (inFlight <= this.#cap) this.#fromMs = nowMs + SETTLING_TRIPS * this.#rttMs;
    } else if (nowMs >= this.#fromMs) {
      this.#sumMs += rttMs;
      this.#count++;
    }
    const enough =
      this.#count >= this.#minCount && nowMs - this.#fromMs >= MEASURING_TRIPS * this.#rttMs;
    if (!enough && nowMs < this.#giveUpMs) return 0;
    const meanMs = this.#count >= this.#minCount ? this.#sumMs / this.#count : 0;
    this.#cap = Number.POSITIVE_INFINITY;
    this.#schedule(nowMs);
    return meanMs;
  }

  #schedule(nowMs: number): void {
    const intervalMs = Math.max(this.#intervalMs, MIN_INTERVAL_TRIPS * this.#rttMs);
    this.#dueMs = nowMs + jittered(this.#random, intervalMs, JITTER_RATIO);
  }
}

/** Clients of one server must not probe at the same time: they would see each other's queues go. */
const JITTER_RATIO = 0.25;
/** After 3 mean times, 95 % of what was in flight has ended even if times are exponentially distributed. */
const SETTLING_TRIPS = 3;
/** As many answers as five times half of the limit: at a limit of 80 the mean of 200, within 7 % if exponential. */
const MEASURING_TRIPS = 5;
/** Nine of two hundred round trips at half of the throughput cost 2.3 %. */
const MIN_INTERVAL_TRIPS = 200;
const PATIENCE_TRIPS = 20;
const MIN_PATIENCE_MS = 2_000;
