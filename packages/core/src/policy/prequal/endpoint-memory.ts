import { afterFailure } from '../../algorithm/peak-ewma-cost.ts';
import type { Column, LoadTable } from '../../model/load-table.ts';
import { DecayScale } from '../decay-scale.ts';

/** Failures of this age count 1/e. */
const DECAY_MS = 10_000;
/** What a success gives back of the missing success rate. */
const SUCCESS_GAIN = 0.1;
/** The failing share stops here: an endpoint that only fails is 1,000 times as bad as one that never does. */
const MAX_FAILING = 0.9;
/** A smaller failing share is none. */
const FORGOTTEN_FAILING = 0.002;
const FORGOTTEN_AFTER_MS = DECAY_MS * Math.log(MAX_FAILING / FORGOTTEN_FAILING);
/** Of an endpoint that asked to be left alone: it comes after everyone else. */
const HELD = 1e9;
/** Longest Retry-After that is honoured. */
const MAX_HOLD_MS = 300_000;

/**
 * What is remembered of each endpoint besides its latest answer: how requests of this client fared, whether it asked to
 * be left alone, and how fast it last said it was.
 *
 * An endpoint that fails at once has no queue and no latency, and answers probes like the best of all: what it did to
 * requests has to count beside what it says. It counts as a factor, 1 / success rate^3: at a rate of one half an endpoint
 * would have to be 8 times as fast, or have an eighth of the load, to be as good.
 */
export class EndpointMemory {
  /** Latency that the endpoint told, divided by the requests it had, in ms. 0: told none yet. */
  readonly unitMs: Column;
  readonly #load: LoadTable;
  readonly #decay: DecayScale;
  /** 1 - success rate. Scaled: it fades with time. */
  readonly #failing: Column;
  readonly #heldUntilMs: Column;
  /** From here on all endpoints are well: picks need not ask. */
  #wellFromMs = Number.NEGATIVE_INFINITY;

  constructor(load: LoadTable) {
    this.#load = load;
    this.unitMs = load.addColumn(0);
    this.#failing = load.addColumn(0);
    this.#heldUntilMs = load.addColumn(0);
    this.#decay = new DecayScale(DECAY_MS, (factor) => {
      const { values } = this.#failing;
      for (let slot = 0; slot < values.length; slot++)
        values[slot] = (values[slot] as number) * factor;
    });
  }

  /** May anyone be other than well? */
  concerns(nowMs: number): boolean {
    return nowMs < this.#wellFromMs;
  }

  /** 1 for an endpoint that is well, up to 1,000 for one that fails, more for one that asked to be left alone. */
  badness(slot: number, nowMs: number): number {
    if (!this.concerns(nowMs)) return 1;
    if (nowMs < (this.#heldUntilMs.values[slot] as number)) return HELD;
    return badnessOf((this.#failing.values[slot] as number) * this.#decay.inverseAt(nowMs));
  }

  /** Success rate 0..1, recovered until now. */
  successRatio(slot: number, nowMs: number): number {
    return 1 - (this.#failing.values[slot] as number) * this.#decay.inverseAt(nowMs);
  }

  /** How much longer the endpoint is to be left alone; 0: not at all. */
  heldMs(slot: number, nowMs: number): number {
    return Math.max(0, (this.#heldUntilMs.values[slot] as number) - nowMs);
  }

  observeSuccess(slot: number): void {
    const { values } = this.#failing;
    const failing = values[slot] as number;
    if (failing === 0) return;
    const left = failing * (1 - SUCCESS_GAIN);
    values[slot] = left * this.#decay.inverse > FORGOTTEN_FAILING ? left : 0;
  }

  observeFailure(slot: number, nowMs: number): void {
    this.#decay.advance(nowMs);
    const { values } = this.#failing;
    const successRatio = afterFailure(1 - (values[slot] as number) * this.#decay.inverse);
    values[slot] = Math.min(MAX_FAILING, 1 - successRatio) * this.#decay.scale;
    this.#concernUntil(nowMs + FORGOTTEN_AFTER_MS);
  }

  /** Leave the endpoint alone for a while. A hold that is already longer stays. */
  hold(slot: number, delayMs: number, nowMs: number): void {
    const untilMs = nowMs + Math.min(Math.max(0, delayMs), MAX_HOLD_MS);
    const { values } = this.#heldUntilMs;
    if (!(untilMs > (values[slot] as number))) return;
    values[slot] = untilMs;
    this.#concernUntil(untilMs);
  }

  close(): void {
    for (const column of [this.unitMs, this.#failing, this.#heldUntilMs])
      this.#load.removeColumn(column);
  }

  #concernUntil(untilMs: number): void {
    if (untilMs > this.#wellFromMs) this.#wellFromMs = untilMs;
  }
}

/** 1 / success rate^3, of a failing share of 0..1. */
export function badnessOf(failing: number): number {
  if (!(failing > FORGOTTEN_FAILING)) return 1;
  const successRatio = 1 - (failing < MAX_FAILING ? failing : MAX_FAILING);
  return 1 / (successRatio * successRatio * successRatio);
}
