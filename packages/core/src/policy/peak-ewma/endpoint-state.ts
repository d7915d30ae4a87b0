import { afterFailure } from '../../algorithm/peak-ewma-cost.ts';
import type { Column, LoadTable } from '../../model/load-table.ts';
import type { PeakEwmaConfig } from './config.ts';
import { DecayScale } from '../decay-scale.ts';

/** An answer in less than this counts as this: a stored price of 0 stands for "not measured". 1 microsecond. */
const MIN_LATENCY_MS = 0.001;

/**
 * What a success gives back of the missing success rate. Together with what a failure takes (30 %, `afterFailure`), an
 * endpoint that fails 1 % of the time settles at a rate of 0.97 (price 1.1 times its latency), one that fails half of
 * the time at 0.25 (64 times).
 */
const SUCCESS_GAIN = 0.1;

/** The failing share stops here, so that the price of a dead endpoint stays finite: 1,000 times its latency. */
const MAX_FAILING = 0.9;

/** A smaller failing share is none: it ends the extra work, and moves the price by less than 1 %. */
const FORGOTTEN_FAILING = 0.002;

/**
 * The average of all answers looks back on 64 of them, and once it has as many it takes one in 16: every answer would
 * wait for the one before it to be added, which made up a sixth of the cost of a request.
 */
const TYPICAL_WINDOW = 64;
/** A power of two. */
const TYPICAL_STRIDE = 16;

/**
 * What peak EWMA remembers per endpoint, as columns of the load table, and how events change it.
 *
 * Columns are read through `.values` on every event: the request that ends may be on a draining endpoint, and the table
 * may have grown since it started. Values marked *scaled* decay with time, see {@link DecayScale}.
 */
export class EndpointState {
  readonly config: PeakEwmaConfig;
  readonly decay: DecayScale;
  /** What one request costs: latency / success rate^3, as of the last answer. 0: nothing known. Scaled. */
  readonly price: Column;
  /** Since when the endpoint owes an answer without having given any. Infinity: it owes none. */
  readonly owingSinceMs: Column;
  /** Until when the endpoint asked to be left alone. */
  readonly heldUntilMs: Column;
  /** Latest of all `heldUntilMs`: picks look at holds only before this time. */
  latestHoldMs: number = Number.NEGATIVE_INFINITY;
  /** Average time to the first byte, over all answers: what an ordinary answer takes. */
  typicalMs: number;
  /**
   * Mean of the averages that endpoints have, failures aside: what is assumed of one that was not measured. Not
   * `typicalMs`: averages that go up at once and down slowly lie well above the mean answer, and a newcomer that was
   * held to the latter would be the cheapest of all and be flooded.
   */
  typicalPeakMs: number;
  /** Requests that wait for their first byte. */
  readonly #waiting: Column;
  /** Scale at the last change of the price: how far it has decayed since, and how long ago that was. */
  readonly #priceScale: Column;
  /** 1 - success rate. Scaled: it recovers with time. */
  readonly #failing: Column;
  /** The cube of the success rate that is in the price; without meaning while nothing is failing. */
  readonly #rateCube: Column;
  readonly #load: LoadTable;
  /** Answers in the average so far, up to the window. */
  #answerCount = 0;
  /** Counts answers, around; says which of them are added to the average. */
  #answerTurn = 0;

