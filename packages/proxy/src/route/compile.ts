/** Makes routes of their configuration, once; requests only look them up. */
import type { PickContext, Random, Scheduler } from '@evenkeel/core';
import { HedgePolicy, type RetryConfig, RetryBudget, RetryPolicy } from '@evenkeel/core/resilience';
import type { RouteFeatureConfig } from '../config/route-feature-schema.ts';
import { type RouteConfig, type RewriteConfig, sideName } from '../config/route-schema.ts';
import { LocalAnswer } from '../engine/local-answer.ts';
import type { RouteFeatures } from '../engine/route-features.ts';
import type { Rewrite, Route, RouteTraits, Target, Upstream } from '../engine/route.ts';
import type { Filter } from '../filter/filter.ts';
import type { RouteMeter } from '../observability/route-meter.ts';
import { ForwardRoute, RedirectRoute, RespondRoute, SplitRoute } from './actions.ts';
import { Conditions } from './conditions.ts';
import { FaultFilter, shareOf } from './fault-filter.ts';
import { PathRewrite } from './path-rewrite.ts';
import { RouteIndex, type RouteRule } from './route-index.ts';

export interface RoutePorts {
  readonly random: Random;
  readonly scheduler: Scheduler;
  /** For routes without a limit of their own, in bytes; undefined for none. */
  readonly maxBodyBytes: number | undefined;
  /** For routes without a limit of their own, in milliseconds; `Infinity` for none. */
  readonly requestMs: number;
  /** @param cluster one of those that the configuration was checked with */
  upstreamOf(cluster: string): Upstream;
  /** @param side name of the cluster, and the labels of the subset: `web version=v2` */
  meterOf(route: string, side: string): RouteMeter;
  /** The filters of a route, ready for requests. Default none. */
  filtersOf?(route: RouteConfig): readonly Filter[] | undefined;
}

export function compileRoutes(routes: readonly RouteConfig[], ports: RoutePorts): RouteIndex {
  return new RouteIndex(
    routes.flatMap((config): RouteRule[] => {
      const route = routeOf(config, ports);
      const conditions = Conditions.of(config.conditions);
      return config.domains.map((domain) => ({ domain, match: config.path, conditions, route }));
    }),
  );
}

function routeOf(config: RouteConfig, ports: RoutePorts): Route {
  const { action, name } = config;
  const traits = traitsOf(config, ports);
  switch (action.kind) {
    case 'forward':
      return new ForwardRoute(targetOf(action, config, ports), traits);
    case 'split':
      return new SplitRoute(
        {
          sides: action.sides.map((side) => ({
            target: targetOf(side, config, ports),
            weight: side.weight,
            name: sideName(side),
          })),
          stickyBy: action.stickyBy,
          random: ports.random,
        },
        traits,
      );
    case 'redirect':
      return new RedirectRoute(action, ports.meterOf(name, ''), traits);
    case 'respond': {
      const body = Buffer.from(action.body);
      const answer = new LocalAnswer(action.status, fieldsOf(action.headers, body), body);
      return new RespondRoute(answer, ports.meterOf(name, ''), traits);
    }
  }
}

function traitsOf(config: RouteConfig, ports: RoutePorts): RouteTraits {
  const { name, features } = config;
  const { maxBodyBytes = ports.maxBodyBytes } = features;
  const filters = filtersOf(config, ports);
  const answersEarly = filters !== undefined || maxBodyBytes !== undefined;
  return {
    name,
    rewrite: config.rewrite && rewriteOf(config.rewrite, config.path.path),
    filters,
    maxBodyBytes: maxBodyBytes ?? Number.POSITIVE_INFINITY,
    meter: answersEarly ? ports.meterOf(name, '') : undefined,
  };
}

/** Those of the user, between those that options of the route stand for. */
function filtersOf(config: RouteConfig, ports: RoutePorts): readonly Filter[] | undefined {
  const { fault } = config.features;
  const path = config.rewrite?.path;
  const filters = [
    ...(fault === undefined ? [] : [new FaultFilter(fault, ports)]),
    ...(ports.filtersOf?.(config) ?? []),
    ...(path === undefined ? [] : [new PathRewrite(path, config.path)]),
  ];
  return filters.length === 0 ? undefined : filters;
}

/** What requests for nothing in particular ask of a pick. */
const ANY: PickContext = Object.freeze({});

interface Destination {
  readonly cluster: string;
  readonly subset: PickContext['subset'];
}

function targetOf(destination: Destination, config: RouteConfig, ports: RoutePorts): Target {
  const target = plainTarget(destination, config, ports);
  const others = config.features.failover.map((cluster) =>
    plainTarget({ cluster, subset: undefined }, config, ports),
  );
  return { ...target, features: featuresOf(config.features, target, others, ports) };
}

/** Without features. */
function plainTarget(
  { cluster, subset }: Destination,
  config: RouteConfig,
  ports: RoutePorts,
): Target {
  const { name, retry, timeoutMs } = config;
  return {
    kind: 'target',
    upstream: ports.upstreamOf(cluster),
    retry: retryOf(retry, ports.random),
    context: subset === undefined ? ANY : Object.freeze({ subset }),
    requestMs: timeoutMs ?? ports.requestMs,
    // A canary that is a subset has to be told apart, too.
    meter: ports.meterOf(name, sideName({ cluster, subset })),
    features: undefined,
  };
}

// oxlint-disable-next-line max-params -- what it is made of
function featuresOf(
  { mirror, hedge, bufferBytes, failover }: RouteFeatureConfig,
  { retry }: Target,
  others: readonly Target[],
  ports: RoutePorts,
): RouteFeatures | undefined {
  if ((mirror ?? hedge ?? bufferBytes) === undefined && failover.length === 0) return undefined;
  return {
    mirror: mirror && {
      upstream: ports.upstreamOf(mirror.cluster),
      share: shareOf(mirror.percent),
      maxBytes: mirror.maxBytes,
    },
    hedge: hedge && new HedgePolicy(hedge, { budget: retry.budget }),
    bufferBytes: bufferBytes ?? 0,
    failover: others,
  };
}

/** With a budget of its own: a canary that fails does not use up what the others may retry. */
function retryOf(retry: RetryConfig | false, random: Random): RetryPolicy {
  const options = retry === false ? { attempts: 0 } : retry;
  const budget = new RetryBudget(retry === false ? undefined : retry.budget);
  return new RetryPolicy(options, { budget, random });
}

function rewriteOf({ prefix, host }: RewriteConfig, matched: string): Rewrite {
  return {
    cutBytes: prefix === undefined ? 0 : matched.length,
    prefix: Buffer.from(prefix ?? '', 'latin1'),
    hostLine: host === undefined ? undefined : Buffer.from(`host: ${host}\r\n`, 'latin1'),
  };
}

function fieldsOf(headers: Readonly<Record<string, string>>, body: Buffer): string {
  const names = Object.keys(headers);
  const isTyped = body.length === 0 || names.some((name) => name.toLowerCase() === 'content-type');
  const lines = names.map((name) => `${name}: ${headers[name] ?? ''}\r\n`);
  return `${isTyped ? '' : 'content-type: text/plain; charset=utf-8\r\n'}${lines.join('')}`;
}
