/** Checks the options of a route, and makes of them what the compiler of routes wants. */
import { hashKeySourceSchema, type HashKeySource } from '@evenkeel/core';
import { type RetryConfig, retrySchema } from '@evenkeel/core/resilience';
import { durationMs, integer, object, text } from '@evenkeel/core/schema';
import { z } from 'zod';
import { type FilterConfig, filterListSchema } from '../filter/filter-list.ts';
import type { ConditionParts } from '../route/conditions.ts';
import type { PathMatch } from '../route/path-index.ts';
import { namesIn, namesOf } from '../route/path-rewrite.ts';
import { exactlyOne, headerName, matchSchema } from './match-schema.ts';
import {
  featureFields,
  featuresOf,
  needsCluster,
  type RouteFeatureConfig,
} from './route-feature-schema.ts';

/** A checked route. */
export interface RouteConfig {
  readonly name: string;
  /** In lower case. */
  readonly domains: readonly string[];
  readonly path: PathMatch;
  readonly conditions: ConditionParts;
  readonly action: ActionConfig;
  readonly rewrite: RewriteConfig | undefined;
  readonly timeoutMs: number | undefined;
  readonly retry: RetryConfig | false;
  readonly filters: readonly FilterConfig[];
  /** Names of filters of the listener. */
  readonly skipFilters: readonly string[];
  readonly features: RouteFeatureConfig;
}

export type ActionConfig =
  | { readonly kind: 'forward'; readonly cluster: string; readonly subset: Labels | undefined }
  | {
      readonly kind: 'split';
      readonly sides: readonly SideConfig[];
      readonly stickyBy: HashKeySource | undefined;
    }
  | ({ readonly kind: 'redirect' } & RedirectConfig)
  | ({ readonly kind: 'respond' } & RespondConfig);

type Labels = Readonly<Record<string, string>>;

export interface SideConfig {
  readonly cluster: string;
  readonly subset: Labels | undefined;
  readonly weight: number;
}

export interface RedirectConfig {
  readonly status: number;
  readonly scheme: string | undefined;
  readonly host: string | undefined;
  readonly path: string | undefined;
}

export interface RespondConfig {
  readonly status: number;
  readonly body: string;
  readonly headers: Labels;
}

export interface RewriteConfig {
  readonly prefix: string | undefined;
  /** With names in braces, all of which the match gives values to. */
  readonly path: string | undefined;
  readonly host: string | undefined;
}

const DAY_MS = 86_400_000;
const MAX_SIDES = 32;
const MAX_WEIGHT = 1_000_000;
const MAX_BODY_CHARACTERS = 1_048_576;

