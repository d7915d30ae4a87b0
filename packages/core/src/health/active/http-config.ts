import { validateHeaderName, validateHeaderValue } from 'node:http';
import { z } from 'zod';
import { flag, object, oneOf, text } from '../../schema/fields.ts';
import { MAX_STATUS, MIN_STATUS, type StatusRange, statusBounds } from './status-set.ts';
import { type CheckTimingConfig, checkTimingFields } from './timing-config.ts';
import { type CheckTlsOptions, checkTlsSchema } from './tls-config.ts';

export type CheckMethod = 'GET' | 'HEAD' | 'OPTIONS' | 'POST';

/** An HTTP/1.1 check: one request; the status decides, and the body where a rule asks for it. */
export interface HttpCheckConfig extends CheckTimingConfig {
  /** Path with query. Default `/`. */
  readonly path: string;
  /** Default `GET`. */
  readonly method: CheckMethod;
  /** The Host header. Left out: the endpoint's `hostname`, else the host of its address, with the port. */
  readonly host?: string | undefined;
  /** Further request headers, at most 64. Values are treated as secrets: they appear in no error and no dump. */
  readonly headers: Readonly<Record<string, string>>;
  /** Codes that pass, 200..599. Redirects are not followed: list their codes if they shall pass. Default 200-299. */
  readonly expectedStatuses: readonly StatusRange[];
  /** Text that the first 64 KiB of the body must contain. 1..1024 characters. */
  readonly bodyContains?: string | undefined;
  /**
   * Regular expression (with the `u` flag) that the first 64 KiB of the body must match. 1..256 characters. It runs on
   * the event loop over text that the endpoint chose: avoid nested repetition.
   */
  readonly bodyMatches?: string | undefined;
  /**
   * Header of a passing answer by which an endpoint says that it works but is to be spared, whatever the value: it then
   * gets traffic only when the healthy ones cannot take all of it. Left out: none. Envoy's is `x-envoy-degraded`.
   */
  readonly degradedHeader?: string | undefined;
  /** TLS with the endpoint. Left out: none. */
  readonly tls?: CheckTlsOptions | undefined;
  /**
   * Keep the connection for the next check? Default false: a new connection also proves that the endpoint still
   * accepts. True spares handshakes where checks are frequent.
   */
  readonly reuseConnection: boolean;
}

/** What a user writes. */
export type HttpCheckOptions = {
  readonly [Key in keyof HttpCheckConfig]?: HttpCheckConfig[Key] | undefined;
};

const MAX_HEADERS = 64;
/** Headers that node:http or other options set; a second opinion would desynchronise the connection. */
const RESERVED_HEADERS = new Set([
  'host',
  'connection',
  'content-length',
  'transfer-encoding',
  'upgrade',
  'expect',
]);

/** RFC 9110 section 5.6.2: what header names are made of. */
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

const STATUS_MESSAGE = `a status code from ${MIN_STATUS} to ${MAX_STATUS}, or a range such as '200-299' or { from, to }`;

const statusCode = z
  .int({ error: STATUS_MESSAGE, abort: true })
  .min(MIN_STATUS, { error: STATUS_MESSAGE })
  .max(MAX_STATUS, { error: STATUS_MESSAGE });

const status = z.union(
  [
    statusCode,
    z
      .string()
      .regex(/^[2-5]\d\d(-[2-5]\d\d)?$/, { error: STATUS_MESSAGE, abort: true })
      .refine((range) => statusBounds(range) !== undefined, { error: STATUS_MESSAGE }),
    object({
      from: statusCode.describe('First code of the range.'),
      to: statusCode.describe('Last code of the range.'),
    }).refine((range) => statusBounds(range) !== undefined, { error: STATUS_MESSAGE }),
  ],
  { error: STATUS_MESSAGE },
);

const headers = z
  .record(z.string(), z.string({ error: 'a text' }), {
    error: 'an object of header names and texts',
  })
  .superRefine((fields, context) => {
    const names = Object.keys(fields);
    if (names.length > MAX_HEADERS) {
      context.addIssue({ code: 'custom', message: `at most ${MAX_HEADERS} headers` });
    }
    for (const name of names) {
      const message = headerProblem(name, fields[name] ?? '');
      if (message !== undefined) context.addIssue({ code: 'custom', path: [name], message });
    }
  });

const DEFAULT_STATUSES: readonly StatusRange[] = ['200-299'];

/** Schema of `health.http`. */
export const httpCheckSchema: z.ZodType<HttpCheckConfig, HttpCheckOptions> = object({
  ...checkTimingFields,
  path: text(2048)
    .regex(/^\/[\x21-\x7e]*$/, {
      error: "a path that starts with '/', without spaces or control characters",
    })
    .default('/')
    .describe('Path with query.'),
  method: oneOf(['GET', 'HEAD', 'OPTIONS', 'POST']).default('GET').describe('Request method.'),
  host: text(255)
    .regex(/^[\x21-\x7e]+$/, { error: 'a host name, perhaps with a port' })
    .optional()
    .describe("Host header. Left out: the endpoint's host name or address, with the port."),
  headers: headers.default({}).describe('Further request headers, at most 64.'),
  expectedStatuses: z
    .array(status, { error: 'a list of status codes and ranges' })
    .min(1, { error: 'at least one status code or range' })
    .max(100, { error: 'at most 100 status codes and ranges' })
    .default([...DEFAULT_STATUSES])
    .describe("Codes that pass: 204, '200-299' or { from, to }. Redirects are not followed."),
  bodyContains: text(1024)
    .optional()
    .describe('Text that the first 64 KiB of the body must contain.'),
  bodyMatches: text(256)
    .optional()
    .describe('Regular expression (u flag) that the first 64 KiB of the body must match.'),
  degradedHeader: text(256)
    .regex(TOKEN, { error: 'a header name (RFC 9110 token)' })
    .optional()
    .describe(
      'Header of a passing answer by which an endpoint says that it is degraded, whatever the value.',
    ),
  tls: checkTlsSchema
    .optional()
    .describe('TLS with the endpoint: true, or an object with options. Left out: none.'),
  reuseConnection: flag().default(false).describe('Keep the connection for the next check?'),
}).superRefine((options, context) => {
  if (options.bodyMatches !== undefined && compileExpression(options.bodyMatches) === undefined) {
    context.addIssue({
      code: 'custom',
      path: ['bodyMatches'],
      message: 'a regular expression (u flag)',
    });
  }
  const looksAtBody = options.bodyContains !== undefined || options.bodyMatches !== undefined;
  if (options.method === 'HEAD' && looksAtBody) {
    const message = 'a method whose answer has a body, because a rule looks at it';
    context.addIssue({ code: 'custom', path: ['method'], message });
  }
});

/** The expression of `bodyMatches`; undefined when it is none. */
export function compileExpression(source: string): RegExp | undefined {
  try {
    return new RegExp(source, 'u');
  } catch {
    return undefined;
  }
}

function headerProblem(name: string, value: string): string | undefined {
  if (RESERVED_HEADERS.has(name.toLowerCase())) {
    return name.toLowerCase() === 'host'
      ? "nothing here: use the option 'host'"
      : 'a header that may be set';
  }
  try {
    validateHeaderName(name);
  } catch {
    return 'a header name (RFC 9110 token)';
  }
  try {
    validateHeaderValue(name, value);
  } catch {
    return 'a header value without control characters';
  }
  return undefined;
}
