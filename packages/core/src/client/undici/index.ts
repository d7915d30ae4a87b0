/**
 * `@evenkeel/core/undici`: clusters under undici and fetch. Needs the package `undici`, 7.30.2 or later, or 8.
 *
 * ```ts
 * const dispatcher = createDispatcher({ clusters: [users], deadlineMs: 2_000, retry: { attempts: 2 } });
 * await fetch('http://users/v1/me', { dispatcher });
 * ```
 */
import { BalancedDispatcher } from './balanced-dispatcher.ts';
import type { DispatcherOptions } from './options.ts';

export type { ExplainableRequest, RequestExplanation, RequestStep } from './explain-request.ts';
export { type BoundFetch, createFetch } from './fetch.ts';
export type { Fallback, FallbackAnswer } from './fallback.ts';
export type { DispatcherOptions, EventSourceLimits, WebSocketLimits } from './options.ts';
export type {
  ClusterRoute,
  CriticalityOf,
  DispatchableCluster,
  DispatcherTls,
  RouteAffinity,
  RouteOptions,
  SubsetOf,
} from './route-options.ts';
export type { ClusterEntry, DispatcherStats, PoolEntry } from './stats.ts';

/**
 * A dispatcher whose origins are clusters: give it to `fetch`, to undici's functions, or to `setGlobalDispatcher`.
 *
 * It does not own the clusters: close it first, then them.
 *
 * @throws ConfigError naming every option that is wrong; nothing is started then
 */
export function createDispatcher(options: DispatcherOptions): EvenkeelDispatcher {
  return new BalancedDispatcher(options) as EvenkeelDispatcher;
}

/**
 * Fits wherever the installed `undici` or the built-in fetch want a dispatcher. Two versions of undici do not take each
 * other's dispatchers as far as TypeScript is concerned; given to a second copy of undici, it needs a cast.
 */
export type EvenkeelDispatcher = BalancedDispatcher & BuiltInDispatcher;

/** What the fetch of `@types/node` takes; nothing in programs with the DOM library, whose fetch knows no dispatchers. */
type BuiltInDispatcher = RequestInit extends { dispatcher?: infer Known }
  ? Exclude<Known, undefined>
  : unknown;
