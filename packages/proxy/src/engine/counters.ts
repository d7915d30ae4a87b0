import { noRefusals, type RefusalCounts } from './refusal.ts';

/** Words of filters that are told apart. */
const MAX_WORDS = 64;

/** Of clients first, then of endpoints; the `open...` ones tell how many there are now. */
export class Http2Counters {
  sessionCount = 0;
  openSessionCount = 0;
  streamCount = 0;
  openStreamCount = 0;
  /** Streams of clients that did not come to a good end, by whoever broke them off. */
  resetStreamCount = 0;
  upstreamSessionCount = 0;
  openUpstreamSessionCount = 0;
  upstreamStreamCount = 0;
  openUpstreamStreamCount = 0;
  /** Requests that endpoints did not take, and that may go elsewhere. */
  refusedUpstreamStreamCount = 0;
}

/** What a proxy counts since its start. Plain fields: each is added to per request or per connection. */
export class ProxyCounters {
  acceptedCount = 0;
  /** Connections that were closed at once, because there were as many as may be. */
  refusedCount = 0;
  /** Connections that were closed at once, because their client had as many as it may have. */
  limitedCount = 0;
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
  /** Further endpoints that were asked because the first one took long, and those among them that were faster. */
  hedgeCount = 0;
  hedgeWinCount = 0;
  /** Requests that another cluster was asked instead of theirs. */
  failoverCount = 0;
  /** Copies of requests that were sent, and those that were given up. */
  mirrorCount = 0;
  mirrorDropCount = 0;
  connectCount = 0;
  reuseCount = 0;
  /** Responses cut off on their way. */
  truncatedCount = 0;
  clientAbortCount = 0;
  tunnelCount = 0;
  /** Connections of HTTP/2 and the requests in them, on both sides. */
  readonly http2: Http2Counters = new Http2Counters();
  /** Requests that were answered here because something was wrong, by the reason. */
  readonly refusals: RefusalCounts = noRefusals();
  /** Requests that a filter answered, by the word that it gave for it. */
  readonly filterAnswers: Map<string, number> = new Map();
  /** Responses by hundreds: index 2 for 2xx. */
  readonly statusCounts: Float64Array = new Float64Array(10);

  /** A filter answered a request. Words are few; whoever makes them up per request gets no more than a bounded number. */
  countFilterAnswer(reason: string): void {
    const counts = this.filterAnswers;
    const word = counts.has(reason) || counts.size < MAX_WORDS ? reason : 'other';
    counts.set(word, (counts.get(word) ?? 0) + 1);
  }

  /** A final response goes out. */
  countStatus(status: number): void {
    const hundreds = (status / 100) | 0;
    this.statusCounts[hundreds] = (this.statusCounts[hundreds] as number) + 1;
  }
}
