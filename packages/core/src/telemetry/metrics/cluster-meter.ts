import type { Cluster, ClusterSnapshot, EndpointSnapshot } from '../../cluster/face.ts';
import type { CircuitState } from '../../model/circuit-state.ts';
import type { HealthState } from '../../model/health-state.ts';
import type { ClusterEvent } from '../events.ts';
import { SeriesPlaces } from './series-places.ts';

/** What metrics use of a cluster. */
export type MeteredCluster = Pick<Cluster, 'name' | 'nowMs' | 'snapshot' | 'subscribe'>;

/** A cluster at the moment of a scrape. */
export interface ClusterReading {
  readonly snapshot: ClusterSnapshot;
  readonly nowMs: number;
  readonly events: EventCounts;
  /** The endpoints that have series of their own. */
  readonly labelled: readonly EndpointSnapshot[];
  /** How many have none. */
  readonly unlabelledCount: number;
}

/** Ejections of one kind. */
export interface EjectionCount {
  readonly detector: string;
  readonly enforced: boolean;
  count: number;
}

/** Changes of circuits to one state. */
export interface CircuitChangeCount {
  readonly scope: CircuitScope;
  readonly state: CircuitState;
  count: number;
}

/** Whose circuit it is. */
export type CircuitScope = 'cluster' | 'endpoint';

/** Events since the metrics were created. */
export interface EventCounts {
  panicCount: number;
  addedCount: number;
  updatedCount: number;
  removedCount: number;
  readonly healthChanges: Map<HealthState, number>;
  readonly ejections: Map<string, EjectionCount>;
  readonly circuitChanges: Map<string, CircuitChangeCount>;
}

/**
 * One cluster as metrics see it. Requests cost it nothing: their counts are in the cluster anyway and are read when
 * somebody scrapes. Only events are counted as they come, and those are rare.
 */
export class ClusterMeter {
  readonly cluster: MeteredCluster;
  readonly #places: SeriesPlaces;
  readonly #events: EventCounts = {
    panicCount: 0,
    addedCount: 0,
    updatedCount: 0,
    removedCount: 0,
    healthChanges: new Map(),
    ejections: new Map(),
    circuitChanges: new Map(),
  };
  readonly #unsubscribe: () => void;

  constructor(cluster: MeteredCluster, maxLabelledEndpoints: number) {
    this.cluster = cluster;
    this.#places = new SeriesPlaces(maxLabelledEndpoints);
    this.#unsubscribe = cluster.subscribe((event) => this.#count(event));
  }

  read(): ClusterReading {
    const snapshot = this.cluster.snapshot();
    const labelled = this.#places.choose(snapshot.endpoints);
    return {
      snapshot,
      nowMs: this.cluster.nowMs(),
      events: this.#events,
      labelled,
      unlabelledCount: snapshot.endpoints.length - labelled.length,
    };
  }

  /** Stops listening. Idempotent. */
  close(): void {
    this.#unsubscribe();
  }

  #count(event: ClusterEvent): void {
    const counts = this.#events;
    switch (event.type) {
      case 'panic-entered':
        counts.panicCount++;
        break;
      case 'membership-changed':
        counts.addedCount += event.addedCount;
        counts.updatedCount += event.updatedCount;
        counts.removedCount += event.removedCount;
        break;
      case 'health-changed':
        counts.healthChanges.set(event.to, (counts.healthChanges.get(event.to) ?? 0) + 1);
        break;
      case 'endpoint-ejected':
      case 'ejection-skipped':
        this.#countEjection(event.detector, event.type === 'endpoint-ejected');
        break;
      case 'circuit-changed':
        this.#countCircuit(event.endpoint === undefined ? 'cluster' : 'endpoint', event.to);
        break;
      case 'endpoint-added':
      case 'endpoint-updated':
      case 'endpoint-draining':
      case 'endpoint-removed':
      case 'panic-left':
      case 'discovery-error':
        // Told by other counts: of membership changes, of panics, of the resolver.
        break;
    }
  }

  #countCircuit(scope: CircuitScope, state: CircuitState): void {
    const key = `${scope} ${state}`;
    const known = this.#events.circuitChanges.get(key);
    if (known === undefined) this.#events.circuitChanges.set(key, { scope, state, count: 1 });
    else known.count++;
  }

  #countEjection(detector: string, enforced: boolean): void {
    const key = `${detector} ${enforced}`;
    const known = this.#events.ejections.get(key);
    if (known === undefined) this.#events.ejections.set(key, { detector, enforced, count: 1 });
    else known.count++;
  }
}
