/** What becomes of one request: its target, and what the pick there asks for. */
import { hashKeyOf, type Logger, type PickContext } from '@evenkeel/core';
import type { Exchange } from './exchange.ts';
import type { LocalTarget, Route, RouteRequest, Target } from './route.ts';

export interface Choosing {
  readonly request: RouteRequest;
  /** Gets the context of its picks. */
  readonly exchange: Exchange;
  readonly logger: Logger;
}

/** @returns undefined when a function of the configuration throws: that costs this request, and nothing else */
export function choose(
  route: Route,
  { request, exchange, logger }: Choosing,
): Target | LocalTarget | undefined {
  try {
    const choice = route.choose(request);
    if (choice.kind === 'target') exchange.context = contextOf(choice, request);
    return choice;
  } catch (error) {
    logger.error({ error }, 'a function that reads the hash key of a request threw');
    return undefined;
  }
}

/** The affinity key is only read where the cluster says where it is. */
export function contextOf({ upstream, context }: Target, request: RouteRequest): PickContext {
  const source = upstream.cluster.hashKeySource;
  if (source === undefined) return context;
  const hashKey = hashKeyOf(source, request);
  return hashKey === undefined ? context : { hashKey, subset: context.subset };
}
