/**
 * Zone-aware routing: a client sends to its own zone as much as that can take without its endpoints getting more than
 * those of other zones. What is too much goes where there is room (Envoy, "zone aware routing", the arithmetic of
 * `ZoneAwareLoadBalancerBase`).
 *
 * ```text
 * peers     share of all clients that stand in a zone          the load that comes up there
 * capacity  share of all healthy endpoints that stand in it    the load that it ought to take
 *
 * own capacity >= own peers    everything stays in the zone
 * otherwise                    own capacity / own peers of it stays; the rest goes to the zones with room,
 *                              in proportion to their room = max(0, capacity - peers)
 * ```
 *
 * All clients that reckon so load all healthy endpoints alike, and send as little as possible across zones.
 */
import { isPanic } from './panic.ts';
import { sharesOf } from './locality-weighted.ts';

/** As in Envoy (`min_cluster_size`): with fewer endpoints a zone is too small to even out its clients. */
export const DEFAULT_MIN_ENDPOINTS = 6;

/** The endpoints of one zone. */
export interface ZoneCapacity {
  readonly zone: string;
  /** Sum of the weights of the healthy ones. */
  readonly healthyWeight: number;
  readonly healthyCount: number;
  /** Those of which nothing bad is known. */
  readonly presumedHealthyCount: number;
  readonly candidateCount: number;
}

/** The clients that share the endpoints, this one included. */
export interface PeerZones {
  /** Number of clients by zone. */
  readonly counts: ReadonlyMap<string, number>;
  /** Are too few of them healthy for their distribution to mean anything? */
  readonly panic: boolean;
}

export interface ZoneAwareRule {
  /** Where this client stands. */
  readonly ownZone: string;
  readonly minEndpoints: number;
  readonly panicThresholdPercent: number;
}

/** How a level is divided between its zones. */
export type ZoneRouting =
  | {
      /** Zones play no part: any healthy endpoint. */
      readonly mode: 'off';
      readonly reason: string;
    }
  | {
      /** `local`: everything stays in the own zone. `residual`: a part goes to zones with room. */
      readonly mode: 'local' | 'residual';
      /** Share of each zone, in the order given; they add up to 1. */
      readonly shares: readonly number[];
      readonly reason: string;
    };

/**
 * Divides the healthy endpoints of a level that is not in panic.
 *
 * @param zones each once; with endpoints of which at least one may be unhealthy
 * @param peers undefined: not known
 */
export function zoneRouting(
  zones: readonly ZoneCapacity[],
  peers: PeerZones | undefined,
  rule: ZoneAwareRule,
): ZoneRouting {
  const off = reasonAgainst(zones, peers, rule);
  if (off !== undefined || peers === undefined) return { mode: 'off', reason: off ?? '' };
  const capacity = sharesOf(zones.map(({ healthyWeight }) => healthyWeight));
  const total = [...peers.counts.values()].reduce((sum, count) => sum + count, 0);
  const load = zones.map(({ zone }) => (peers.counts.get(zone) ?? 0) / total);
  const own = zones.findIndex(({ zone }) => zone === rule.ownZone);
  const ownCapacity = capacity[own] ?? 0;
  const ownLoad = load[own] ?? 0;
  const compared = `this zone has ${percent(ownCapacity)} of the endpoints and ${percent(ownLoad)} of the clients`;
  if (ownCapacity > 0 && ownCapacity >= ownLoad) {
    const shares = zones.map((_, index) => (index === own ? 1 : 0));
    return { mode: 'local', shares, reason: compared };
  }
  const stays = ownLoad > 0 ? ownCapacity / ownLoad : 0;
  const room = zones.map((_, index) =>
    index === own ? 0 : Math.max(0, (capacity[index] as number) - (load[index] as number)),
  );
  // Without room anywhere (clients that are not counted among their peers) the others take by what they have.
  const elsewhere = room.some((space) => space > 0)
    ? sharesOf(room)
    : sharesOf(capacity.map((share, index) => (index === own ? 0 : share)));
  const shares = zones.map((_, index) =>
    index === own ? stays : (1 - stays) * (elsewhere[index] as number),
  );
  const reason = ownCapacity > 0 ? compared : 'nobody is healthy in this zone';
  return { mode: 'residual', shares, reason };
}

/** Why zones play no part; undefined when they do. */
function reasonAgainst(
  zones: readonly ZoneCapacity[],
  peers: PeerZones | undefined,
  { ownZone, minEndpoints, panicThresholdPercent }: ZoneAwareRule,
): string | undefined {
  if (peers === undefined || sum(peers.counts.values()) === 0) return 'the peers are not known';
  if (peers.panic) return 'too few peers are healthy';
  if (zones.length < 2) return 'there is only one zone';
  const healthyCount = sum(zones.map((zone) => zone.healthyCount));
  if (healthyCount < minEndpoints) {
    return `${healthyCount} healthy endpoints, fewer than ${minEndpoints}`;
  }
  const own = zones.find(({ zone }) => zone === ownZone);
  if (own !== undefined && own.healthyCount > 0 && isZonePanic(own, panicThresholdPercent)) {
    return `panic in this zone: ${own.healthyCount} of ${own.candidateCount} healthy`;
  }
  return undefined;
}

/**
 * Panic of the own zone. Its last healthy endpoints are likely to fail next, so they are not preferred for being near;
 * they take their part of what comes from everywhere. Other zones in panic need no rule: what they have left is little.
 */
function isZonePanic(zone: ZoneCapacity, thresholdPercent: number): boolean {
  return isPanic(zone.presumedHealthyCount, zone.candidateCount, thresholdPercent);
}

function sum(values: Iterable<number>): number {
  let total = 0;
  for (const value of values) total += value;
  return total;
}

function percent(share: number): string {
  return `${Math.round(share * 1000) / 10} %`;
}
