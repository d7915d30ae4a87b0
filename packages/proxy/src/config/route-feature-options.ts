/** What a route can do with requests on their way to its cluster, as a user writes it. */
import type { HedgeOptions } from '@evenkeel/core/resilience';

/** Parts of the options of a route. All but `maxBodyBytes` and `fault` need `cluster` or `split`. */
export interface RouteFeatureOptions {
  /** Sends a copy of requests to another cluster, too. Nobody waits for its answers, and nothing comes of them. */
  readonly mirror?: MirrorOptions | undefined;
  /**
   * Asks a second endpoint when the first one takes long, and takes the answer that comes first. For requests of
   * idempotent methods that are whole by then; what it costs comes out of the budget of `retry`. Default never.
   */
  readonly hedge?: HedgeOptions | undefined;
  /**
   * Reads the whole body of a request before an endpoint is asked, so that slow clients hold up nobody and a request with
   * a body can be tried again. Larger bodies are refused with 413. Default never.
   */
  readonly buffer?: BufferOptions | undefined;
  /**
   * Clusters to turn to, in this order, when the one of the route has no healthy endpoint, or none that takes a
   * connection. Up to 8. Default none.
   */
  readonly failover?: readonly string[] | undefined;
  /**
   * Largest body of a request in bytes, framing not counted; more is refused with 413 as soon as it is known. Default
   * `limits.maxBodyBytes` of the proxy.
   */
  readonly maxBodyBytes?: number | undefined;
  /** Has requests wait or fail on purpose, to see what comes of it. Default never. */
  readonly fault?: FaultOptions | undefined;
}

export interface MirrorOptions {
  readonly cluster: string;
  /** Part of the requests, drawn. 0..100, default 100. */
  readonly percent?: number | undefined;
  /** Requests with more bytes, head and framing included, are not copied. 1..16,777,216, default 65,536. */
  readonly maxBytes?: number | undefined;
}

export interface BufferOptions {
  /** 1..67,108,864. */
  readonly maxBytes: number;
}

/** At least one of `delay` and `abort`; each is drawn for itself, and a request may meet both. */
export interface FaultOptions {
  readonly delay?: FaultDelayOptions | undefined;
  readonly abort?: FaultAbortOptions | undefined;
  /** Only for requests with this header. Default all. */
  readonly header?: string | undefined;
}

export interface FaultDelayOptions {
  /** 1 ms..1 h. */
  readonly durationMs: number;
  /** Part of the requests. 0..100, default 100. */
  readonly percent?: number | undefined;
}

export interface FaultAbortOptions {
  /** 200..599. */
  readonly status: number;
  /** Part of the requests. 0..100, default 100. */
  readonly percent?: number | undefined;
}
