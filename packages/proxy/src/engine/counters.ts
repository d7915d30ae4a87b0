/** What a proxy counts since its start. Plain fields: each is added to per request or per connection. */
export class ProxyCounters {
  acceptedCount = 0;
  requestCount = 0;
  /** Requests that were answered here, without an endpoint's response. */
  localReplyCount = 0;
  /** Messages of clients that broke a rule. */
  badRequestCount = 0;
  /** Messages of endpoints that broke a rule. */
  badResponseCount = 0;
  retryCount = 0;
  connectCount = 0;
  reuseCount = 0;
  /** Responses cut off on their way. */
  truncatedCount = 0;
  clientAbortCount = 0;
  tunnelCount = 0;
  /** Responses by hundreds: index 2 for 2xx. */
  readonly statusCounts: Float64Array = new Float64Array(10);
}
