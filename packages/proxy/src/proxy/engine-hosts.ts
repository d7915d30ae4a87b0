/** What connections are given to work with: a part for life, and a part that every configuration brings. */
import type { Runtime } from '@evenkeel/core';
import type { ProxyConfig } from '../config/proxy-config.ts';
import type { ProxyCounters } from '../engine/counters.ts';
import type { DateLine } from '../engine/date-line.ts';
import type { EngineHost } from '../engine/host.ts';
import { LoopGuard } from '../engine/loop-guard.ts';
import type { Observer } from '../engine/request-account.ts';
import { RequestView } from '../engine/request-view.ts';
import type { RouteTable } from '../engine/route.ts';
import { ascii } from '../http1/byte-class.ts';
import { RequestHead } from '../http1/request-head.ts';
import { ResponseHead } from '../http1/response-head.ts';
import type { Output } from '../socket/output.ts';
import type { Sweeper } from '../socket/sweeper.ts';

/** The same for all connections of a proxy, whatever its configuration. */
export interface EngineTools {
  readonly runtime: Runtime;
  readonly sweeper: Sweeper;
  readonly counters: ProxyCounters;
  readonly output: Output;
  readonly dateLine: DateLine;
}

/** Of one configuration, for all its listeners and clusters. */
export type ConfiguredTools = Pick<
  EngineHost,
  'timeouts' | 'requestHead' | 'view' | 'responseHead' | 'viaLine' | 'loops' | 'observer'
>;

export type MutableHost = { -readonly [Key in keyof EngineHost]: EngineHost[Key] };

export const NO_ROUTES: RouteTable = { find: () => undefined };

export function configuredTools(
  { timeouts, limits, via }: Pick<ProxyConfig, 'timeouts' | 'limits' | 'via'>,
  observer: Observer,
): ConfiguredTools {
  const requestHead = new RequestHead(limits);
  return {
    timeouts: {
      ...timeouts,
      requestMs: timeouts.requestMs ?? Number.POSITIVE_INFINITY,
      minBodyBytesPerSecond: limits.minBodyBytesPerSecond,
    },
    requestHead,
    view: new RequestView(requestHead),
    responseHead: new ResponseHead(limits),
    viaLine: ascii(via === false ? '' : `via: 1.1 ${via}\r\n`),
    loops: new LoopGuard(via, limits.maxPasses),
    observer,
  };
}

/**
 * A host to which another configuration is given by assigning its tools: connections look at it anew at every event, and
 * hold nothing of it from one event to the next.
 */
export function hostOf(
  tools: EngineTools,
  configured: ConfiguredTools,
  owner: Pick<EngineHost, 'closed'>,
): MutableHost {
  return {
    ...tools,
    ...configured,
    routes: NO_ROUTES,
    draining: false,
    closed: (client) => owner.closed(client),
  };
}
