import { z } from 'zod';
import { durationMs, object, oneOf, text } from '../../schema/fields.ts';
import { MAX_SOURCES } from '../compose/sources.ts';
import {
  completeWatchOptions,
  type WatchConfig,
  type WatchOptions,
  watchShape,
} from '../registry/config.ts';
import type { EntryRules } from './health-entry.ts';
import {
  completeConnection,
  type ConsulConnection,
  type ConsulConnectionOptions,
  connectionShape,
} from './http/connection-config.ts';

/** Which server answers: `stale` any, `default` the leader, `consistent` the leader after asking the others. */
export type ConsulConsistency = 'stale' | 'default' | 'consistent';

/** What a user passes to `consul()`: `service` or `query`, and whatever differs from the defaults. */
export interface ConsulOptions extends ConsulConnectionOptions, WatchOptions {
  /** Name of a service. Its health endpoint is watched. */
  readonly service?: string | undefined;
  /** Name or id of a prepared query. It is run every {@link ConsulOptions.pollIntervalMs}: it cannot be watched. */
  readonly query?: string | undefined;
  /** Data centre. Default: the agent's. */
  readonly datacenter?: string | undefined;
  /** Data centres to use, in this order, when `datacenter` has no endpoints or does not answer. Only with `service`. */
  readonly failover?: readonly string[] | undefined;
  /** How long a data centre that has delivered may fail before the next one is used, 0..24 h. Default 30,000. */
  readonly failoverAfterMs?: number | undefined;
  /** Only instances with all of these tags. */
  readonly tags?: readonly string[] | undefined;
  /** Only instances that this expression of Consul's filter language selects: `Service.Meta.version == v2`. */
  readonly filter?: string | undefined;
  /** Cluster peer whose services are meant. */
  readonly peer?: string | undefined;
  /**
   * The worst status that is used. `passing`; `warning`, the default, with the weight that the instance has for this
   * case; `any` includes critical ones, for those who check health themselves. Maintenance is never used.
   */
  readonly accept?: 'passing' | 'warning' | 'any' | undefined;
  /** Name of a tagged address to use where an instance has one: `wan`. Default: the plain address. */
  readonly taggedAddress?: string | undefined;
  /** Default `stale`. A second look at a suspicious answer always asks the leader. */
  readonly consistency?: ConsulConsistency | undefined;
  /**
   * How long Consul may hold a query back while nothing changes, 1 s..10 min; it adds up to a sixteenth. Default 30,000.
   * A dead connection is noticed after 1.1 times this, and 5 s.
   */
  readonly waitMs?: number | undefined;
  /** Between two runs of a prepared query, 100 ms..1 h. Default 5,000. */
  readonly pollIntervalMs?: number | undefined;
}

/** What is watched. */
export type ConsulSubject =
  | { readonly kind: 'service'; readonly name: string }
  | { readonly kind: 'query'; readonly name: string };

/** Options with the defaults filled in. */
export interface ConsulConfig {
  readonly subject: ConsulSubject;
  readonly connection: ConsulConnection;
  readonly watch: WatchConfig;
  readonly datacenter: string | undefined;
  readonly failover: readonly string[];
  readonly failoverAfterMs: number;
  readonly tags: readonly string[];
  readonly filter: string | undefined;
  readonly peer: string | undefined;
  readonly rules: EntryRules;
  readonly consistency: ConsulConsistency;
  readonly waitMs: number;
  readonly pollIntervalMs: number;
}

const DEFAULTS = { waitMs: 30_000, pollIntervalMs: 5_000, failoverAfterMs: 30_000 } as const;

/** What stands in the definition of a prepared query. */
const QUERY_DECIDES = ['failover', 'tags', 'filter', 'peer'] as const;

const hasNoIssue = ({ issues }: { readonly issues: readonly unknown[] }): boolean =>
  issues.length === 0;

const name = (): z.ZodString => text(256);

