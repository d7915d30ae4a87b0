/** The option `topology` of a cluster: what a user writes and what it means. `schema.ts` checks it. */
import type { EndpointSet } from '../model/endpoint-set.ts';
import type { HashKeySource } from '../model/hash-key-source.ts';
import type { Locality } from '../model/locality.ts';
import type { ApertureKind } from './aperture.ts';
import type { PeerCluster, PeerCount, PeersConfig } from './peers.ts';
import type { SlowStartConfig } from './slow-start.ts';
import type { Labels, SubsetFallback, SubsetSelector } from './subset.ts';

/** Which endpoints get which part of the traffic, before the policy chooses. Off unless written, but for priorities. */
export interface TopologyOptions {
  /** Where this client stands: `{ region: 'eu', zone: 'eu-a' }`, as the endpoints write it. */
  readonly locality?: LocalityOptions | undefined;
  /**
   * How much of a priority level, or of a zone with a weight, has to be healthy for all of its traffic: 1 / factor. 1..10,
   * default 1.4: with 72 % or more healthy nothing moves elsewhere.
   */
  readonly overprovisioningFactor?: number | undefined;
  /** The instances of this client, itself included: for zone-aware routing and a deterministic aperture. */
  readonly peers?: PeersOptions | undefined;
  /** Prefer the own zone as far as that keeps all endpoints evenly loaded. Needs `locality` and `peers`. */
  readonly zoneAware?: ZoneAwareOptions | undefined;
  /** Divide the traffic between zones by fixed weights. A zone that is not listed is a reserve. Not with `zoneAware`. */
  readonly localityWeights?: readonly LocalityWeight[] | undefined;
  /** Let requests choose endpoints by their metadata. */
  readonly subsets?: SubsetsOptions | undefined;
  /** Divide requests that name no subset: canary, A/B. */
  readonly split?: SplitConfig | undefined;
  /** Use a bounded part of a large cluster. */
  readonly aperture?: ApertureOptions | undefined;
  /** Let new endpoints, and those that come back, warm up. Without effect on hash policies. */
  readonly slowStart?: SlowStartOptions | undefined;
}

export type LocalityOptions = {
  readonly [Part in keyof Locality]?: Locality[Part] | undefined;
};

/** One of `counts`, `endpoints` and `cluster`. */
export interface PeersOptions {
  /** Clients by zone. */
  readonly counts?: readonly PeerCount[] | undefined;
  /** All clients. In code only. */
  readonly endpoints?: EndpointSet | undefined;
  /** A cluster whose endpoints are all clients; followed as it changes, and not closed with this one. In code only. */
  readonly cluster?: PeerCluster | undefined;
  /** Id of this client among them: a deterministic aperture asks for it. */
  readonly self?: string | undefined;
}

export interface ZoneAwareOptions {
  /** With fewer healthy endpoints than this zones play no part. 1..65,536, default 6. */
  readonly minEndpoints?: number | undefined;
}

/** A zone with its share of the traffic. A part left out matches any; the first match counts. */
export interface LocalityWeight {
  readonly region?: string | undefined;
  readonly zone?: string | undefined;
  /** Of each zone that matches, relative to the others. 0..1,000,000. */
  readonly weight: number;
}

export interface SubsetsOptions {
  /** Which labels a request may name together in `context.subset`. At most 32. */
  readonly selectors?: readonly SubsetSelectorOptions[] | undefined;
  /** For a request whose subset has nobody to offer, or that names other labels. Default `none`: it fails. */
  readonly fallback?: SubsetFallback | undefined;
  /** The subset of requests that name none. Default: everyone. */
  readonly default?: Labels | undefined;
}

export interface SubsetSelectorOptions {
  readonly keys: readonly string[];
  /** Default: `fallback` of the subsets. */
  readonly fallback?: SubsetFallback | undefined;
}

/** A division of the requests that name no subset. */
export interface SplitConfig {
  /** By name; 1 to 32. A side that has nobody to offer leaves its part to the others. */
  readonly sides: Readonly<Record<string, SplitSide>>;
  /**
   * Where clients find the key by which a request always goes to the same side, if the policy's options name none.
   * Default: nowhere, the caller passes `hashKey` per pick. Without a key the side is drawn.
   */
  readonly hashKey?: HashKeySource | undefined;
}

export interface SplitSide {
  /** Labels of its endpoints. Default: everyone. */
  readonly subset?: Labels | undefined;
  /** Part of the requests, relative to the other sides. 0..1,000,000. */
  readonly weight: number;
}

export interface ApertureOptions {
  /** Default `deterministic`. */
  readonly kind?: ApertureKind | undefined;
  /** Endpoints to use at least in each priority level, zone and subset. 12..65,536, default 12. */
  readonly size?: number | undefined;
  /** Number of this client among its peers, from 0, with `count`. Default: found among `peers` by their `self`. */
  readonly index?: number | undefined;
  readonly count?: number | undefined;
  /** Name of this client for `rendezvous`: it has the same endpoints again after a restart. Default: random. */
  readonly seed?: string | undefined;
}

export type SlowStartOptions = {
  readonly [Option in keyof SlowStartConfig]?: SlowStartConfig[Option] | undefined;
};

/** Checked options with the defaults filled in. Undefined: off. */
export interface TopologyConfig {
  readonly locality: Locality;
  readonly overprovisioningFactor: number;
  readonly peers?: PeersConfig | undefined;
  readonly zoneAware?: { readonly minEndpoints: number } | undefined;
  readonly localityWeights?: readonly LocalityWeight[] | undefined;
  readonly subsets?: SubsetsConfig | undefined;
  readonly split?: SplitConfig | undefined;
  readonly aperture?: ApertureConfig | undefined;
  readonly slowStart?: SlowStartConfig | undefined;
}

export interface SubsetsConfig {
  readonly selectors: readonly SubsetSelector[];
  readonly fallback: SubsetFallback;
  readonly default?: Labels | undefined;
}

export interface ApertureConfig {
  readonly kind: ApertureKind;
  readonly size: number;
  readonly index?: number | undefined;
  readonly count?: number | undefined;
  readonly seed?: string | undefined;
}
