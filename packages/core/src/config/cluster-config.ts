/** The options of a cluster: what a user writes, what it means, and how it is checked. */
import { z } from 'zod';
import { type DiscoveryConfig, discoverySchema, discoverySchemaOf } from '../discovery/config.ts';
import { decodeDiscovery } from '../discovery/decode-discovery.ts';
import type { DiscoverySource } from '../discovery/discovery-source.ts';
import type { Discovery } from '../discovery/resolver.ts';
import { ConfigError, type ConfigIssue } from '../error/config-error.ts';
import {
  type ActiveHealthConfig,
  type ActiveHealthOptions,
  activeHealthSchema,
} from '../health/active/config.ts';
import {
  type OutlierDetectionConfig,
  type OutlierDetectionOptions,
  outlierDetectionSchema,
} from '../health/outlier-detection/config.ts';
import { hashKeySourceSchema } from '../policy/hash-key.ts';
import type { PolicyOptions } from '../policy/policy.ts';
import {
  type AdmissionConfig,
  type AdmissionOptions,
  admissionSchema,
} from '../resilience/admission-config.ts';
import { decode, joinPath } from '../schema/decode.ts';
import { durationMs, object, percent, text } from '../schema/fields.ts';
import type { TopologyConfig, TopologyOptions } from '../topology/config.ts';
import { topologySchema } from '../topology/schema.ts';
import { clusterNameSchema } from './cluster-name.ts';

/** What a user passes to `createCluster`. Only `name` and `discovery` are needed. */
export interface ClusterOptions {
  /**
   * A host name in lower case, because it is the host in `http://users/`: labels of letters, digits and `-` (RFC 1123),
   * up to 63 characters each, with dots between them up to 253 in all.
   */
  readonly name: string;
  /** Where the endpoints come from: `file({...})`, `dns({...})` ..., a list of endpoints, or data: `{ file: {...} }`. */
  readonly discovery: Discovery | DiscoveryConfig;
  /** How an endpoint is chosen: a name, or an object with the name and the policy's options. Default `peak-ewma`. */
  readonly policy?: PolicyOptions | undefined;
  /** Active health checks: `{ http: {...} }` or `{ tcp: {...} }`. Default: none. */
  readonly health?: ActiveHealthOptions | undefined;
  /** Passive health, from the outcomes of requests; `false` switches it off. Default: on. */
  readonly outlierDetection?: OutlierDetectionOptions | false | undefined;
  /** When health is ignored because too little of it is left. */
  readonly panic?: PanicOptions | undefined;
  /** Which endpoints get which part of the traffic: zones, subsets, splits, slow start. Default: priorities only. */
  readonly topology?: TopologyOptions | undefined;
  /** What is refused before it is sent: limits, circuit breakers, throttling. Default: nothing. */
  readonly admission?: AdmissionOptions | undefined;
  /** How endpoints leave. */
  readonly drain?: DrainOptions | undefined;
}

export interface PanicOptions {
  /**
   * With a smaller share of the members healthy than this, traffic goes to the unhealthy ones too: better a chance
   * everywhere than the whole load on the few that are left. 0..100 percent, 0: never. Default 50.
   */
  readonly thresholdPercent?: number | undefined;
}

export interface DrainOptions {
  /**
   * How long an endpoint that discovery no longer lists may finish its requests before its connections are closed.
   * 0..24 h. Default 30,000.
   */
  readonly timeoutMs?: number | undefined;
}

/** Checked options with the defaults filled in. */
export interface ClusterConfig {
  readonly name: string;
  readonly discovery: Discovery;
  /** Not checked beyond its shape: only a registry of policies knows their options. */
  readonly policy: PolicyOptions;
  readonly health: ActiveHealthConfig | undefined;
  readonly outlierDetection: OutlierDetectionConfig | false;
  readonly panic: { readonly thresholdPercent: number };
  readonly topology: TopologyConfig;
  readonly admission: AdmissionConfig | undefined;
  readonly drain: { readonly timeoutMs: number };
}

