import type { Endpoint } from '../../model/endpoint.ts';

/** How a look at DNS ended, when servers answered. */
export type LookOutcome =
  | {
      readonly kind: 'endpoints';
      readonly endpoints: readonly Endpoint[];
      /** How long the answers hold; undefined when they do not say. */
      readonly ttlSeconds: number | undefined;
      /** What was wrong with a part of the answer. */
      readonly complaint: string | undefined;
    }
  /** An answer without a usable endpoint. */
  | { readonly kind: 'empty'; readonly reason: string; readonly ttlSeconds: number | undefined };
