/** Makes routes of their configuration, once; requests only look them up. */
import type { PickContext, Random } from '@evenkeel/core';
import { type RetryConfig, RetryBudget, RetryPolicy } from '@evenkeel/core/resilience';
import { type RouteConfig, type RewriteConfig, sideName } from '../config/route-schema.ts';
import { LocalAnswer } from '../engine/local-answer.ts';
import type { Rewrite, Route, Target, Upstream } from '../engine/route.ts';
import type { RouteMeter } from '../observability/route-meter.ts';
import { ForwardRoute, RedirectRoute, RespondRoute, SplitRoute } from './actions.ts';
import { Conditions } from './conditions.ts';
import { RouteIndex, type RouteRule } from './route-index.ts';

export interface RoutePorts {
  readonly random: Random;
  /** For routes without a limit of their own, in milliseconds; `Infinity` for none. */
  readonly requestMs: number;
  /** @param cluster one of those that the configuration was checked with */
  upstreamOf(cluster: string): Upstream;
  /** @param side name of the cluster, and the labels of the subset: `web version=v2` */
  meterOf(route: string, side: string): RouteMeter;
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
  const rewrite = config.rewrite && rewriteOf(config.rewrite, config.path.path);
  switch (action.kind) {
    case 'forward':
      return new ForwardRoute(targetOf(action, config, ports), rewrite);
    case 'split':
      return new SplitRoute({
        sides: action.sides.map((side) => ({
          target: targetOf(side, config, ports),
          weight: side.weight,
          name: sideName(side),
        })),
        stickyBy: action.stickyBy,
        rewrite,
        random: ports.random,
      });
    case 'redirect':
      return new RedirectRoute(action, ports.meterOf(name, ''));
    case 'respond': {
      const body = Buffer.from(action.body);
      const answer = new LocalAnswer(action.status, fieldsOf(action.headers, body), body);
      return new RespondRoute(answer, ports.meterOf(name, ''));
    }
  }
}

/** What requests for nothing in particular ask of a pick. */
const ANY: PickContext = Object.freeze({});

function targetOf(
  { cluster, subset }: { readonly cluster: string; readonly subset: PickContext['subset'] },
  { name, retry, timeoutMs }: RouteConfig,
  ports: RoutePorts,
): Target {
  return {
    kind: 'target',
    upstream: ports.upstreamOf(cluster),
    retry: retryOf(retry, ports.random),
    context: subset === undefined ? ANY : Object.freeze({ subset }),
    requestMs: timeoutMs ?? ports.requestMs,
    // A canary that is a subset has to be told apart, too.
    meter: ports.meterOf(name, sideName({ cluster, subset })),
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
