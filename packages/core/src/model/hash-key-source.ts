/** Where a client finds the affinity key in a request. */
export type HashKeySource =
  | { readonly header: string }
  | { readonly cookie: string }
  | { readonly query: string }
  | { readonly path: true }
  /** The address that the request came from: for proxies, because a client's own requests come from nowhere. */
  | { readonly sourceAddress: true }
  | HashKeyFunction;

/**
 * Works the key out of a request; undefined: it has none, and the policy picks as it likes. Called once per request, so
 * it should be quick; what it throws fails the request. Only in code: files cannot express it.
 */
export type HashKeyFunction = (request: HashKeyRequest) => string | undefined;

/** A request as the search for its affinity key sees it: what a client library and a proxy have in common. */
export interface HashKeyRequest {
  /** Path without the query. */
  readonly path: string;
  /** IP address of the peer, without port; undefined where requests are made and not received. */
  readonly sourceAddress: string | undefined;
  /** Value of a header, repeated ones joined (RFC 9110 section 5.3). @param name in lower case */
  header(name: string): string | undefined;
  /** First cookie of that name; case counts. */
  cookie(name: string): string | undefined;
  /** First query parameter of that name, decoded. */
  query(name: string): string | undefined;
}
