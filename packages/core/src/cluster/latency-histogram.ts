import type { LatencySnapshot } from './face.ts';

/**
 * Upper bounds in milliseconds: the advised buckets of OpenTelemetry's `http.client.request.duration` plus three below
 * 5 ms, where services on one network live.
 */
const BOUNDS_MS: readonly number[] = Object.freeze([
  0.5, 1, 2.5, 5, 10, 25, 50, 75, 100, 250, 500, 750, 1_000, 2_500, 5_000, 7_500, 10_000,
]);

/** Counts times to the first byte. Recording allocates nothing; reading happens when metrics are scraped. */
export class LatencyHistogram {
  readonly #counts = new Float64Array(BOUNDS_MS.length + 1);
  #sumMs = 0;

  record(latencyMs: number): void {
    let bucket = 0;
    // Most requests end in the low buckets, so a walk from below beats a binary search.
    while (bucket < BOUNDS_MS.length && latencyMs > (BOUNDS_MS[bucket] as number)) bucket++;
    this.#counts[bucket] = (this.#counts[bucket] as number) + 1;
    this.#sumMs += latencyMs;
  }

  read(): LatencySnapshot {
    const counts = [...this.#counts];
    return {
      boundsMs: BOUNDS_MS,
      counts,
      sumMs: this.#sumMs,
      count: counts.reduce((sum, count) => sum + count, 0),
    };
  }
}