/** The data form: `{ consul: { service, ... } }`. */
export const consulSchema: z.ZodType<ConsulOptions> = object({
  service: name().optional().describe('Name of a service, whose health endpoint is watched.'),
  query: name().optional().describe('Name or id of a prepared query, which is run periodically.'),
  ...connectionShape,
  datacenter: name().optional().describe("Data centre. Left out: the agent's."),
  failover: z
    .array(name(), { error: 'a list of data centres' })
    // Each is a source of its own, beside the first.
    .max(MAX_SOURCES - 1, { error: `at most ${MAX_SOURCES - 1} data centres` })
    .optional()
    .describe('Data centres to use, in this order, when the first has no endpoints.'),
  failoverAfterMs: durationMs({ min: 0, max: 86_400_000 }).optional().meta({
    description: 'How long a data centre that has delivered may fail before the next one is used.',
    default: DEFAULTS.failoverAfterMs,
  }),
  tags: z
    .array(name(), { error: 'a list of tags' })
    .max(64, { error: 'at most 64 tags' })
    .optional()
    .describe('Only instances with all of these tags.'),
  filter: text(4_096).optional().describe("An expression of Consul's filter language."),
  peer: name().optional().describe('Cluster peer whose services are meant.'),
  accept: oneOf(['passing', 'warning', 'any'])
    .optional()
    .meta({ description: 'The worst status that is used.', default: 'warning' }),
  taggedAddress: name()
    .optional()
    .describe('Name of a tagged address to use where there is one, such as wan.'),
  consistency: oneOf(['stale', 'default', 'consistent'])
    .optional()
    .meta({ description: 'Which server answers.', default: 'stale' }),
  waitMs: durationMs({ min: 1_000, max: 600_000 }).optional().meta({
    description: 'How long Consul may hold a query back while nothing changes.',
    default: DEFAULTS.waitMs,
  }),
  pollIntervalMs: durationMs({ min: 100, max: 3_600_000 }).optional().meta({
    description: 'Between two runs of a prepared query.',
    default: DEFAULTS.pollIntervalMs,
  }),
  ...watchShape,
})
  .refine(({ service, query }) => (service === undefined) !== (query === undefined), {
    error: "exactly one of 'service' and 'query'",
    when: hasNoIssue,
  })
  .refine(
    (options) =>
      options.query === undefined || QUERY_DECIDES.every((key) => options[key] === undefined),
    {
      error: `none of ${QUERY_DECIDES.join(', ')} beside 'query', which decides about them itself`,
      when: hasNoIssue,
    },
  )
  .refine(({ token, tokenFile }) => token === undefined || tokenFile === undefined, {
    path: ['tokenFile'],
    error: "nothing beside 'token'",
    when: hasNoIssue,
  })
  .refine(({ tls }) => (tls?.certFile === undefined) === (tls?.keyFile === undefined), {
    path: ['tls'],
    error: "'certFile' and 'keyFile' together",
    when: hasNoIssue,
  });

/** Fills in the defaults of checked options. @throws ConfigError for what the environment says */
export function completeConsulOptions(options: ConsulOptions, path: string): ConsulConfig {
  const { service, query = '' } = options;
  return {
    subject:
      service === undefined ? { kind: 'query', name: query } : { kind: 'service', name: service },
    connection: completeConnection(options, path),
    watch: completeWatchOptions(options),
    datacenter: options.datacenter,
    failover: options.failover ?? [],
    failoverAfterMs: options.failoverAfterMs ?? DEFAULTS.failoverAfterMs,
    tags: options.tags ?? [],
    filter: options.filter,
    peer: options.peer,
    rules: { accept: options.accept ?? 'warning', taggedAddress: options.taggedAddress },
    consistency: options.consistency ?? 'stale',
    waitMs: options.waitMs ?? DEFAULTS.waitMs,
    pollIntervalMs: options.pollIntervalMs ?? DEFAULTS.pollIntervalMs,
  };
}