const DAY_MS = 86_400_000;

/** Any policy with any options. */
export const anyPolicySchema: z.ZodType<PolicyOptions, PolicyOptions> = z.union(
  [text(128), z.looseObject({ name: text(128) })],
  { error: 'the name of a policy, or an object with its name and options' },
);

/** Every option but where the endpoints come from. */
const shape = {
  name: clusterNameSchema.describe(
    'Host name of the cluster in URLs, and its name in metrics and logs.',
  ),
  policy: anyPolicySchema.default('peak-ewma').describe('How an endpoint is chosen.'),
  health: activeHealthSchema.optional().describe('Active health checks. Left out: none.'),
  outlierDetection: z
    .union([z.literal(false), outlierDetectionSchema], {
      error: 'false, or an object with options',
    })
    .prefault({})
    .describe(
      'Passive health, from the outcomes of requests. On by default; false switches it off.',
    ),
  panic: object({
    thresholdPercent: percent()
      .default(50)
      .describe(
        'With a smaller share of the members healthy than this, health is ignored. 0: never.',
      ),
  })
    .prefault({})
    .describe('When health is ignored because too little of it is left.'),
  topology: topologySchema(hashKeySourceSchema)
    .prefault({})
    .describe('Which endpoints get which part of the traffic, before the policy chooses.'),
  admission: admissionSchema
    .optional()
    .describe('What is refused before it is sent. Left out: nothing.'),
  drain: object({
    timeoutMs: durationMs({ min: 0, max: DAY_MS })
      .default(30_000)
      .describe('How long an endpoint that is no longer listed may finish its requests.'),
  })
    .prefault({})
    .describe('How endpoints leave.'),
};

/**
 * All options as data: the authority for files, for JSON Schema and for the reference.
 *
 * @param policy what may stand at `policy`
 * @param named does the name stand among the options? Not so in files with several clusters, where it is the key
 * @param sources sources of other entries that may stand at `discovery` besides the built-in ones
 */
export function clusterSchema(
  policy: z.ZodType = anyPolicySchema,
  named = true,
  sources: readonly DiscoverySource[] = [],
): z.ZodType {
  const { name, policy: anyPolicy, ...rest } = shape;
  const anyDiscovery = sources.length === 0 ? discoverySchema : discoverySchemaOf(sources);
  const discovery = anyDiscovery.describe(
    'Where the endpoints come from: a list, or one kind of source.',
  );
  const described = policy.default('peak-ewma').describe(anyPolicy.description ?? '');
  return object({ ...(named ? { name } : {}), discovery, policy: described, ...rest });
}

/** In code `discovery` may also be a ready object, and has a decoder of its own that knows both. */
const codeSchema = object({ ...shape, discovery: z.unknown() });

/**
 * Checks options and fills in the defaults.
 *
 * @param path where the options stand, for the errors; '' at the root
 * @param sources sources of other entries that `discovery` may name
 * @throws ConfigError with every issue found, in all parts
 */
export function decodeClusterOptions(
  raw: unknown,
  path = '',
  sources: readonly DiscoverySource[] = [],
): ClusterConfig {
  const issues: ConfigIssue[] = [];
  const options = collect(issues, () => decode(codeSchema, raw, path));
  const discovery = isRecord(raw)
    ? collect(issues, () =>
        decodeDiscovery(raw['discovery'], joinPath(path, ['discovery']), sources),
      )
    : undefined;
  if (options === undefined || discovery === undefined) throw new ConfigError(issues);
  return { ...options, health: options.health, admission: options.admission, discovery };
}

/** The result, or undefined and the issues noted. */
function collect<T>(issues: ConfigIssue[], step: () => T): T | undefined {
  try {
    return step();
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    // Not `push(...)`: there may be more issues than a call may have arguments.
    for (const issue of error.issues) issues.push(issue);
    return undefined;
  }
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}