const DOMAIN = /^(\*|(\*\.)?[a-z0-9_-]+(\.[a-z0-9_-]+)*|\[[0-9a-f:.]+\])$/i;
/** Visible ASCII without `#`, as a request target may hold; not two slashes, which would begin a host. */
const LOCATION = /^\/(?!\/)[!-"$-~]*$/;
const REWRITTEN = /^\/[!-"$->@-~]*$/;
const AUTHORITY = /^([a-z0-9._~-]+|\[[0-9a-f:.]+\])(:\d{1,5})?$/i;
const PLAIN = /^[^\x00-\x1f\x7f]+$/;
const VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;

/** Fields that frame a message or belong to its connection: the proxy writes them itself. */
const OWN_FIELDS: ReadonlySet<string> = new Set([
  'connection',
  'content-length',
  'keep-alive',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

const labelsSchema = z.record(text(256), text(256));
const authority = z
  .string()
  .max(260)
  .regex(AUTHORITY, { error: 'a host name or address, with a port if need be' });

const splitSchema = z
  .array(
    object({
      cluster: text(253).describe('Name of the cluster.'),
      subset: labelsSchema.optional().describe('Of the cluster only endpoints with these labels.'),
      weight: integer({ min: 0, max: MAX_WEIGHT }).describe(
        'Relative to the others; at least one is above 0.',
      ),
    }),
  )
  .min(1, { error: `1 to ${MAX_SIDES} sides` })
  .max(MAX_SIDES, { error: `1 to ${MAX_SIDES} sides` })
  .refine((sides) => sides.some(({ weight }) => weight > 0), {
    error: 'a side with a weight above 0',
  })
  .refine((sides) => new Set(sides.map(sideName)).size === sides.length, {
    error: 'sides that differ in cluster or subset',
  });

const redirectSchema = object({
  status: z
    .literal([301, 302, 303, 307, 308], { error: '301, 302, 303, 307 or 308' })
    .default(302)
    .describe('307 and 308 keep method and body.'),
  scheme: z
    .enum(['http', 'https'], { error: 'http or https' })
    .optional()
    .describe('Left out: that of the request.'),
  host: authority
    .optional()
    .describe('Host, with a port if need be. Left out: that of the request, without its port.'),
  path: z
    .string()
    .max(4_096)
    .regex(LOCATION, { error: 'a path of visible ASCII that begins with one /' })
    .optional()
    .describe('Left out: that of the request. The query stays, unless this has one.'),
}).refine(
  ({ scheme, host, path }) => scheme !== undefined || host !== undefined || path !== undefined,
  { error: 'at least one of scheme, host and path: the same address again leads nowhere' },
);

const respondSchema = object({
  status: integer({ min: 200, max: 599 }).describe('Status of the answer.'),
  body: z
    .string({ error: 'a text' })
    .max(MAX_BODY_CHARACTERS)
    .default('')
    .describe('Up to 1 MiB, sent as UTF-8.'),
  headers: z
    .record(
      headerName.refine((name) => !OWN_FIELDS.has(name.toLowerCase()), {
        error: 'a header that does not frame the message',
      }),
      z.string({ error: 'a text' }).max(8_192).regex(VALUE, { error: 'a value without line ends' }),
    )
    .default({})
    .describe('Header fields, but for those that frame the message.'),
});

const rewriteSchema = object({
  prefix: z
    .string()
    .max(4_096)
    .regex(REWRITTEN, { error: 'a path of visible ASCII that begins with / and has no query' })
    .optional()
    .describe('Stands in place of the path or prefix that the route matched.'),
  path: z
    .string()
    .max(4_096)
    .regex(REWRITTEN, { error: 'a path of visible ASCII that begins with / and has no query' })
    .optional()
    .describe(
      'Stands in place of the whole path; `{name}` is what a parameter of the template has read, or a group of the expression.',
    ),
  host: authority.optional().describe('`host` for the endpoint.'),
})
  .refine(({ prefix, path, host }) => (prefix ?? path ?? host) !== undefined, {
    error: 'at least one of prefix, path and host',
  })
  .refine(({ prefix, path }) => prefix === undefined || path === undefined, {
    error: 'prefix or path',
  });

const ACTIONS = ['cluster', 'split', 'redirect', 'respond'] as const;

const rawRouteSchema = object({
  name: text(128)
    .regex(PLAIN, { error: 'a name without control characters' })
    .optional()
    .describe('For metrics and logs. Left out: made of host and path, `example.com/api/*`.'),
  domains: z
    .array(z.string().regex(DOMAIN, { error: 'a host name, *.suffix, or *' }))
    .min(1)
    .default(['*'])
    .describe('Hosts that the route is for: `example.com`, `*.example.com`, `*`.'),
  match: matchSchema
    .prefault({})
    .describe('Which requests. Left out: all. Everything that is named has to fit.'),
  cluster: text(253).optional().describe('Name of the cluster.'),
  subset: labelsSchema.optional().describe('Of the cluster only endpoints with these labels.'),
  split: splitSchema
    .optional()
    .describe('Several clusters, or parts of one, each with its part of the requests.'),
  stickyBy: hashKeySourceSchema
    .optional()
    .describe(
      'Where the key is that keeps a client with its side of the split. Left out: every request is drawn.',
    ),
  redirect: redirectSchema.optional().describe('Sends the client elsewhere.'),
  respond: respondSchema.optional().describe('Answers from here.'),
  rewrite: rewriteSchema
    .optional()
    .describe('What is changed in requests on their way to the cluster.'),
  timeoutMs: durationMs({ min: 1, max: DAY_MS })
    .optional()
    .describe('For a request with all its tries, instead of that in `timeouts`.'),
  retry: z
    .union([z.literal(false), retrySchema])
    .prefault({})
    .describe('Further tries on other endpoints, or false for none.'),
  filters: filterListSchema
    .default([])
    .describe('Behind those of the listener, in the order in which requests meet them.'),
  skipFilters: z
    .array(text(64), { error: 'a list of names of filters' })
    .default([])
    .describe('Names of filters of the listener that this route does without.'),
  ...featureFields,
})
  .refine(exactlyOne(ACTIONS), { error: `exactly one of ${ACTIONS.join(', ')}` })
  .refine(({ stickyBy, split }) => stickyBy === undefined || split !== undefined, {
    path: ['stickyBy'],
    error: 'nothing, where there is no split',
  })
  .refine(({ subset, cluster }) => subset === undefined || cluster !== undefined, {
    path: ['subset'],
    error: 'nothing, where there is no cluster; sides of a split have their own',
  })
  .refine(
    ({ rewrite, cluster, split }) =>
      rewrite === undefined || cluster !== undefined || split !== undefined,
    { path: ['rewrite'], error: 'nothing, where no request is passed on' },
  )
  .refine(
    ({ rewrite, match }) =>
      rewrite?.prefix === undefined || match.path.kind === 'exact' || match.path.kind === 'prefix',
    {
      path: ['rewrite', 'prefix'],
      error: 'nothing, where the path is a template or an expression: rewrite.path is for that',
    },
  )
  .refine(
    ({ rewrite, match }) => {
      const known = namesOf(match.path);
      return namesIn(rewrite?.path ?? '').every((name) => known.includes(name));
    },
    { path: ['rewrite', 'path'], error: 'names that match.path gives values to' },
  )
  .refine((raw) => raw.cluster !== undefined || raw.split !== undefined || !needsCluster(raw), {
    error: 'no mirror, hedge, buffer and failover, where no request is passed on',
  });

type RawRoute = z.output<typeof rawRouteSchema>;

/** Of what `RouteOptions` says to {@link RouteConfig}. */
export const routeSchema: z.ZodType<RouteConfig> = rawRouteSchema.transform(configOf);

function configOf(raw: RawRoute): RouteConfig {
  const { match, rewrite } = raw;
  const domains = raw.domains.map((domain) => domain.toLowerCase());
  const { path, conditions } = match;
  return {
    name: raw.name ?? nameOf(domains, path),
    domains,
    path,
    conditions,
    action: actionOf(raw),
    rewrite: rewrite && { prefix: rewrite.prefix, path: rewrite.path, host: rewrite.host },
    timeoutMs: raw.timeoutMs,
    retry: raw.retry,
    filters: raw.filters,
    skipFilters: raw.skipFilters,
    features: featuresOf(raw),
  };
}

function actionOf({ cluster, subset, split, stickyBy, redirect, respond }: RawRoute): ActionConfig {
  if (cluster !== undefined) return { kind: 'forward', cluster, subset };
  if (split !== undefined) {
    const sides = split.map((side) => ({ ...side, subset: side.subset }));
    return { kind: 'split', sides, stickyBy };
  }
  if (redirect !== undefined) {
    const { status, scheme, host, path } = redirect;
    return { kind: 'redirect', status, scheme, host, path };
  }
  return { kind: 'respond', ...(respond as RespondConfig) };
}

/** `example.com/api/*` */
function nameOf(domains: readonly string[], path: PathMatch): string {
  const [domain = '*'] = domains;
  return `${domain === '*' ? '' : domain}${path.path}${path.kind === 'prefix' ? '*' : ''}`;
}

/** What tells the sides of a split apart: `web version=v2`. */
export function sideName({
  cluster,
  subset,
}: {
  readonly cluster: string;
  readonly subset?: Labels | undefined;
}): string {
  const labels = Object.entries(subset ?? {})
    .map(([key, value]) => `${key}=${value}`)
    .sort();
  return [cluster, ...labels].join(' ');
}

/** Clusters that a route names, each with its place in the options. */
export function clustersOf({
  action,
  features: { mirror, failover },
}: RouteConfig): { at: string; cluster: string }[] {
  const others = failover.map((cluster, at) => ({ at: `failover[${at}]`, cluster }));
  if (mirror !== undefined) others.push({ at: 'mirror.cluster', cluster: mirror.cluster });
  if (action.kind === 'forward') return [{ at: 'cluster', cluster: action.cluster }, ...others];
  if (action.kind !== 'split') return [];
  const sides = action.sides.map(({ cluster }, side) => ({
    at: `split[${side}].cluster`,
    cluster,
  }));
  return [...sides, ...others];
}
