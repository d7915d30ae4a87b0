/** What a proxy and a recorder of spans have in common; `@evenkeel/proxy/tracing` has one for OpenTelemetry. */
import type { Endpoint, Outcome } from '@evenkeel/core';
import type { RouteRequest } from '../../engine/route.ts';
import type { TraceContext } from './trace-context.ts';

/** Who sends a request. */
export interface TracedClient {
  /** Of the peer. */
  readonly address: string;
  readonly scheme: 'http' | 'https';
}

/** How a request went. */
export interface TracedResult {
  /** 0: no response was sent. */
  readonly status: number;
  /** Why it was answered from here, or broken off; undefined for neither. */
  readonly reason: string | undefined;
  /** Name of the route; '' for none. */
  readonly route: string;
  readonly cluster: string;
  readonly requestId: string | undefined;
}

/** One try on one endpoint. */
export interface TracedTry {
  readonly cluster: string;
  readonly endpoint: Endpoint | undefined;
  readonly isSecure: boolean;
  /** Tries of the request before this one. */
  readonly resendCount: number;
}

/** Records what becomes of requests. Nothing of it throws. */
export interface SpanRecorder {
  /**
   * A request has begun.
   *
   * @param request good until the call returns; undefined when it could not be read
   * @param parent whose trace it continues; undefined for none
   */
  begin(
    request: RouteRequest | undefined,
    client: TracedClient,
    parent: TraceContext | undefined,
  ): RequestSpan;
}

/** A request, from its head to the end of its response. */
export interface RequestSpan {
  /** Undefined when nobody makes ids. */
  readonly context: TraceContext | undefined;
  /** An endpoint is asked. */
  try(one: TracedTry): TrySpan;
  end(result: TracedResult): void;
}

/** A try, from the pick of its endpoint to its outcome. */
export interface TrySpan {
  readonly context: TraceContext | undefined;
  /** A final status has come. */
  answered(status: number): void;
  end(outcome: Outcome): void;
}
