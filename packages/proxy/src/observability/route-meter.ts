/**
 * What a proxy counts of the requests of one route to one cluster. All numbers stand in fields and one typed array;
 * labels and text are made when somebody reads them.
 */

/**
 * Upper bounds in milliseconds: the advised buckets of OpenTelemetry's `http.server.request.duration` plus three below
 * 5 ms, as for the clusters behind.
 */
export const LATENCY_BOUNDS_MS: readonly number[] = Object.freeze([
  0.5, 1, 2.5, 5, 10, 25, 50, 75, 100, 250, 500, 750, 1_000, 2_500, 5_000, 7_500, 10_000,
]);

/** Classes of statuses: 0 for requests that ended without a response, 1..9 for hundreds. */
const CLASS_COUNT = 10;

/** Switching protocols: what follows is a tunnel, whose length says nothing about latency. */
const SWITCHING = 101;

/** How a request ended. */
export interface EndedRequest {
  /** 0: no response was sent. */
  readonly status: number;
  readonly tries: number;
  /** From and to the client, heads and framing included. */
  readonly bytesIn: number;
  readonly bytesOut: number;
}

export class RouteMeter {
  /** Name of the route; '' for requests that met none. */
  readonly route: string;
  /** With the labels of the subset, if it is one: `web version=v2`. '' for requests that no cluster was asked for. */
  readonly cluster: string;
  activeCount = 0;
  retryCount = 0;
  bytesIn = 0;
  bytesOut = 0;
  latencySumMs = 0;
  /** Requests by class of status. */
  readonly statusCounts: Float64Array = new Float64Array(CLASS_COUNT);
  /** Requests by latency; the last bucket has no bound. Tunnels and requests without a response are left out. */
  readonly latencyCounts: Float64Array = new Float64Array(LATENCY_BOUNDS_MS.length + 1);

  constructor(route: string, cluster: string) {
    this.route = route;
    this.cluster = cluster;
  }

  /** A request has ended, which was counted in {@link activeCount}. */
  end({ status, tries, bytesIn, bytesOut }: EndedRequest, latencyMs: number): void {
    this.activeCount--;
    this.bytesIn += bytesIn;
    this.bytesOut += bytesOut;
    if (tries > 1) this.retryCount += tries - 1;
    const hundreds = (status / 100) | 0;
    this.statusCounts[hundreds] = (this.statusCounts[hundreds] as number) + 1;
    if (status <= SWITCHING) return;
    let bucket = 0;
    // Most requests end in the low buckets, so a walk from below beats a binary search.
    while (bucket < LATENCY_BOUNDS_MS.length && latencyMs > (LATENCY_BOUNDS_MS[bucket] as number))
      bucket++;
    this.latencyCounts[bucket] = (this.latencyCounts[bucket] as number) + 1;
    this.latencySumMs += latencyMs;
  }
}
