/** What may differ from cluster to cluster: what a user writes, and what the code works with after checking. */
import type { ConnectionOptions } from 'node:tls';
import type { Dispatcher } from 'undici';
import { z } from 'zod';
import type { CookieAffinity } from '../../affinity/cookie-affinity.ts';
import type { Cluster } from '../../cluster/face.ts';
import { configError } from '../../error/config-error.ts';
import type { Admission } from '../../resilience/admission.ts';
import {
  type DeadlineConfig,
  type DeadlineOptions,
  deadlineSchema,
  MAX_TIMEOUT_MS,
} from '../../resilience/deadline-config.ts';
import { type HedgeConfig, type HedgeOptions, hedgeSchema } from '../../resilience/hedge-config.ts';
import type { CriticalityName } from '../../resilience/load-shedder.ts';
import {
  type RetryConfig,
  type RetryPolicyOptions,
  retrySchema,
} from '../../resilience/retry-config.ts';
import { decode } from '../../schema/decode.ts';
import { durationMs, integer, oneOf, text } from '../../schema/fields.ts';
import type { Fallback } from './fallback.ts';

/** How to talk TLS to endpoints; the words of `tls.connect`. */
export type DispatcherTls = Pick<
  ConnectionOptions,
  | 'ca'
  | 'cert'
  | 'key'
  | 'pfx'
  | 'passphrase'
  | 'ciphers'
  | 'minVersion'
  | 'maxVersion'
  | 'rejectUnauthorized'
  | 'checkServerIdentity'
>;

/** What differs from cluster to cluster. What a route does not say, the dispatcher says; whole options, not parts. */
export interface RouteOptions {
  /**
   * What endpoints see as `host`. `cluster`: the name in the URL, whichever endpoint it is. `endpoint`: the endpoint's
   * own host name (or address) and port. A `host` header in the request goes before both. Default `cluster`.
   */
  readonly hostHeader?: 'cluster' | 'endpoint' | undefined;
  /**
   * Name that endpoints must prove with their TLS certificate. Default: the endpoint's `hostname`, else its address if
   * that is a host name, else the name in the URL.
   */
  readonly servername?: string | undefined;
  readonly tls?: DispatcherTls | undefined;
  /** Short for `deadline: { totalMs }`; not together with it. */
  readonly deadlineMs?: number | undefined;
  /**
   * Time for a request from `dispatch()` to the end of the response body, all tries and waiting included, until the switch
   * of protocols for upgrades; and what is told to endpoints about it. Default: no limit but what the caller's header
   * says, because a long download is no failure.
   */
  readonly deadline?: DeadlineOptions | undefined;
  /** Further tries on other endpoints, or false for none. The budget is the cluster's, hedges included. */
  readonly retry?: RetryPolicyOptions | false | undefined;
  /** A second try when the first is late, of idempotent requests with a body that can be sent again. Default false. */
  readonly hedge?: HedgeOptions | false | undefined;
  /**
   * Responses of up to so many bytes to requests that may be repeated are held back until they are complete, so that one
   * that breaks off midway is retried, too. 0..16 MiB. Default 0: every byte is passed on as it comes. Event streams and
   * gRPC are never held back.
   */
  readonly holdResponseBytes?: number | undefined;
  /** How much a request matters to load shedding. Default `normal`. */
  readonly criticalityOf?: CriticalityOf | undefined;
  /**
   * Labels that its endpoint has to carry: a subset that the cluster knows by `topology.subsets`. Undefined: any endpoint,
   * or a side of the split. Default: no request asks.
   */
  readonly subsetOf?: SubsetOf | undefined;
  /** What to answer when a request was refused or all tries failed. Default: the error. */
  readonly fallback?: Fallback | undefined;
}

export type CriticalityOf = (request: Dispatcher.DispatchOptions) => CriticalityName;

export type SubsetOf = (
  request: Dispatcher.DispatchOptions,
) => Readonly<Record<string, string>> | undefined;

/** What a dispatcher needs of a cluster. */
export type DispatchableCluster = Pick<
  Cluster,
  | 'name'
  | 'hashKeySource'
  | 'ready'
  | 'pick'
  | 'pickFailure'
  | 'start'
  | 'respond'
  | 'finish'
  | 'pushback'
  | 'usesLoadReports'
  | 'report'
  | 'endpoint'
  | 'nowMs'
  | 'subscribe'
> & {
  /** Who may go in. Undefined: everybody, at no cost. */
  readonly admission?: Admission | undefined;
  /** For `explain()` of the dispatcher; without it nothing is said about the choice of the endpoint. */
  readonly explain?: Cluster['explain'] | undefined;
};

