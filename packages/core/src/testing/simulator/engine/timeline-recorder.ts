import type { Timeline } from '../result.ts';

/** Steps that a timeline aims at: as many as a plot can show. */
const STEPS = 120;

/**
 * Latencies per step are counted in bins whose bounds grow by 5 %, from 0.01 ms on: a quantile read from them is off by
 * at most half a bin. 340 bins reach beyond 2 minutes, and what is longer counts into the last.
 */
const LEAST_MS = 0.01;
const GROWTH = Math.log(1.05);
const BIN_COUNT = 340;

/** Takes down how a run goes on. */
export class TimelineRecorder {
  readonly #stepMs: number;
  readonly #stepCount: number;
  readonly #arrived: Int32Array;
  readonly #ended: Int32Array;
  readonly #failed: Int32Array;
  /** `bins[step * BIN_COUNT + bin]` */
  readonly #bins: Int32Array;
  /** `attempts[server * stepCount + step]` */
  readonly #attempts: Int32Array;
  readonly #serverCount: number;

  constructor(endMs: number, serverCount: number) {
    this.#stepMs = roundStep(endMs / STEPS);
    this.#stepCount = Math.ceil(endMs / this.#stepMs);
    this.#arrived = new Int32Array(this.#stepCount);
    this.#ended = new Int32Array(this.#stepCount);
    this.#failed = new Int32Array(this.#stepCount);
    this.#bins = new Int32Array(this.#stepCount * BIN_COUNT);
    this.#attempts = new Int32Array(this.#stepCount * serverCount);
    this.#serverCount = serverCount;
  }

  arrived(nowMs: number): void {
    const step = this.#step(nowMs);
    this.#arrived[step] = (this.#arrived[step] as number) + 1;
  }

  sent(server: number, nowMs: number): void {
    const at = server * this.#stepCount + this.#step(nowMs);
    this.#attempts[at] = (this.#attempts[at] as number) + 1;
  }

  ended(nowMs: number, latencyMs: number, failed: boolean): void {
    // What ends after the run is none of its steps.
    const step = Math.floor(nowMs / this.#stepMs);
    if (step >= this.#stepCount) return;
    this.#ended[step] = (this.#ended[step] as number) + 1;
    if (failed) this.#failed[step] = (this.#failed[step] as number) + 1;
    const at = step * BIN_COUNT + binOf(latencyMs);
    this.#bins[at] = (this.#bins[at] as number) + 1;
  }

  read(): Timeline {
    const steps = Array.from({ length: this.#stepCount }, (_, step) => step);
    const perSecond = 1_000 / this.#stepMs;
    return {
      stepMs: this.#stepMs,
      offeredPerSecond: steps.map((step) => (this.#arrived[step] as number) * perSecond),
      goodPerSecond: steps.map(
        (step) => ((this.#ended[step] as number) - (this.#failed[step] as number)) * perSecond,
      ),
      errorPercent: steps.map((step) =>
        this.#ended[step] === 0
          ? 0
          : ((this.#failed[step] as number) / (this.#ended[step] as number)) * 100,
      ),
      p50Ms: steps.map((step) => this.#quantile(step, 0.5)),
      p99Ms: steps.map((step) => this.#quantile(step, 0.99)),
      attempts: Array.from({ length: this.#serverCount }, (_, server) =>
        Array.from(
          this.#attempts.subarray(server * this.#stepCount, (server + 1) * this.#stepCount),
        ),
      ),
    };
  }

  #quantile(step: number, share: number): number {
    let left = Math.ceil((this.#ended[step] as number) * share);
    if (left === 0) return Number.NaN;
    for (let bin = 0; bin < BIN_COUNT; bin++) {
      left -= this.#bins[step * BIN_COUNT + bin] as number;
      if (left <= 0) return LEAST_MS * Math.exp((bin + 0.5) * GROWTH);
    }
    return Number.NaN;
  }

  #step(nowMs: number): number {
    return Math.min(this.#stepCount - 1, Math.floor(nowMs / this.#stepMs));
  }
}

function binOf(latencyMs: number): number {
  if (latencyMs <= LEAST_MS) return 0;
  return Math.min(BIN_COUNT - 1, Math.floor(Math.log(latencyMs / LEAST_MS) / GROWTH));
}

/** The next of 1, 2, 5, 10, 20, 50 ... ms. */
function roundStep(atLeastMs: number): number {
  const power = 10 ** Math.floor(Math.log10(atLeastMs));
  const step = [1, 2, 5].find((digit) => digit * power >= atLeastMs * 0.999);
  return step === undefined ? 10 * power : step * power;
}