  constructor(load: LoadTable, config: PeakEwmaConfig) {
    this.#load = load;
    this.config = config;
    this.typicalMs = config.defaultRttMs;
    this.typicalPeakMs = config.defaultRttMs;
    this.price = load.addColumn(0);
    this.owingSinceMs = load.addColumn(Number.POSITIVE_INFINITY);
    this.heldUntilMs = load.addColumn(0);
    this.#waiting = load.addColumn(0);
    this.#priceScale = load.addColumn(0);
    this.#failing = load.addColumn(0);
    this.#rateCube = load.addColumn(1);
    this.decay = new DecayScale(config.decayMs, (factor) => this.#rescale(factor));
  }

  /** A request begins to wait for its first byte. */
  startWaiting(slot: number, nowMs: number): void {
    const waiting = this.#waiting.values;
    const before = waiting[slot] as number;
    waiting[slot] = before + 1;
    if (before === 0) this.owingSinceMs.values[slot] = nowMs;
  }

  /** A request waits no longer. @param answered did the endpoint say anything, be it bad? */
  stopWaiting(slot: number, answered: boolean, nowMs: number): void {
    const waiting = this.#waiting.values;
    const left = (waiting[slot] as number) - 1;
    if (left > 0) {
      waiting[slot] = left;
      if (answered) this.owingSinceMs.values[slot] = nowMs;
    } else {
      // Also one end too many: the count never goes below 0.
      waiting[slot] = 0;
      this.owingSinceMs.values[slot] = Number.POSITIVE_INFINITY;
    }
  }

  /** The endpoint took `latencyMs` to give a good answer: the average goes up at once, down with the time constant. */
  observeLatency(slot: number, latencyMs: number): void {
    const { scale, inverse } = this.decay;
    const rtt = latencyMs > MIN_LATENCY_MS ? latencyMs : MIN_LATENCY_MS;
    const keep = (this.#priceScale.values[slot] as number) * inverse;
    const failing = (this.#failing.values[slot] as number) * inverse;
    let price = (this.price.values[slot] as number) * inverse;
    // Without failures the price is the latency, which spares a column in nearly all cases.
    if (failing > 0) price *= this.#rateCube.values[slot] as number;
    if (keep === 0) price = this.#firstAverage(rtt);
    else price = rtt > price ? rtt : price + rtt * (1 - keep);
    this.#answerTurn = (this.#answerTurn + 1) & (TYPICAL_STRIDE - 1);
    if (this.#answerCount < TYPICAL_WINDOW || this.#answerTurn === 0) {
      this.#observeTypical(rtt, price);
    }
    if (failing > 0) price /= this.#setRate(slot, 1 - failing);
    this.price.values[slot] = price * scale;
    this.#priceScale.values[slot] = scale;
  }

  /** A request ended well. */
  observeSuccess(slot: number): void {
    const failing = this.#failing.values;
    const share = failing[slot] as number;
    if (share === 0) return;
    const left = share * (1 - SUCCESS_GAIN);
    failing[slot] = left * this.decay.inverse > FORGOTTEN_FAILING ? left : 0;
  }

  /**
   * A request failed. That never makes the endpoint look fast: its average does not fall below the typical latency. A
   * slow failure (a timeout) raises it like a slow answer.
   */
  observeFailure(slot: number, latencyMs: number): void {
    const { scale, inverse } = this.decay;
    const average = Math.max(this.#latencyAt(slot, inverse), latencyMs, this.typicalMs);
    const successRatio = afterFailure(1 - (this.#failing.values[slot] as number) * inverse);
    const failing = Math.min(MAX_FAILING, 1 - successRatio);
    this.#failing.values[slot] = failing * scale;
    this.price.values[slot] = (average / this.#setRate(slot, 1 - failing)) * scale;
    this.#priceScale.values[slot] = scale;
  }

  /** Leave the endpoint alone for a while. A hold that is already longer stays. */
  hold(slot: number, delayMs: number, nowMs: number): void {
    const until = nowMs + Math.min(Math.max(0, delayMs), this.config.maxHoldMs);
    const held = this.heldUntilMs.values;
    if (!(until > (held[slot] as number))) return;
    held[slot] = until;
    if (until > this.latestHoldMs) this.latestHoldMs = until;
  }

  isHeld(slot: number, nowMs: number): boolean {
    return nowMs < (this.heldUntilMs.values[slot] as number);
  }

  /** Average time to the first byte, decayed to now; 0 when not measured. */
  latencyMs(slot: number, nowMs: number): number {
    return this.#latencyAt(slot, this.decay.inverseAt(nowMs));
  }

  /** Success rate 0..1, recovered until now. */
  successRatio(slot: number, nowMs: number): number {
    return 1 - (this.#failing.values[slot] as number) * this.decay.inverseAt(nowMs);
  }

  /** Time since the endpoint was last heard of; Infinity: never. */
  unheardMs(slot: number): number {
    return this.decay.elapsedMsSince(this.#priceScale.values[slot] as number);
  }

  waitingCount(slot: number): number {
    return this.#waiting.values[slot] as number;
  }

  close(): void {
    for (const column of [...this.#scaled(), ...this.#unscaled()]) this.#load.removeColumn(column);
  }

  /** A single quick answer says little: the average of an endpoint starts where those of the others are. */
  #firstAverage(rttMs: number): number {
    return this.#answerCount > 0 && rttMs < this.typicalPeakMs ? this.typicalPeakMs : rttMs;
  }

  #observeTypical(rttMs: number, averageMs: number): void {
    if (this.#answerCount < TYPICAL_WINDOW) this.#answerCount++;
    this.typicalMs += (rttMs - this.typicalMs) / this.#answerCount;
    this.typicalPeakMs += (averageMs - this.typicalPeakMs) / this.#answerCount;
  }

  #latencyAt(slot: number, inverse: number): number {
    const price = (this.price.values[slot] as number) * inverse;
    const fails = (this.#failing.values[slot] as number) > 0;
    return fails ? price * (this.#rateCube.values[slot] as number) : price;
  }

  /** Notes the success rate that goes into the price. @returns its cube */
  #setRate(slot: number, successRatio: number): number {
    const rateCube = successRatio * successRatio * successRatio;
    this.#rateCube.values[slot] = rateCube;
    return rateCube;
  }

  #scaled(): readonly Column[] {
    return [this.price, this.#priceScale, this.#failing];
  }

  #unscaled(): readonly Column[] {
    return [this.owingSinceMs, this.heldUntilMs, this.#waiting, this.#rateCube];
  }

  #rescale(factor: number): void {
    for (const { values } of this.#scaled()) {
      for (let slot = 0; slot < values.length; slot++) {
        values[slot] = (values[slot] as number) * factor;
      }
    }
  }
}
