/** What the engine and a log of requests have in common. */
import type { RouteRequest } from '../engine/route.ts';

/** What is known of a request when it begins: taken at once, because its bytes do not stay. */
export interface AccessEntry {
  /** Of the peer. */
  readonly client: string;
  /** Values of the fields that come from the request, in the order of the log; undefined: the request has none. */
  readonly taken: readonly (string | undefined)[];
}

/** How a request went. */
export interface AccessResult {
  /** 0: no response was sent. */
  readonly status: number;
  readonly durationMs: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
  readonly tries: number;
  readonly requestId: string | undefined;
  /** Of the trace that the request is in, and its place there; undefined without tracing. */
  readonly traceId: string | undefined;
  readonly spanId: string | undefined;
  /** Name of the route; '' for none. */
  readonly route: string;
  readonly cluster: string;
  /** Id of the endpoint of the last try. */
  readonly endpoint: string | undefined;
  /** Why it was answered from here, if it was. */
  readonly reason: string | undefined;
}

export interface AccessLog {
  /**
   * @param request undefined when it could not be read
   * @returns undefined for a request that is not in the sample
   */
  begin(request: RouteRequest | undefined, client: string): AccessEntry | undefined;
  end(entry: AccessEntry, result: AccessResult): void;
}
