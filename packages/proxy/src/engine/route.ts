/** Where requests go, as the engine sees it: routes are found by `route/`, and chosen from here. */
import type { Cluster, HashKeyRequest, PickContext } from '@evenkeel/core';
import type { RetryPolicy } from '@evenkeel/core/resilience';
import type { ClientCertificate, Filter } from '../filter/filter.ts';
import type { RouteMeter } from '../observability/route-meter.ts';
import type { LocalAnswer } from './local-answer.ts';
import type { RouteFeatures } from './route-features.ts';
import type { UpstreamPools } from './upstream-pools.ts';

/** A cluster as requests reach it. */
export interface Upstream {
  readonly cluster: Cluster;
  readonly pools: UpstreamPools;
}

/**
 * A request as routes see it. Every text is made when it is asked for, so that routes that do not ask cost nothing; good
 * until the call that it is handed to returns.
 */
export interface RouteRequest extends HashKeyRequest {
  readonly method: string;
  /** As the client wrote it, port included; '' when it named none. */
  readonly host: string;
  /** The query with its `?`, or ''. */
  readonly search: string;
  readonly minor: 0 | 1;
  /** `HTTP/1.1`, `HTTP/2`: what the client speaks. Left out by those who show a request that is not at hand. */
  readonly protocol?: string | undefined;
  /** Of the client, verified; undefined where there is none. */
  readonly certificate: ClientCertificate | undefined;
}

/** A cluster, or a part of it, with what a route says about its requests. */
export interface Target {
  readonly kind: 'target';
  readonly upstream: Upstream;
  readonly retry: RetryPolicy;
  /** What its picks ask for; the affinity key is added where the cluster wants one. */
  readonly context: PickContext;
  /** For a whole request, in milliseconds; `Infinity` for no limit. */
  readonly requestMs: number;
  readonly meter: RouteMeter;
  /** Undefined for none. */
  readonly features: RouteFeatures | undefined;
}

/** An answer of the proxy's own. */
export interface LocalTarget {
  readonly kind: 'local';
  readonly answer: LocalAnswer;
  readonly meter: RouteMeter;
}

/** What all routes have, whatever they do with their requests. */
export interface RouteTraits {
  readonly name: string;
  readonly rewrite: Rewrite | undefined;
  /** In the order in which requests meet them; undefined for none. */
  readonly filters: readonly Filter[] | undefined;
  /** Largest body of a request in bytes, framing not counted; `Infinity` for no limit. */
  readonly maxBodyBytes: number;
  /** Of requests that are answered before a cluster is chosen; undefined where that cannot be. */
  readonly meter: RouteMeter | undefined;
}

/** What becomes of requests of one kind. */
export interface Route extends RouteTraits {
  /** May differ from request to request. Does not throw, but for a function of the user's that does. */
  choose(request: RouteRequest): Target | LocalTarget;
}

/** What is written anew in the head of a request. */
export interface Rewrite {
  /** Bytes of the path to take away. */
  readonly cutBytes: number;
  /** What stands there instead. */
  readonly prefix: Uint8Array;
  /** A whole `host` line, or undefined for what the client sent. */
  readonly hostLine: Uint8Array | undefined;
}

export interface RouteTable {
  find(request: RouteRequest): Route | undefined;
}
