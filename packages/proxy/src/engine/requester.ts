/** Whom a connection to an endpoint works for: an exchange, a hedge of one, or a shadow. */
import type { Outcome } from '@evenkeel/core';
import type { FieldIndex } from '../http1/field-index.ts';
import type { ResponseHead } from '../http1/response-head.ts';
import type { ClientConnection } from './client-connection.ts';
import type { UpstreamConnection } from './upstream-connection.ts';

/** What becomes of a response. */
export const Reception = {
  /** It goes to the client. */
  forward: 0,
  /** It is not wanted: the connection closes. */
  refuse: 1,
  /** It is read and dropped, so that the connection can serve again. */
  drop: 2,
} as const;
export type Reception = (typeof Reception)[keyof typeof Reception];

export interface Requester {
  /** Has the request no body in its response, whatever that says? */
  readonly isHead: boolean;
  /** Is another protocol asked for? */
  readonly isUpgrade: boolean;
  /** Has all of the request been sent? */
  readonly requestDone: boolean;
  /** Who gets the response; undefined for nobody. */
  readonly client: ClientConnection | undefined;
  /** A connection is being made for it, after it was in the queue. */
  connecting(upstream: UpstreamConnection): void;
  /** The connection that it waits for is there, or an idle one was taken. */
  connected(upstream: UpstreamConnection): void;
  /** The endpoint takes bytes again. */
  upstreamDrained(): void;
  /** A final status. */
  answer(head: ResponseHead, bytes: Buffer): Reception;
  /** Trailers of the response, before {@link received} and {@link complete}. */
  trailers?(fields: FieldIndex, bytes: Buffer): void;
  /** The whole response is here. */
  received(): void;
  /** The whole response has been handed on. */
  complete(): void;
  /** A tunnel has closed on the endpoint's side. */
  tunnelClosed(): void;
  /** No complete response comes. @param sent may the endpoint have seen some of the request? */
  failed(outcome: Outcome, sent: boolean): void;
}
