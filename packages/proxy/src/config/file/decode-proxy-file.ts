/** Reads the options of a proxy from what a YAML or JSON parser made of a file. */
import {
  type Cluster,
  type ClusterOptions,
  ConfigError,
  type ConfigIssue,
  decodeClusterFile,
  type DiscoverySource,
  type Policy,
} from '@evenkeel/core';
import { codeFormOf } from '@evenkeel/core/config';
import type { AdminListenOptions } from '../admin-options.ts';
import type { ProxyOptions } from '../options.ts';
import { decodeProxyOptions } from '../proxy-config.ts';
import { proxyFileSchema } from './proxy-file-schema.ts';

export interface ProxyFileParts {
  /** What clusters of the file may name beside the built-in policies. */
  readonly policies?: readonly Policy[] | undefined;
  /** Kinds of discovery from other entries that clusters may name: `[consulSource]`. */
  readonly sources?: readonly DiscoverySource[] | undefined;
}

/** A file that is right, as far as that can be told without opening anything. */
export interface DecodedProxyFile {
  readonly clusters: ReadonlyMap<string, ClusterOptions>;
  /** For `createAdmin`; undefined for no admin address. */
  readonly admin: AdminListenOptions | undefined;
  /** Everything else. */
  readonly options: Omit<ProxyOptions, 'clusters'>;
}

/**
 * The words are those of `ProxyOptions`, except that `clusters` holds the options of each cluster by its name, and that
 * durations lose their `Ms` and say their unit: `timeouts: { head: 5s }`.
 *
 * @throws ConfigError with every issue found, in the words of the file
 */
export function decodeProxyFile(raw: unknown, parts: ProxyFileParts = {}): DecodedProxyFile {
  const issues: ConfigIssue[] = [];
  const {
    clusters: _,
    admin,
    ...options
  } = collect(issues, () => codeFormOf(proxyFileSchema, raw, '') as WholeFile) ?? NOTHING;
  const clusters = new Map<string, ClusterOptions>();
  const sections = (raw as { readonly clusters?: unknown } | null | undefined)?.clusters;
  if (typeof sections === 'object' && sections !== null && !Array.isArray(sections)) {
    for (const [name, section] of Object.entries(sections)) {
      const decoded = collect(issues, () =>
        decodeClusterFile(section, { ...parts, name, path: `clusters.${name}` }),
      );
      if (decoded !== undefined) clusters.set(name, decoded);
    }
  }
  if (issues.length > 0) throw new ConfigError(issues);
  // What options are together can be told from the names of the clusters alone.
  const named = Array.from(clusters.keys(), (name) => ({ name }) as Cluster);
  decodeProxyOptions({ ...options, clusters: named }, '');
  return { clusters, admin, options };
}

type WholeFile = ProxyOptions & { readonly admin?: AdminListenOptions | undefined };

const NOTHING: WholeFile = { clusters: [], listeners: [] };

/** The result, or undefined and the issues noted. */
function collect<T>(issues: ConfigIssue[], step: () => T): T | undefined {
  try {
    return step();
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    for (const issue of error.issues) issues.push(issue);
    return undefined;
  }
}
