/**
 * The peers of a client: the instances of its own service, itself included. Zone-aware routing asks how many of them
 * stand in each zone, a deterministic aperture which of them this one is.
 */
import type { Endpoint } from '../model/endpoint.ts';
import type { EndpointSet } from '../model/endpoint-set.ts';
import { createLocality, type Locality } from '../model/locality.ts';
import { zoneOf } from './zone.ts';
import type { PeerZones } from './zone-aware.ts';

/** Peers that come and go: a `Cluster` whose members are the peers is one. */
export interface PeerCluster {
  snapshot(): {
    readonly panic: boolean;
    readonly endpoints: readonly PeerEndpoint[];
  };
  /** Hears of every change. @returns a function that ends the subscription */
  subscribe(listener: (event: { readonly type: string }) => void): () => void;
}

/** One instance as the cluster of the peers sees it. */
export interface PeerEndpoint {
  readonly endpoint: Endpoint;
  readonly eligible: boolean;
}

/** How many clients stand in one zone. */
export interface PeerCount extends Partial<Pick<Locality, 'region' | 'zone'>> {
  readonly count: number;
}

/** Where the peers are known from; one of `counts`, `endpoints` and `cluster`. */
export interface PeersConfig {
  readonly counts?: readonly PeerCount[] | undefined;
  readonly endpoints?: EndpointSet | undefined;
  readonly cluster?: PeerCluster | undefined;
  /** The id of this client among `endpoints` or `cluster`. */
  readonly self?: string | undefined;
}

/** Which of the peers this client is. */
export interface PeerPosition {
  readonly index: number;
  readonly count: number;
}

/** Events after which the peers may be others than before. */
const CHANGES = new Set(['membership-changed', 'health-changed', 'panic-entered', 'panic-left']);

/** The peers as they are now. */
export class Peers {
  readonly #config: PeersConfig;
  readonly #unsubscribe: (() => void) | undefined;

  /** @param onChange called when they may have changed, not before the constructor has returned */
  constructor(config: PeersConfig, onChange: () => void) {
    this.#config = config;
    this.#unsubscribe = config.cluster?.subscribe(({ type }) => {
      if (CHANGES.has(type)) onChange();
    });
  }

  /** How many stand where. Only those count that can do their work. */
  zones(): PeerZones {
    const { counts, cluster } = this.#config;
    if (counts !== undefined) {
      const entries = counts.map((part): readonly [string, number] => [zoneIn(part), part.count]);
      return { counts: totals(entries), panic: false };
    }
    const entries = this.#endpoints().map(
      ({ locality }): readonly [string, number] => [zoneOf(locality), 1],
    );
    return { counts: totals(entries), panic: cluster?.snapshot().panic ?? false };
  }

  /**
   * Which of them this client is, in an order that all agree on; undefined when it is not, or not yet, among them.
   *
   * @param ownZone count only the peers in this zone: where zones are routed apart, the clients of each zone divide the
   *   endpoints of every zone evenly among themselves. Undefined: all of them
   */
  position(ownZone: string | undefined): PeerPosition | undefined {
    const { self } = this.#config;
    const ids = this.#endpoints()
      .filter(({ locality }) => ownZone === undefined || zoneOf(locality) === ownZone)
      .map(({ id }) => id)
      .sort();
    const index = self === undefined ? -1 : ids.indexOf(self);
    return index < 0 ? undefined : { index, count: ids.length };
  }

  /** Stops listening. Idempotent. */
  close(): void {
    this.#unsubscribe?.();
  }

  #endpoints(): readonly Endpoint[] {
    const { endpoints, cluster, self } = this.#config;
    if (endpoints !== undefined) return endpoints.endpoints;
    // This client is at work, whatever the others think of it.
    return (cluster?.snapshot().endpoints ?? [])
      .filter(({ endpoint, eligible }) => eligible || endpoint.id === self)
      .map(({ endpoint }) => endpoint);
  }
}

function zoneIn({ region, zone }: PeerCount): string {
  return zoneOf(createLocality({ region: region ?? '', zone: zone ?? '' }));
}

function totals(entries: readonly (readonly [string, number])[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const [zone, count] of entries) counts.set(zone, (counts.get(zone) ?? 0) + count);
  return counts;
}
