/** This library's side of the comparison: a cluster, with what it was told. */
import { type Cluster, createCluster, type Discovery, type ResolverStatus } from '@evenkeel/core';

export class Ours {
  /** Of the smallest set ever in force, from the first one on. */
  leastSize: number = Number.POSITIVE_INFINITY;
  readonly #cluster: Cluster;

  constructor(discovery: Discovery) {
    this.#cluster = createCluster({ name: 'users', discovery });
    this.#cluster.subscribe((event) => {
      if (event.type !== 'membership-changed') return;
      this.leastSize = Math.min(this.leastSize, event.totalCount);
    });
  }

  /** What requests may go to. */
  get ids(): readonly string[] {
    return this.#cluster
      .snapshot()
      .endpoints.filter(({ state }) => state !== 'draining')
      .map(({ id }) => id)
      .sort();
  }

  get status(): ResolverStatus {
    return this.#cluster.snapshot().discovery;
  }

  get healthy(): boolean {
    return this.status.healthy;
  }

  get lastError(): string | undefined {
    return this.status.lastError;
  }

  close(): Promise<void> {
    return this.#cluster.close();
  }
}

/** Longest wait for what is sure to come. */
const LIMIT_MS = 20_000;

/** Waits in real time for a condition. */
export async function until(condition: () => boolean, limitMs: number = LIMIT_MS): Promise<void> {
  const endMs = performance.now() + limitMs;
  while (!condition()) {
    if (performance.now() > endMs) {
      throw new Error(`did not happen within ${limitMs} ms: ${condition.toString()}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** How a test says what is to be done at its end, with its failure, too. */
export type OnFinished = (cleanup: () => Promise<void>) => void;
