import type { Cluster } from '../cluster/face.ts';
import { NO_SLOT } from '../model/pick-context.ts';
import type { AffinityTokens } from './affinity-token.ts';

/** What the index follows. */
export type IndexedCluster = Pick<Cluster, 'snapshot' | 'subscribe' | 'endpoint'>;

/**
 * Finds the slot of an endpoint by its name in tokens. The names are hashes, so they are worked out ahead: for each
 * secret when its first token arrives, then as endpoints come and go. Draining endpoints stay until they are removed.
 */
export class EndpointIndex {
  readonly #cluster: IndexedCluster;
  readonly #tokens: AffinityTokens;
  /** Endpoint id to slot. */
  readonly #slots = new Map<string, number>();
  /** For each secret in use: name to endpoint id. */
  readonly #ids: (Map<string, string> | undefined)[] = [];
  readonly #unsubscribe: () => void;

  constructor(cluster: IndexedCluster, tokens: AffinityTokens) {
    this.#cluster = cluster;
    this.#tokens = tokens;
    // First the events, then the state: nothing that happens between the two is missed.
    this.#unsubscribe = cluster.subscribe((event) => {
      if (event.type === 'endpoint-added') this.#add(event.endpoint.id, event.slot);
      else if (event.type === 'endpoint-removed') this.#remove(event.endpoint.id);
    });
    for (const { id, slot } of cluster.snapshot().endpoints) this.#add(id, slot);
  }

  /** @returns `NO_SLOT` when no such endpoint is left */
  slotOf(name: string, secretIndex: number): number {
    const id = this.#namesUnder(secretIndex).get(name);
    const slot = id === undefined ? undefined : this.#slots.get(id);
    // The cluster has the last word on whose a slot is.
    return slot !== undefined && this.#cluster.endpoint(slot)?.id === id ? slot : NO_SLOT;
  }

  /** Idempotent. */
  close(): void {
    this.#unsubscribe();
    this.#slots.clear();
    this.#ids.length = 0;
  }

  #namesUnder(secretIndex: number): Map<string, string> {
    let names = this.#ids[secretIndex];
    if (names === undefined) {
      names = new Map();
      for (const id of this.#slots.keys())
        names.set(this.#tokens.endpointName(id, secretIndex), id);
      this.#ids[secretIndex] = names;
    }
    return names;
  }

  #add(id: string, slot: number): void {
    this.#slots.set(id, slot);
    this.#ids.forEach((names, index) => names?.set(this.#tokens.endpointName(id, index), id));
  }

  #remove(id: string): void {
    this.#slots.delete(id);
    this.#ids.forEach((names, index) => names?.delete(this.#tokens.endpointName(id, index)));
  }
}
