/** The options of routes: which requests, and what becomes of them. */
import type { HashKeySource } from '@evenkeel/core';
import type { RetryPolicyOptions } from '@evenkeel/core/resilience';
import type { FilterOptions } from '../filter/filter-list.ts';
import type { RouteFeatureOptions } from './route-feature-options.ts';

/** One of `cluster`, `split`, `redirect` and `respond` has to be there. */
export interface RouteOptions extends RouteFeatureOptions {
  /** For metrics and logs. Default made of host and path: `example.com/api/*`. */
  readonly name?: string | undefined;
  /** Hosts that the route is for: `example.com`, `*.example.com`, `*`. Default all. */
  readonly domains?: readonly string[] | undefined;
  /** Which requests; default all. */
  readonly match?: RouteMatchOptions | undefined;
  /** Name of the cluster that answers. */
  readonly cluster?: string | undefined;
  /** Of the cluster only endpoints with these labels: those of one of its `topology.subsets`. */
  readonly subset?: Readonly<Record<string, string>> | undefined;
  /** Several clusters, or parts of one, each with its part of the requests. 1..32. */
  readonly split?: readonly SplitSideOptions[] | undefined;
  /** Where the key is that keeps a client with its side of the split. Default: every request is drawn. */
  readonly stickyBy?: HashKeySource | undefined;
  /** Sends the client elsewhere. */
  readonly redirect?: RedirectOptions | undefined;
  /** Answers from here. */
  readonly respond?: RespondOptions | undefined;
  /** What is changed in requests on their way to the cluster. */
  readonly rewrite?: RewriteOptions | undefined;
  /** For a request with all its tries, instead of `timeouts.requestMs` of the proxy. 1 ms..24 h. */
  readonly timeoutMs?: number | undefined;
  /** Further tries on other endpoints, or false for none. */
  readonly retry?: RetryPolicyOptions | false | undefined;
  /** Behind those of the listener, in the order in which requests meet them. Default none. */
  readonly filters?: readonly FilterOptions[] | undefined;
  /** Names of filters of the listener that this route does without. */
  readonly skipFilters?: readonly string[] | undefined;
}

/** All that is named has to fit. */
export interface RouteMatchOptions {
  /** Default all paths. */
  readonly path?: PathOptions | undefined;
  /** Any of them, in their case: `['GET', 'HEAD']`. */
  readonly methods?: readonly string[] | undefined;
  /** By name, whose case does not count. Several lines of one name are joined with `, `. */
  readonly headers?: Readonly<Record<string, ValueMatchOptions>> | undefined;
  /** By name, decoded; the first parameter of a name counts. */
  readonly query?: Readonly<Record<string, ValueMatchOptions>> | undefined;
  /** By name, whose case counts; not decoded. */
  readonly cookies?: Readonly<Record<string, ValueMatchOptions>> | undefined;
  /** Addresses and networks of clients, any of them: `['10.0.0.0/8', '2001:db8::1']`. Up to 10,000. */
  readonly sources?: readonly string[] | undefined;
  /** What the client's certificate says, where the listener asks for one (`tls.clientCa`). */
  readonly certificate?: CertificateMatchOptions | undefined;
}

/** All that is named has to fit. Certificates that do not hold never come this far. */
export interface CertificateMatchOptions {
  /** Has the client to have one, or not to? Default true. */
  readonly present?: boolean | undefined;
  /** The subject's common name. */
  readonly subject?: ValueMatchOptions | undefined;
  /** One of the alternative names, with its kind: `DNS:a.example`, `URI:spiffe://a/b`, `IP Address:10.0.0.1`. */
  readonly name?: ValueMatchOptions | undefined;
  /** SHA-256 of certificates, in hexadecimal, any of them. */
  readonly fingerprints?: readonly string[] | undefined;
}

/** Exactly one of them. Paths are compared as they were sent: case counts, and `%41` is not `A`. */
export interface PathOptions {
  readonly exact?: string | undefined;
  readonly prefix?: string | undefined;
  /**
   * `/users/{id}/files/{path*}`: a parameter is a whole segment that is not empty; one with a star is all that is left.
   */
  readonly template?: string | undefined;
  /** For the whole path, in the syntax of RE2: no look-around, no back references; in time that grows with the path. */
  readonly regex?: string | undefined;
}

/** Exactly one of them. */
export interface ValueMatchOptions {
  readonly exact?: string | undefined;
  readonly prefix?: string | undefined;
  /** For the whole value, in the syntax of RE2. */
  readonly regex?: string | undefined;
  /** Is it there, or not? */
  readonly present?: boolean | undefined;
}

export interface SplitSideOptions {
  readonly cluster: string;
  readonly subset?: Readonly<Record<string, string>> | undefined;
  /** Relative to the others. 0..1,000,000; at least one is above 0. */
  readonly weight: number;
}

export interface RedirectOptions {
  /** Default 302. 307 and 308 keep method and body. */
  readonly status?: 301 | 302 | 303 | 307 | 308 | undefined;
  readonly scheme?: 'http' | 'https' | undefined;
  /** Host, with a port if need be. Default that of the request, without its port. */
  readonly host?: string | undefined;
  /** Default that of the request. The query stays, unless this has one. */
  readonly path?: string | undefined;
}

export interface RespondOptions {
  /** 200..599. */
  readonly status: number;
  /** Up to 1 MiB, sent as UTF-8. */
  readonly body?: string | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
}

export interface RewriteOptions {
  /**
   * Stands in place of the whole path; the query stays. `{name}` is what a parameter of the template has read, or a group
   * of the expression, by name or number: `/v2/users/{id}`, `/{1}`.
   */
  readonly path?: string | undefined;
  /** Stands in place of the path or prefix that the route matched. */
  readonly prefix?: string | undefined;
  /** `host` for the endpoint. */
  readonly host?: string | undefined;
}
