import type { z } from 'zod';
import { type DiscoverySource, withEntryHints } from '../discovery/discovery-source.ts';
import { BUILT_IN_POLICIES } from '../policy/built-in.ts';
import type { Policy } from '../policy/policy.ts';
import { decode, joinPath } from '../schema/decode.ts';
import { type ClusterOptions, clusterSchema, decodeClusterOptions } from './cluster-config.ts';
import { clusterNameSchema } from './cluster-name.ts';
import { codeFormOf } from './file-form.ts';
import { policySchemaOf } from './policy-schema.ts';

/** Where options in a file stand, and what they may name. */
export interface ClusterFileOptions {
  /** Where in the file, for the errors: `clusters.users`. Default '': the options are the whole file. */
  readonly path?: string | undefined;
  /** The cluster's name where it is the key and not among the options, as below `clusters:`. */
  readonly name?: string | undefined;
  /** Policies of one's own, besides the built-in ones. */
  readonly policies?: readonly Policy[] | undefined;
  /** Sources of endpoints from other entries, which the file may name: `[consulSource]`. Pass them to the cluster, too. */
  readonly sources?: readonly DiscoverySource[] | undefined;
}

/**
 * Reads the options of a cluster from what a YAML or JSON parser made of a file. The words are those of
 * {@link ClusterOptions}, except that durations lose their `Ms` and say their unit: `interval: 5s`.
 *
 * @returns options for `createCluster`
 * @throws ConfigError with every issue found, in the words of the file
 */
export function decodeClusterFile(raw: unknown, options: ClusterFileOptions = {}): ClusterOptions {
  const { path = '', name } = options;
  const policies = [...BUILT_IN_POLICIES, ...(options.policies ?? [])];
  if (name !== undefined) decode(clusterNameSchema, name, path);
  const named = name === undefined;
  const { sources = [] } = options;
  const isBuiltIn = options.policies === undefined && sources.length === 0;
  const schema = isBuiltIn
    ? builtInSchema(named)
    : clusterSchema(policySchemaOf(policies), named, sources);
  const code = withEntryHints(() => codeFormOf(schema, raw, path)) as ClusterOptions;
  assertPolicyRules((raw as { policy?: unknown }).policy, joinPath(path, ['policy']), policies);
  const result = named ? code : { ...code, name };
  // What discovery knows of its sources and lists goes further than a schema.
  decodeClusterOptions(result, path, sources);
  return result;
}

const builtInSchemas = new Map<boolean, z.ZodType>();

/** Built once: a schema is some hundred objects, and a file with many clusters asks for it many times. */
function builtInSchema(named: boolean): z.ZodType {
  const known = builtInSchemas.get(named);
  if (known !== undefined) return known;
  const schema = clusterSchema(policySchemaOf(BUILT_IN_POLICIES), named);
  builtInSchemas.set(named, schema);
  return schema;
}

/** Asks the policies' own schemas, which know rules across options. */
function assertPolicyRules(policy: unknown, path: string, policies: readonly Policy[]): void {
  if (!isRecord(policy)) return;
  const { name, policy: child, ...own } = policy;
  const schema = policies.findLast((candidate) => candidate.name === name)?.schema;
  if (schema !== undefined)
    codeFormOf(schema, child === undefined ? own : { ...own, policy: child }, path);
  assertPolicyRules(child, joinPath(path, ['policy']), policies);
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}
