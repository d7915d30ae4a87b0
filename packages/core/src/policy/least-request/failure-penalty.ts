import type { Column, LoadTable } from '../../model/load-table.ts';
import { Outcome } from '../../model/outcome.ts';
import { DecayScale } from '../decay-scale.ts';

/** How fast failures are forgotten: the time constant of peak EWMA, for the same reason. */
const DECAY_MS = 10_000;

/** Most that failures add up to: an endpoint that did nothing but fail is looked at again after 70 s at the latest. */
const MAX_PENALTY = 500;

/** What a success takes off the penalty for connections that failed: after four it is a quarter. */
const RELIEF_RATIO = 0.3;

/**
 * Requests that failed go on counting as in flight for a while. Without that, an endpoint that fails in a millisecond is
 * always idle and draws up to twice its share; with it, it is as busy as the others after a few failures.
 *
 * The penalty of an endpoint fades with a time constant of 10 s and is rounded to whole requests, so that it ends.
 * Whether a success may end it earlier depends on what the failure said:
 *
 * | failure | said | a success |
 * |---|---|---|
 * | connectFailure, reset | nobody is there | proves the contrary: takes off 30 % of this part |
 * | timeout | slow, or silent | may be one of the quicker requests of a slow endpoint: changes nothing |
 * | an error as the answer | fails some, or all | may be one of those that it does not fail: changes nothing |
 *
 * Without the first row a zone that comes back had 40 % of its share for 12 s, because few requests are in flight on
 * any endpoint and a penalty of 1 is then a lot; if all rows were like it, slow and flapping endpoints would get more.
 */
export class FailurePenalty {
  /** No endpoint has a penalty from here on: picks need not ask. */
  endsMs: number = Number.NEGATIVE_INFINITY;
  readonly #perFailure: number;
  readonly #load: LoadTable;
  readonly #decay: DecayScale;
  /** Scaled. */
  readonly #penalty: Column;
  /** The part of it that is for failed connections. Scaled. */
  readonly #absence: Column;

  /** @param perFailure requests that a failure counts as; 0: none */
  constructor(load: LoadTable, perFailure: number) {
    this.#perFailure = perFailure;
    this.#load = load;
    this.#penalty = load.addColumn(0);
    this.#absence = load.addColumn(0);
    this.#decay = new DecayScale(DECAY_MS, (factor) => {
      for (const { values } of [this.#penalty, this.#absence]) {
        for (let slot = 0; slot < values.length; slot++)
          values[slot] = (values[slot] as number) * factor;
      }
    });
  }

  /** A request failed. */
  add(slot: number, outcome: Outcome, nowMs: number): void {
    if (this.#perFailure === 0) return;
    this.#decay.advance(nowMs);
    const { scale, inverse } = this.#decay;
    const { values } = this.#penalty;
    const faded = (values[slot] as number) * inverse;
    const penalty = Math.min(MAX_PENALTY, faded + this.#perFailure);
    values[slot] = penalty * scale;
    if (outcome === Outcome.connectFailure || outcome === Outcome.reset) {
      const absence = this.#absence.values;
      absence[slot] = (absence[slot] as number) + (penalty - faded) * scale;
    }
    // It rounds to 0 once it is below 1/2.
    const endsMs = nowMs + DECAY_MS * Math.log(2 * penalty);
    if (endsMs > this.endsMs) this.endsMs = endsMs;
  }

  /** A request ended well. */
  relieve(slot: number, nowMs: number): void {
    if (nowMs >= this.endsMs) return;
    const absence = this.#absence.values;
    const relief = (absence[slot] as number) * RELIEF_RATIO;
    if (relief === 0) return;
    absence[slot] = (absence[slot] as number) - relief;
    this.#penalty.values[slot] = Math.max(0, (this.#penalty.values[slot] as number) - relief);
  }

  /** Whole requests to add to those in flight. */
  of(slot: number, nowMs: number): number {
    if (nowMs >= this.endsMs) return 0;
    return Math.round((this.#penalty.values[slot] as number) * this.#decay.inverseAt(nowMs));
  }

  close(): void {
    this.#load.removeColumn(this.#penalty);
    this.#load.removeColumn(this.#absence);
  }
}
