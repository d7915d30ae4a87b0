/** The options of the access log. */
import { integer, number, object } from '@evenkeel/core/schema';
import { z } from 'zod';
import type { WriteLines } from '../observability/access-log/line-batcher.ts';
import { FormatProblem, LineFormat } from '../observability/access-log/line-format.ts';
import type { RequestLogOptions } from '../observability/access-log/request-log.ts';

export interface AccessLogOptions {
  /** `json`, or text with `%{field}` in it: `%{client} "%{method} %{path}" %{status}`. */
  readonly format: 'json' | (string & {});
  /** Fields of a JSON line. Default all but `query`. `header:NAME` is a header of the request. */
  readonly fields?: readonly string[] | undefined;
  /** Part of the requests that is logged, drawn at random. 0..1, default 1. */
  readonly sampleRatio?: number | undefined;
  /**
   * Takes whole lines, several at once, each with its line end. It is called again when what it returned has settled;
   * what it throws or rejects with costs these lines. Default: standard output, written without blocking.
   */
  readonly write?: ((lines: string) => unknown) | undefined;
  /** Characters of lines that wait to be written; more are dropped and counted. 1,024..1 GiB, default 1 MiB. */
  readonly maxBufferedCharacters?: number | undefined;
}

const CONTROL = /[\x00-\x08\x0a-\x1f\x7f]/;

/** Compiles the format while it checks it. */
export const accessLogSchema: z.ZodType<RequestLogOptions> = object({
  format: z
    .string({ error: "'json', or text with %{field} in it" })
    .min(1)
    .max(4_096)
    .refine((format) => !CONTROL.test(format), { error: 'text of one line' })
    .describe('`json`, or text with `%{field}` in it.'),
  fields: z
    .array(z.string())
    .min(1)
    .max(64)
    .optional()
    .describe('Fields of a JSON line. Left out: all but `query`.'),
  sampleRatio: number({ min: 0, max: 1 })
    .default(1)
    .describe('Part of the requests that is logged, drawn at random.'),
  write: z
    .custom<WriteLines>((value) => typeof value === 'function', { error: 'a function' })
    .optional()
    .describe('Takes whole lines, several at once. Left out: standard output.'),
  maxBufferedCharacters: integer({ min: 1_024, max: 2 ** 30 })
    .default(1_048_576)
    .describe('Characters of lines that wait to be written; more are dropped and counted.'),
}).transform(({ format, fields, ...rest }, context): RequestLogOptions => {
  const isJson = format === 'json';
  if (!isJson && fields !== undefined)
    context.addIssue({
      code: 'custom',
      path: ['fields'],
      message: 'nothing, beside a text format',
    });
  const compiled = isJson ? LineFormat.json(fields) : LineFormat.text(format);
  if (!(compiled instanceof FormatProblem)) return { ...rest, write: rest.write, format: compiled };
  const { expected, actual } = compiled;
  context.addIssue({
    code: 'custom',
    path: [isJson ? 'fields' : 'format'],
    message: `${expected}, not ${JSON.stringify(actual)}`,
  });
  return z.NEVER;
});
