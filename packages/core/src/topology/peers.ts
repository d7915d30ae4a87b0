/**
 * The peers of a client: the instances of its own service, itself included. Zone-aware routing asks how many of them
 * stand in each zone, a deterministic aperture which of them this one is.
 */
import type { Endpoint } from '../model/endpoint.ts';
import type { EndpointSet } from '../model/endpoint-set.ts';
import type { HealthState } from '../model/health-state.ts';
import { createLocality } from '../model/locality.ts';
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
  readonly state: HealthState;
}

/** How many clients stand in one zone. */
export interface PeerCount {
  readonly region?: string | undefined;
  readonly zone?: string | undefined;
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
  /** Kept until something changes: publications are more frequent, and a snapshot of many peers takes a while. */
  #zones: PeerZones | undefined;

  /** @param onChange called when they may have changed, not before the constructor has returned */
  constructor(config: PeersConfig, onChange: () => void) {
    this.#config = config;
    this.#unsubscribe = config.cluster?.subscribe(({ type }) => {
      if (!CHANGES.has(type)) return;
      this.#zones = undefined;
      onChange();
    });
  }

  /** How many stand where. Only those count that can do their work. */
  zones(): PeerZones {
    this.#zones ??= this.#countZones();
    return this.#zones;
  }

  /**
   * Which of them this client is, in an order that all agree on; undefined when it is not, or not yet, among them.
   * Health plays no part: two clients may see it differently, and would then divide the endpoints differently.
   *
   * @param ownZone count only the peers in this zone: where zones are routed apart, the clients of each zone divide the
   *   endpoints of every zone evenly among themselves. Undefined: all of them
   */
  position(ownZone: string | undefined): PeerPosition | undefined {
    const { endpoints, cluster, self } = this.#config;
    const listed =
      endpoints?.endpoints ??
      (cluster?.snapshot().endpoints ?? [])
        .filter(({ state }) => state !== 'draining')
        .map(({ endpoint }) => endpoint);
    const ids = listed
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

  #countZones(): PeerZones {
    const { counts, endpoints, cluster, self } = this.#config;
    if (counts !== undefined) {
      return zonesOf(counts.map((part): ZoneCount => [zoneIn(part), part.count]));
    }
    if (endpoints !== undefined) return zonesOf(endpoints.endpoints.map(oneIn));
    const snapshot = cluster?.snapshot();
    const working = (snapshot?.endpoints ?? []).filter(
      // This client is at work, whatever the others think of it.
      ({ endpoint, state }) => WORKING.has(state) || endpoint.id === self,
    );
    return zonesOf(
      working.map(({ endpoint }) => oneIn(endpoint)),
      snapshot?.panic,
    );
  }
}

type ZoneCount = readonly [zone: string, count: number];

const WORKING: ReadonlySet<HealthState> = new Set(['healthy', 'degraded']);

function zoneIn({ region, zone }: PeerCount): string {
  return zoneOf(createLocality({ region: region ?? '', zone: zone ?? '' }));
}

function oneIn({ locality }: Endpoint): ZoneCount {
  return [zoneOf(locality), 1];
}

function zonesOf(parts: readonly ZoneCount[], panic = false): PeerZones {
  const counts = new Map<string, number>();
  for (const [zone, count] of parts) counts.set(zone, (counts.get(zone) ?? 0) + count);
  return { counts, panic };
}
