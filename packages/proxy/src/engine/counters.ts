import { noRefusals, type RefusalCounts } from './refusal.ts';

/** What a proxy counts since its start. Plain fields: each is added to per request or per connection. */
export class ProxyCounters {
  acceptedCount = 0;
  /** Connections that were closed at once, because there were as many as may be. */
  refusedCount = 0;
  /** TLS handshakes with clients that came to their end, and those among them that resumed a session. */
  handshakeCount = 0;
  resumedHandshakeCount = 0;
  /** Clients that did not get through what comes before requests: TLS, or who they are said to be. */
  handshakeErrorCount = 0;
  /** Those among them that took too long. */
  handshakeTimeoutCount = 0;
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
  /** Requests that were answered here because something was wrong, by the reason. */
  readonly refusals: RefusalCounts = noRefusals();
  /** Responses by hundreds: index 2 for 2xx. */
  readonly statusCounts: Float64Array = new Float64Array(10);

  /** A final response goes out. */
  countStatus(status: number): void {
    const hundreds = (status / 100) | 0;
    this.statusCounts[hundreds] = (this.statusCounts[hundreds] as number) + 1;
  }
}
