/** What a route can do with requests on their way to its cluster. Most routes have none of it. */
import type { HedgePolicy } from '@evenkeel/core/resilience';
import type { Target, Upstream } from './route.ts';

export interface RouteFeatures {
  /** A copy of requests goes there, too. */
  readonly mirror: Mirror | undefined;
  /** Asks a second endpoint when the first one takes long. */
  readonly hedge: HedgePolicy | undefined;
  /** Up to so many bytes of a body are read before an endpoint is asked; 0 for none. Larger ones are refused. */
  readonly bufferBytes: number;
  /** Asked in turn when the cluster has no healthy endpoint, or none that takes a connection. */
  readonly failover: readonly Target[];
}

/** Where copies of requests go. Nobody waits for what is answered there. */
export interface Mirror {
  readonly upstream: Upstream;
  /** Part of the requests: of 2^32. */
  readonly share: number;
  /** Requests with larger messages are not mirrored. In bytes, head and framing included. */
  readonly maxBytes: number;
}
