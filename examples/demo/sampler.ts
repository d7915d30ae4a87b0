import type { Cluster, HealthState } from '@evenkeel/core';

/** The cluster at one moment of the run. */
export interface Sample {
  readonly atMs: number;
  /** Tries begun so far on each endpoint, retries included; endpoints that have left are missing. */
  readonly started: ReadonlyMap<string, number>;
  readonly states: ReadonlyMap<string, HealthState>;
  readonly active: ReadonlyMap<string, number>;
}

const INTERVAL_MS = 100;

/**
 * Notes regularly how many requests went where. It counts tries, not answers: an endpoint that fails fast gives no
 * answers, and what matters is how often it is still asked.
 */
export class Sampler {
  /** Oldest first. */
  samples: Sample[] = [];
  readonly #cluster: Cluster;
  readonly #nowMs: () => number;
  readonly #timer: NodeJS.Timeout;

  constructor(cluster: Cluster, nowMs: () => number) {
    this.#cluster = cluster;
    this.#nowMs = nowMs;
    this.#timer = setInterval(() => this.take(), INTERVAL_MS);
    this.take();
  }

  take(): void {
    const { endpoints } = this.#cluster.snapshot();
    this.samples.push({
      atMs: this.#nowMs(),
      started: new Map(endpoints.map(({ id, startedCount }) => [id, startedCount])),
      states: new Map(endpoints.map(({ id, state }) => [id, state])),
      active: new Map(endpoints.map(({ id, activeCount }) => [id, activeCount])),
    });
  }

  forgetBefore(atMs: number): void {
    this.samples = this.samples.filter((sample) => sample.atMs >= atMs);
  }

  close(): void {
    clearInterval(this.#timer);
  }
}

/** Tries per endpoint between two moments. */
export function triesBetween(
  samples: readonly Sample[],
  fromMs: number,
  toMs: number,
): Map<string, number> {
  const inside = samples.filter(({ atMs }) => atMs >= fromMs && atMs <= toMs);
  const tries = new Map<string, number>();
  for (const [index, sample] of inside.entries()) {
    const before = inside[index - 1];
    if (before === undefined) continue;
    for (const [id, started] of sample.started) {
      // An endpoint that was not there before, or came back with its count begun anew, has begun all of them since.
      const earlier = before.started.get(id) ?? 0;
      const since = started >= earlier ? started - earlier : started;
      tries.set(id, (tries.get(id) ?? 0) + since);
    }
  }
  return tries;
}

/** The part of all tries between two moments that went to one endpoint, 0..1. */
export function shareBetween(
  samples: readonly Sample[],
  id: string,
  span: readonly [number, number],
): number {
  const tries = triesBetween(samples, ...span);
  const total = sumOf(tries);
  return total === 0 ? 0 : (tries.get(id) ?? 0) / total;
}

/** All tries, whoever they went to. */
export function sumOf(tries: ReadonlyMap<string, number>): number {
  return [...tries.values()].reduce((sum, value) => sum + value, 0);
}
