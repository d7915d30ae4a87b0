import type { Column, LoadTable } from '../../model/load-table.ts';
import { DecayScale } from '../decay-scale.ts';

/** How fast failures are forgotten: the time constant of peak EWMA, for the same reason. */
const DECAY_MS = 10_000;

/** Most that failures add up to: an endpoint that did nothing but fail is looked at again after 70 s at the latest. */
const MAX_PENALTY = 500;

/**
 * Requests that failed go on counting as in flight for a while. Without that, an endpoint that fails in a millisecond is
 * always idle and draws up to twice its share; with it, it is as busy as the others after a few failures.
 *
 * The penalty of an endpoint fades with a time constant of 10 s and is rounded to whole requests, so that it ends.
 */
export class FailurePenalty {
  /** No endpoint has a penalty from here on: picks need not ask. */
  endsMs: number = Number.NEGATIVE_INFINITY;
  readonly #perFailure: number;
  readonly #load: LoadTable;
  readonly #decay: DecayScale;
  /** Scaled. */
  readonly #penalty: Column;

  /** @param perFailure requests that a failure counts as; 0: none */
  constructor(load: LoadTable, perFailure: number) {
    this.#perFailure = perFailure;
    this.#load = load;
    this.#penalty = load.addColumn(0);
    this.#decay = new DecayScale(DECAY_MS, (factor) => {
      const { values } = this.#penalty;
      for (let slot = 0; slot < values.length; slot++)
        values[slot] = (values[slot] as number) * factor;
    });
  }

  /** A request failed. */
  add(slot: number, nowMs: number): void {
    if (this.#perFailure === 0) return;
    this.#decay.advance(nowMs);
    const { values } = this.#penalty;
    const faded = (values[slot] as number) * this.#decay.inverse;
    const penalty = Math.min(MAX_PENALTY, faded + this.#perFailure);
    values[slot] = penalty * this.#decay.scale;
    // It rounds to 0 once it is below 1/2.
    const endsMs = nowMs + DECAY_MS * Math.log(2 * penalty);
    if (endsMs > this.endsMs) this.endsMs = endsMs;
  }

  /** Whole requests to add to those in flight. */
  of(slot: number, nowMs: number): number {
    if (nowMs >= this.endsMs) return 0;
    return Math.round((this.#penalty.values[slot] as number) * this.#decay.inverseAt(nowMs));
  }

  close(): void {
    this.#load.removeColumn(this.#penalty);
  }
}
