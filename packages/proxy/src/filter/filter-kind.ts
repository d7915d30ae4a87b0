/** How a filter is configured and made; each kind has a folder beside this one, and a line in the registry. */
import type { Cluster, Runtime } from '@evenkeel/core';
import type { z } from 'zod';
import type { Filter } from './filter.ts';

/** What filters may use. */
export interface FilterPorts {
  readonly runtime: Runtime;
  /** One of those that the configuration names; undefined for none of that name. */
  clusterOf(name: string): Cluster | undefined;
  /** Folder that relative paths in the options start from. */
  readonly baseDirectory: string;
}

/** @typeParam Schema what the options have to be like: `jwt: { ... }` in a list of filters */
export interface FilterKind<Schema extends z.ZodType = z.ZodType> {
  /** As it is written in the configuration: `rateLimit`. */
  readonly name: string;
  /** A sentence for the reference. */
  readonly about: string;
  readonly schema: Schema;
  /** Clusters that the options name, to be checked with the configuration. */
  clustersOf?(options: z.infer<Schema>): readonly string[];
  /**
   * @returns the filter, when it is ready for requests
   * @throws what is wrong with it; the configuration that it is of is refused then
   */
  create(options: z.infer<Schema>, ports: FilterPorts): Filter | Promise<Filter>;
}
