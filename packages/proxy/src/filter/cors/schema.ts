/** Options of the filter `cors`. */
import { flag, integer, object, text } from '@evenkeel/core/schema';
import { z } from 'zod';
import { fieldName } from '../shared/fields.ts';

/** Which pages of other origins may read answers (Fetch standard, CORS protocol). */
export interface CorsOptions {
  /** `https://a.example`, `https://*.example.com` for all below it, `http://localhost:*` for any port, or `*` for everybody. */
  readonly origins: readonly string[];
  /** Beside GET, HEAD and POST, which need no permission. `['*']` for whatever is asked for. Default those three. */
  readonly methods?: readonly string[] | undefined;
  /** Of requests. `['*']` for whatever is asked for. Default none but those that need no permission. */
  readonly requestHeaders?: readonly string[] | undefined;
  /** Of responses, readable to pages. Default none but those that always are. */
  readonly exposeHeaders?: readonly string[] | undefined;
  /** May requests carry cookies and the like? Not together with the origin `*`. Default false. */
  readonly credentials?: boolean | undefined;
  /** How long browsers keep a permission. 0..86,400, default 600. */
  readonly maxAgeSeconds?: number | undefined;
  /** Are pages of public networks allowed in (Private Network Access)? Default false. */
  readonly privateNetwork?: boolean | undefined;
  /** Who answers preflight requests. Default `answer`: this filter; `forward`: the endpoint, and this filter adds its fields. */
  readonly preflight?: 'answer' | 'forward' | undefined;
}

export interface CorsConfig {
  readonly origins: readonly string[];
  readonly methods: readonly string[];
  readonly requestHeaders: readonly string[];
  readonly exposeHeaders: readonly string[];
  readonly credentials: boolean;
  readonly maxAgeSeconds: number;
  readonly privateNetwork: boolean;
  readonly preflight: 'answer' | 'forward';
}

const ORIGIN =
  /^(\*|null|[a-z][a-z0-9+.-]*:\/\/(\*\.)?([a-z0-9_-]+(\.[a-z0-9_-]+)*|\[[0-9a-f:.]+\])(:(\d{1,5}|\*))?)$/i;
const METHOD = /^(\*|[!#$%&'*+\-.^_`|~0-9A-Za-z]+)$/;

const names = z.array(fieldName, { error: 'a list of header names' }).default([]);

export const corsSchema: z.ZodType<CorsConfig, CorsOptions> = object({
  origins: z
    .array(
      text(300).regex(ORIGIN, { error: 'an origin, https://example.com, without a path; or *' }),
      { error: 'a list of origins' },
    )
    .min(1, { error: 'at least one origin' })
    .describe(
      '`https://a.example`, `https://*.example.com` for all below it, `http://localhost:*` for any port, or `*` for everybody.',
    ),
  methods: z
    .array(text(32).regex(METHOD, { error: 'a method' }), { error: 'a list of methods' })
    .default(['GET', 'HEAD', 'POST'])
    .describe(
      "Beside GET, HEAD and POST, which need no permission. `['*']` for whatever is asked for.",
    ),
  requestHeaders: names.describe("Of requests. `['*']` for whatever is asked for."),
  exposeHeaders: names.describe('Of responses, readable to pages.'),
  credentials: flag()
    .default(false)
    .describe('May requests carry cookies and the like? Not together with the origin `*`.'),
  maxAgeSeconds: integer({ min: 0, max: 86_400 })
    .default(600)
    .describe('How long browsers keep a permission.'),
  privateNetwork: flag()
    .default(false)
    .describe('Are pages of public networks allowed in (Private Network Access)?'),
  preflight: z
    .enum(['answer', 'forward'], { error: 'answer or forward' })
    .default('answer')
    .describe('Who answers preflight requests.'),
}).refine(({ origins, credentials }) => !credentials || !origins.includes('*'), {
  path: ['credentials'],
  error: 'false, where the origin * is allowed: every page could act for its visitor',
}) as z.ZodType<CorsConfig, CorsOptions>;
