/** The traces of requests: continued or begun, recorded if somebody does, and told to endpoints. */
import type { Random } from '@evenkeel/core';
import type { RouteRequest } from '../../engine/route.ts';
import type { RequestSpan, SpanRecorder, TracedClient, TracedResult } from './spans.ts';
import type { TracedTry, TrySpan } from './spans.ts';
import {
  newTraceContext,
  readTraceContext,
  stampTraceLine,
  type TraceContext,
  traceLinesOf,
} from './trace-context.ts';

export interface TracerOptions {
  /** Whose traces are continued: of trusted peers, of everybody, of nobody. */
  readonly continues: 'trusted' | 'all' | 'none';
  /** Of traces that begin here and that nobody records: the part that is said to be sampled. 0..1. */
  readonly sampleRatio: number;
  /** Undefined where traces are passed on only. */
  readonly spans: SpanRecorder | undefined;
}

/** Also whether its word is taken. */
export interface TracerClient extends TracedClient {
  readonly isTrusted: boolean;
}

export class RequestTracer {
  readonly #options: TracerOptions;
  readonly #random: Random;

  constructor(options: TracerOptions, random: Random) {
    this.#options = options;
    this.#random = random;
  }

  /** @param request undefined when it could not be read */
  begin(request: RouteRequest | undefined, client: TracerClient): RequestTrace {
    const { continues, spans } = this.#options;
    const isBelieved = continues === 'all' || (continues === 'trusted' && client.isTrusted);
    const parent =
      isBelieved && request !== undefined
        ? readTraceContext(request.header('traceparent'), request.header('tracestate'))
        : undefined;
    const span = spans?.begin(request, client, parent);
    // Who records nothing leaves no gap in the trace either: the endpoint's parent is the one in front.
    return new RequestTrace(span?.context ?? parent ?? this.#begun(), span);
  }

  #begun(): TraceContext {
    const { sampleRatio } = this.#options;
    const random = this.#random;
    return newTraceContext(random, random.nextInt32() >>> 0 < sampleRatio * 2 ** 32);
  }
}

/** The trace of one request. */
export class RequestTrace {
  readonly context: TraceContext;
  /** Whole lines for the endpoint. */
  readonly lines: Buffer;
  /** Where they begin in the message to the endpoint; -1 while they are not in it. */
  placedAt = -1;
  /** Tries so far, hedges among them. */
  tryCount = 0;
  readonly #span: RequestSpan | undefined;

  constructor(context: TraceContext, span: RequestSpan | undefined) {
    this.context = context;
    this.lines = Buffer.from(traceLinesOf(context), 'latin1');
    this.#span = span;
  }

  /** An endpoint is asked. @returns undefined where nobody records */
  try(one: TracedTry): TrySpan | undefined {
    this.tryCount++;
    return this.#span?.try(one);
  }

  /** Tells the endpoint which try it is: its own span is a child of that. */
  stamp(message: Buffer, { context }: TrySpan): void {
    if (context !== undefined && this.placedAt >= 0)
      stampTraceLine(message, this.placedAt, context);
  }

  end(result: TracedResult): void {
    this.#span?.end(result);
  }
}
