import type { ClusterSnapshot, EndpointSnapshot } from '../../../cluster/face.ts';
import { createEndpoint } from '../../../model/endpoint.ts';
import { OUTCOME_NAMES, type OutcomeName } from '../../../model/outcome.ts';
import type { ClusterEvent, ClusterEventListener } from '../../events.ts';
import type { MeteredCluster } from '../cluster-meter.ts';

type Outcomes = Record<OutcomeName, number>;

/** Counts by outcome, the ones left out being 0. */
export function outcomesOf(counts: Partial<Outcomes> = {}): Outcomes {
  return { ...(Object.fromEntries(OUTCOME_NAMES.map((name) => [name, 0])) as Outcomes), ...counts };
}

export function endpointSnapshot(
  id: string,
  parts: Partial<EndpointSnapshot> = {},
): EndpointSnapshot {
  return {
    id,
    slot: 0,
    endpoint: createEndpoint({ address: '10.0.0.1:80', id }),
    state: 'healthy',
    eligible: true,
    reason: 'new',
    weight: 1,
    weightFactor: 1,
    activeCount: 0,
    startedCount: 0,
    outcomes: outcomesOf(),
    activeCheck: undefined,
    outlier: undefined,
    admission: undefined,
    ...parts,
  };
}

/** A cluster that says what a test tells it to say. */
export class ScriptedCluster implements MeteredCluster {
  readonly name: string;
  state: ClusterSnapshot;
  clockMs = 0;
  snapshotCount = 0;
  readonly #listeners = new Set<ClusterEventListener>();

  constructor(name: string, parts: Partial<ClusterSnapshot> = {}) {
    this.name = name;
    this.state = {
      name,
      policy: 'random',
      version: 1,
      ready: true,
      closed: false,
      panic: false,
      healthyCount: 0,
      eligibleCount: 0,
      endpoints: [],
      groups: [],
      subsetsLeftOutCount: 0,
      discovery: {
        kind: 'static',
        source: 'test',
        healthy: true,
        lastSuccessMs: 0,
        lastError: undefined,
        refreshCount: 1,
        errorCount: 0,
      },
      totals: { activeCount: 0, outcomes: outcomesOf() },
      policyStats: {},
      latency: { boundsMs: [10, 100], counts: [0, 0, 0], sumMs: 0, count: 0 },
      admission: undefined,
      ...parts,
    };
  }

  get listenerCount(): number {
    return this.#listeners.size;
  }

  nowMs(): number {
    return this.clockMs;
  }

  snapshot(): ClusterSnapshot {
    this.snapshotCount++;
    return this.state;
  }

  subscribe(listener: ClusterEventListener): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  emit(event: DistributiveOmit<ClusterEvent, 'cluster' | 'wallMs'>): void {
    for (const listener of this.#listeners)
      listener({ ...event, cluster: this.name, wallMs: 0 } as ClusterEvent);
  }

  set(parts: Partial<ClusterSnapshot>): void {
    this.state = { ...this.state, ...parts };
  }
}

type DistributiveOmit<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never;
