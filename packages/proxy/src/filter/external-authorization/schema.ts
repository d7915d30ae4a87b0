/** Options of the filter `externalAuthorization`. */
import { durationMs, integer, object, oneOf, text } from '@evenkeel/core/schema';
import { z } from 'zod';
import { editableField } from '../shared/fields.ts';

/**
 * Asks an HTTP service whether a request may go in: an answer of 2xx lets it in; 3xx and 4xx are what the client gets.
 * The service is told of the request in `x-forwarded-method`, `-proto`, `-host`, `-uri` and `-for`.
 */
export interface ExternalAuthorizationOptions {
  /** The cluster to ask; either this or `url`. */
  readonly cluster?: string | undefined;
  /** Of the cluster. Default `/`. */
  readonly path?: string | undefined;
  /** A whole URL, `https://auth.example/check`. */
  readonly url?: string | undefined;
  /** Default GET. */
  readonly method?: 'GET' | 'POST' | 'HEAD' | undefined;
  /** What of the request the service gets to see. Default `authorization` and `cookie`. */
  readonly forwardHeaders?: readonly string[] | undefined;
  /** What the endpoint gets of an answer that lets in; what the client wrote there is dropped. Default none. */
  readonly copyToRequest?: readonly string[] | undefined;
  /** What the client gets of an answer that lets in, `set-cookie`. Default none. */
  readonly copyToResponse?: readonly string[] | undefined;
  /** For the whole answer. 1 ms..60 s, default 1,000. */
  readonly timeoutMs?: number | undefined;
  /** When there is no answer, or one of 5xx: refuse with 503 (`closed`), or let in (`open`). Default `closed`. */
  readonly onFailure?: 'closed' | 'open' | undefined;
  /** Questions under way at a time; beyond it is a failure. 1..100,000, default 1,000. */
  readonly maxConcurrent?: number | undefined;
}

export interface ExternalAuthorizationConfig {
  readonly cluster: string | undefined;
  readonly path: string;
  readonly url: string | undefined;
  readonly method: 'GET' | 'POST' | 'HEAD';
  readonly forwardHeaders: readonly string[];
  readonly copyToRequest: readonly string[];
  readonly copyToResponse: readonly string[];
  readonly timeoutMs: number;
  readonly onFailure: 'closed' | 'open';
  readonly maxConcurrent: number;
}

const URL_ERROR = 'a URL of http or https';

function isHttpUrl(value: string): boolean {
  return URL.canParse(value) && /^https?:$/.test(new URL(value).protocol);
}

const editable = z.array(editableField, { error: 'a list of header names' }).default([]);

export const externalAuthorizationSchema: z.ZodType<
  ExternalAuthorizationConfig,
  ExternalAuthorizationOptions
> = object({
  cluster: text(253).optional().describe('The cluster to ask; either this or `url`.'),
  path: z
    .string({ error: 'a path' })
    .max(4_096)
    .regex(/^\/[!-"$-~]*$/, { error: 'a path of visible ASCII that begins with /' })
    .default('/')
    .describe('Of the cluster.'),
  url: z
    .string({ error: URL_ERROR })
    .refine(isHttpUrl, { error: URL_ERROR })
    .optional()
    .describe('A whole URL, `https://auth.example/check`.'),
  method: oneOf(['GET', 'POST', 'HEAD']).default('GET').describe('How the service is asked.'),
  forwardHeaders: z
    .array(editableField, { error: 'a list of header names' })
    .default(['authorization', 'cookie'])
    .describe('What of the request the service gets to see.'),
  copyToRequest: editable.describe(
    'What the endpoint gets of an answer that lets in; what the client wrote there is dropped.',
  ),
  copyToResponse: editable.describe(
    'What the client gets of an answer that lets in, `set-cookie`.',
  ),
  timeoutMs: durationMs({ min: 1, max: 60_000 }).default(1_000).describe('For the whole answer.'),
  onFailure: oneOf(['closed', 'open'])
    .default('closed')
    .describe(
      'When there is no answer, or one of 5xx: refuse with 503 (`closed`), or let in (`open`).',
    ),
  maxConcurrent: integer({ min: 1, max: 100_000 })
    .default(1_000)
    .describe('Questions under way at a time; beyond it is a failure.'),
}).refine(({ cluster, url }) => (cluster === undefined) !== (url === undefined), {
  error: 'either cluster or url',
}) as z.ZodType<ExternalAuthorizationConfig, ExternalAuthorizationOptions>;
