/** Requests and tries as spans of OpenTelemetry, by whichever SDK is registered. */
import { Outcome } from '@evenkeel/core';
import {
  type Context,
  createTraceState,
  isSpanContextValid,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  trace,
  type Tracer,
  type TracerProvider,
} from '@opentelemetry/api';
import type { RouteRequest } from '../../engine/route.ts';
import type {
  RequestSpan,
  SpanRecorder,
  TracedClient,
  TracedResult,
  TracedTry,
  TrySpan,
} from '../trace-context/spans.ts';
import type { TraceContext } from '../trace-context/trace-context.ts';
import { type Traced, requestAttributes, tracedOf, tryAttributes } from './attributes.ts';

export interface OpenTelemetryOptions {
  /** Default: the one that is registered globally when a request comes. */
  readonly tracerProvider?: TracerProvider | undefined;
  /** Do spans have the query of the request in `url.query` and `url.full`? It may hold secrets. Default false. */
  readonly recordQuery?: boolean | undefined;
}

/**
 * Makes spans for `tracing.spans` of a proxy: one of kind server for each request, and below it one of kind client for
 * each try. Which of them are kept is for the sampler of the SDK to say; without an SDK, traces are passed on only.
 *
 * Names and attributes are those of the stable semantic conventions for HTTP spans of OpenTelemetry.
 */
export function openTelemetry(options: OpenTelemetryOptions = {}): SpanRecorder {
  return new OpenTelemetryRecorder(options);
}

const NAME = '@evenkeel/proxy';

/** Names by number. */
const OUTCOMES: readonly string[] = Object.keys(Outcome);

class OpenTelemetryRecorder implements SpanRecorder {
  readonly #tracer: Tracer;
  readonly #recordsQuery: boolean;

  constructor({ tracerProvider, recordQuery = false }: OpenTelemetryOptions) {
    // The global one is a stand-in that hands over to the SDK once there is one.
    this.#tracer = (tracerProvider ?? trace).getTracer(NAME);
    this.#recordsQuery = recordQuery;
  }

  begin(
    request: RouteRequest | undefined,
    client: TracedClient,
    parent: TraceContext | undefined,
  ): RequestSpan {
    const traced = tracedOf(request, client, this.#recordsQuery);
    const { name, attributes } = requestAttributes(traced);
    const around = parent === undefined ? ROOT_CONTEXT : contextOf(parent);
    const span = this.#tracer.startSpan(name, { kind: SpanKind.SERVER, attributes }, around);
    return new OpenTelemetryRequest(this.#tracer, span, traced);
  }
}

class OpenTelemetryRequest implements RequestSpan {
  readonly context: TraceContext | undefined;
  readonly #tracer: Tracer;
  readonly #span: Span;
  readonly #traced: Traced;

  constructor(tracer: Tracer, span: Span, traced: Traced) {
    this.#tracer = tracer;
    this.#span = span;
    this.#traced = traced;
    this.context = traceContextOf(span);
  }

  try(one: TracedTry): TrySpan {
    const { name, attributes } = tryAttributes(this.#traced, one);
    const around = trace.setSpan(ROOT_CONTEXT, this.#span);
    return new OpenTelemetryTry(
      this.#tracer.startSpan(name, { kind: SpanKind.CLIENT, attributes }, around),
    );
  }

  end({ status, reason, route, cluster, requestId }: TracedResult): void {
    const span = this.#span;
    if (span.isRecording()) {
      if (route !== '') {
        span.updateName(`${this.#traced.spanName} ${route}`);
        span.setAttribute('http.route', route);
      }
      if (cluster !== '') span.setAttribute('evenkeel.cluster', cluster);
      if (requestId !== undefined) span.setAttribute('evenkeel.request_id', requestId);
      if (reason !== undefined) span.setAttribute('evenkeel.reason', reason);
      if (status > 0) span.setAttribute('http.response.status_code', status);
      // What clients did wrong is no error of the server (4xx); what did not come to its end is one.
      if (status === 0 || status >= 500 || reason === 'truncated')
        fail(span, reason ?? (status === 0 ? 'aborted' : String(status)));
    }
    span.end();
  }
}

class OpenTelemetryTry implements TrySpan {
  readonly context: TraceContext | undefined;
  readonly #span: Span;
  #status = 0;

  constructor(span: Span) {
    this.#span = span;
    this.context = traceContextOf(span);
  }

  answered(status: number): void {
    this.#status = status;
  }

  end(outcome: Outcome): void {
    const span = this.#span;
    const status = this.#status;
    if (span.isRecording()) {
      const name = OUTCOMES[outcome] ?? 'unknown';
      span.setAttribute('evenkeel.outcome', name);
      if (status > 0) span.setAttribute('http.response.status_code', status);
      // A try that nobody waited for any more has not failed.
      if (status >= 400) fail(span, String(status));
      else if (outcome !== Outcome.success && outcome !== Outcome.cancelled) fail(span, name);
    }
    span.end();
  }
}

function fail(span: Span, type: string): void {
  span.setAttribute('error.type', type);
  span.setStatus({ code: SpanStatusCode.ERROR });
}

function contextOf({ traceId, spanId, flags, state }: TraceContext): Context {
  return trace.setSpanContext(ROOT_CONTEXT, {
    traceId,
    spanId,
    traceFlags: flags,
    isRemote: true,
    ...(state !== undefined && { traceState: createTraceState(state) }),
  });
}

/** @returns undefined for that of a span that nobody made: there is no SDK */
function traceContextOf(span: Span): TraceContext | undefined {
  const context = span.spanContext();
  if (!isSpanContextValid(context)) return undefined;
  const { traceId, spanId, traceFlags, traceState } = context;
  const state = traceState?.serialize();
  return { traceId, spanId, flags: traceFlags, state: state === '' ? undefined : state };
}