/** Where an affinity cookie leads; of `createCookieAffinity`. */
export type RouteAffinity = Pick<CookieAffinity, 'read' | 'pick' | 'setCookie'> &
  Partial<Pick<CookieAffinity, 'explain' | 'stats'>>;

/** A cluster under host names of its own. */
export interface ClusterRoute extends RouteOptions {
  readonly cluster: DispatchableCluster;
  /**
   * Host names that lead to the cluster, in any case, each with or without a port (`users`, `users:9090`). A name
   * without port stands for all ports that no other entry names. Default: the cluster's name.
   */
  readonly hosts?: readonly string[] | undefined;
  /**
   * Keeps clients with their endpoints by a signed cookie: reads it in the request's `cookie` header, and adds `set-cookie`
   * to the response when a new one is due. Made with `createCookieAffinity(cluster, ...)`, and closed by who made it.
   */
  readonly affinity?: RouteAffinity | undefined;
}

/** A cluster with everything that was said about it. */
export interface RouteConfig {
  readonly cluster: DispatchableCluster;
  readonly hosts: readonly string[];
  readonly hostHeader: 'cluster' | 'endpoint';
  readonly servername: string | undefined;
  readonly tls: DispatcherTls | undefined;
  readonly deadline: DeadlineConfig;
  readonly retry: RetryConfig;
  readonly hedge: HedgeConfig | undefined;
  readonly holdResponseBytes: number;
  readonly criticalityOf: CriticalityOf | undefined;
  readonly subsetOf: SubsetOf | undefined;
  readonly fallback: Fallback | undefined;
  readonly affinity: RouteAffinity | undefined;
}

const anything = z.unknown().optional();

function callback(what: string): z.ZodOptional<z.ZodCustom<unknown>> {
  return z.custom((value) => typeof value === 'function', { error: what }).optional();
}

type RouteField = keyof RouteOptions;

/** For schemas of objects that have the options of routes among others. */
export const routeFields: Readonly<Record<RouteField, z.ZodType>> = {
  hostHeader: oneOf(['cluster', 'endpoint']).optional(),
  servername: text(253).optional(),
  tls: anything,
  deadlineMs: durationMs({ min: 1, max: MAX_TIMEOUT_MS }).optional(),
  deadline: deadlineSchema.optional(),
  retry: z.union([z.literal(false), retrySchema]).optional(),
  hedge: z.union([z.literal(false), hedgeSchema]).optional(),
  holdResponseBytes: integer({ min: 0, max: 16_777_216 }).optional(),
  criticalityOf: callback('a function from requests to critical, high, normal or low'),
  subsetOf: callback('a function from requests to labels'),
  fallback: callback('a function from errors and requests to answers'),
};

/** Joins a route with what the dispatcher says of all. @throws ConfigError */
export function routeConfig(
  route: ClusterRoute,
  defaults: RouteOptions,
  path: string,
): RouteConfig {
  const { cluster } = route;
  const retry = route.retry ?? defaults.retry ?? {};
  const hedge = route.hedge ?? defaults.hedge ?? false;
  return {
    cluster,
    hosts: route.hosts ?? [cluster.name],
    hostHeader: route.hostHeader ?? defaults.hostHeader ?? 'cluster',
    servername: route.servername ?? defaults.servername,
    tls: route.tls ?? defaults.tls,
    deadline:
      deadlineOf(route, path) ?? deadlineOf(defaults, path) ?? decode(deadlineSchema, {}, path),
    // The budget is needed all the same: hedges take from it.
    retry: decode(retrySchema, retry === false ? { attempts: 0 } : retry, `${path}.retry`),
    hedge: hedge === false ? undefined : decode(hedgeSchema, hedge, `${path}.hedge`),
    holdResponseBytes: route.holdResponseBytes ?? defaults.holdResponseBytes ?? 0,
    criticalityOf: route.criticalityOf ?? defaults.criticalityOf,
    subsetOf: route.subsetOf ?? defaults.subsetOf,
    fallback: route.fallback ?? defaults.fallback,
    affinity: route.affinity,
  };
}

/** The two ways of saying it as one; undefined when nothing was said. */
function deadlineOf(options: RouteOptions, path: string): DeadlineConfig | undefined {
  const { deadline, deadlineMs } = options;
  if (deadline === undefined && deadlineMs === undefined) return undefined;
  if (deadline?.totalMs !== undefined && deadlineMs !== undefined) {
    throw configError(
      `${path}.deadlineMs`,
      'nothing beside deadline.totalMs, or the other way',
      deadlineMs,
    );
  }
  const totalMs = deadlineMs ?? deadline?.totalMs;
  return decode(deadlineSchema, { ...deadline, totalMs }, `${path}.deadline`);
}
