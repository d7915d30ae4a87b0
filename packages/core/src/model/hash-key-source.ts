/** Where a client finds the affinity key in a request. */
export type HashKeySource =
  | { readonly header: string }
  | { readonly cookie: string }
  | { readonly query: string }
  | { readonly path: true };
