/** The options of tracing. */
import { number, object, oneOf } from '@evenkeel/core/schema';
import { z } from 'zod';
import type { SpanRecorder } from '../observability/trace-context/spans.ts';
import type { TracerOptions } from '../observability/trace-context/request-tracer.ts';

export interface TracingOptions {
  /**
   * Whose traces go on: those of peers in `trustedProxies`, of everybody, or of nobody. What others say in `traceparent`
   * and `tracestate` is dropped, and a new trace begins: a stranger could make anything be recorded, and mix up the
   * traces of others. Default `trusted`.
   */
  readonly continue?: 'trusted' | 'all' | 'none' | undefined;
  /** Records spans: `openTelemetry()` of `@evenkeel/proxy/tracing`. Default nobody: traces are passed on only. */
  readonly spans?: SpanRecorder | undefined;
  /**
   * Of traces that begin here without `spans`, the part that endpoints are told is sampled; with `spans`, its sampler
   * says. 0..1, default 1: endpoints record what they would have without this proxy.
   */
  readonly sampleRatio?: number | undefined;
  /** Name of a header in which clients are told the id of their trace: `x-trace-id`. Default none. */
  readonly responseHeader?: string | undefined;
}

export interface TracingConfig extends TracerOptions {
  /** In lower case. */
  readonly responseHeader: string | undefined;
}

/** Those that say something else already. */
const TAKEN: ReadonlySet<string> = new Set([
  'connection',
  'content-length',
  'date',
  'keep-alive',
  'server-timing',
  'set-cookie',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'via',
  'x-request-id',
]);

const HEADER_ERROR = 'the name of a header that nothing else is in, x-trace-id';

export const tracingSchema: z.ZodType<TracingConfig, TracingOptions> = object({
  continue: oneOf(['trusted', 'all', 'none'])
    .default('trusted')
    .describe(
      'Whose traces go on: of peers in `trustedProxies`, of everybody, of nobody. For others a new one begins.',
    ),
  spans: z
    .custom<SpanRecorder>(isRecorder, { error: 'openTelemetry() of @evenkeel/proxy/tracing' })
    .optional()
    .describe('Records spans. Left out: traces are passed on only.'),
  sampleRatio: number({ min: 0, max: 1 })
    .default(1)
    .describe(
      'Of traces that begin here and that nobody records: the part that endpoints are told is sampled.',
    ),
  responseHeader: z
    .string({ error: HEADER_ERROR })
    .regex(/^[A-Za-z0-9-]{1,64}$/, { error: HEADER_ERROR, abort: true })
    .transform((name) => name.toLowerCase())
    .refine((name) => !TAKEN.has(name), { error: HEADER_ERROR })
    .optional()
    .describe('Header in which clients are told the id of their trace. Left out: none.'),
}).transform(({ continue: continues, spans, sampleRatio, responseHeader }) => ({
  continues,
  spans,
  sampleRatio,
  responseHeader,
}));

function isRecorder(value: unknown): boolean {
  return typeof (value as Partial<SpanRecorder> | null | undefined)?.begin === 'function';
}
