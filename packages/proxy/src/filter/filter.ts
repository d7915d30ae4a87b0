/**
 * What a filter is: a step between the route of a request and its cluster, and on the way back. A filter has only the
 * hooks that it needs; what no filter of a route has costs its requests nothing.
 *
 * Filters of a route run in order, and on the way back in the opposite order. A hook that throws, or whose promise is
 * rejected, fails its request only: with 500, or by `onError: 'open'` as if the filter were not there.
 */
import type { RouteRequest } from '../engine/route.ts';

/** Names are compared without their case. Values are of one byte per character, without CR, LF and NUL, or it throws. */
export interface HeaderEdits {
  /** In place of all lines of that name. */
  set(name: string, value: string): void;
  /** Another line beside those that are there. */
  append(name: string, value: string): void;
  remove(name: string): void;
}

/** Who is behind a connection, as its certificate says; only what was verified. */
export interface ClientCertificate {
  /** The subject's common name, or ''. */
  readonly subject: string;
  /** Subject alternative names: `DNS:a.example`, `URI:spiffe://...`, `IP Address:10.0.0.1`. */
  readonly names: readonly string[];
  /** SHA-256 of the certificate, in lower-case hexadecimal. */
  readonly fingerprint: string;
}

/** A request on its way to the cluster. Good until the hook's promise settles. Edits are seen by what reads later. */
export interface FilterRequest extends RouteRequest {
  readonly scheme: 'http' | 'https';
  /** Address of the client: that which trusted proxies name, else that of the peer. */
  readonly clientAddress: string;
  readonly certificate: ClientCertificate | undefined;
  /** Name of the route. */
  readonly route: string;
  /** The id of the request, or ''. */
  readonly id: string;
  /** Length of the body in bytes; undefined when it is not known beforehand. */
  readonly bodyBytes: number | undefined;
  /** What the endpoint is sent. Framing, `connection` and the like cannot be edited. */
  readonly headers: HeaderEdits;
  /** What the client is sent, whoever answers: an endpoint, this filter, another one, or the proxy. */
  readonly responseHeaders: HeaderEdits;
  /** Path and query for the endpoint, in place of those of the request. Routes are not looked up again. */
  setTarget(pathAndQuery: string): void;
  /** Aborted when nobody waits for the answer any more. Made when it is first asked for. */
  readonly signal: AbortSignal;
}

/** A final response on its way to the client. */
export interface FilterResponse {
  readonly status: number;
  /** Is it an answer of the proxy's own? */
  readonly isLocal: boolean;
  /** Length of the body in bytes; undefined when it is not known beforehand. 0 also for HEAD, 204 and 304. */
  readonly bodyBytes: number | undefined;
  /** Several lines joined with a comma; `set-cookie` cannot be read so. */
  header(name: string): string | undefined;
  readonly headers: HeaderEdits;
}

/** An answer in place of the cluster's. */
export interface FilterAnswer {
  /** 200..599. */
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly body?: string | Buffer | undefined;
  /** Word for it in metrics and logs: `unauthorized`, `rate-limited`. Default the name of the filter. */
  readonly reason?: string | undefined;
  /** Wait so long before it is sent. Default 0. */
  readonly delayMs?: number | undefined;
}

/** Changes a body, or its pace, on its way. Chunks come one at a time; reading pauses while a promise is pending. */
export interface BodyFilter {
  /**
   * @param chunk good until what is returned is there
   * @returns what goes on; the chunk itself, or other bytes
   * @throws BodyRefusal for a request that is answered with its status; anything else breaks the message off
   */
  transform(chunk: Buffer): Buffer | Promise<Buffer>;
  /** After the last chunk. @returns the last bytes */
  flush?(): Buffer | Promise<Buffer>;
  /** Nothing follows: the message is complete, or broken off. */
  close?(): void;
  /**
   * Are as many bytes given back as were taken? Then the message keeps its `content-length`; else it goes on in chunks.
   * Default false.
   */
  readonly keepsLength?: boolean | undefined;
}

const REFUSAL = Symbol.for('evenkeel.body-refusal');

/**
 * Thrown by a body filter of a request: it is answered with this, and the connection closes. Known by a mark, so that
 * one of another copy of this package counts as well: a proxy in CommonJS loads filters that are ES modules.
 */
export class BodyRefusal extends Error {
  readonly status: number;
  readonly reason: string;

  constructor(status: number, reason: string) {
    super(`refused with ${status}: ${reason}`);
    this.status = status;
    this.reason = reason;
    Object.defineProperty(this, REFUSAL, { value: true, enumerable: false });
  }

  static override [Symbol.hasInstance](value: unknown): boolean {
    return typeof value === 'object' && value !== null && REFUSAL in value;
  }
}

/** What a filter tells of itself, for operators. */
export type FilterStatus = Readonly<Record<string, string | number | boolean | undefined>>;

/** One filter of one route, for all its requests: what it keeps between hooks of one request is its own. */
export interface Filter {
  readonly name: string;
  /** What becomes of a request when a hook throws: refused with 500, or on its way. Default `closed`. */
  readonly onError?: 'closed' | 'open' | undefined;
  /** Before an endpoint is picked. @returns an answer in place of the cluster's, or undefined to go on */
  onRequest?(request: FilterRequest): FilterAnswer | undefined | Promise<FilterAnswer | undefined>;
  /** A body filter for the request at hand, if it has a body and wants one. */
  requestBody?(request: FilterRequest): BodyFilter | undefined;
  /** The final head is there. Answers of the proxy's own come here, too. */
  onResponse?(response: FilterResponse, request: FilterRequest): void;
  /** A body filter for the response, if it has a body and wants one. */
  responseBody?(response: FilterResponse, request: FilterRequest): BodyFilter | undefined;
  /** The request is over, in whatever way; follows every `onRequest`. */
  onEnd?(request: FilterRequest): void;
  /** How it stands: counters, and what is wrong with it. */
  status?(): FilterStatus;
  /** The configuration that the filter is of is gone, and the last request with it. */
  close?(): void | Promise<void>;
}
