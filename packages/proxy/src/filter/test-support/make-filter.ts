import type { Cluster, Runtime } from '@evenkeel/core';
import { decode } from '@evenkeel/core/schema';
import { createManualRuntime } from '@evenkeel/core/testing';
import type { Filter } from '../filter.ts';
import type { FilterPorts } from '../filter-kind.ts';
import { filterListSchema, type FilterOptions } from '../filter-list.ts';
import { FILTER_KINDS } from '../registry.ts';

export interface MakeOptions {
  readonly runtime?: Runtime;
  readonly clusters?: readonly Cluster[];
  readonly baseDirectory?: string;
}

/** Checks the options as a configuration would, and makes the filter. @throws ConfigError */
export async function makeFilter(options: FilterOptions, made: MakeOptions = {}): Promise<Filter> {
  const [config] = decode(filterListSchema, [options], 'filters');
  if (config === undefined) throw new Error('no filter');
  return FILTER_KINDS[config.kind].create(config.options, portsOf(made));
}

export function portsOf({ runtime, clusters = [], baseDirectory = '/' }: MakeOptions): FilterPorts {
  return {
    runtime: runtime ?? createManualRuntime(),
    clusterOf: (name) => clusters.find((cluster) => cluster.name === name),
    baseDirectory,
  };
}

/** What is wrong with options, as a user reads it. */
export async function faultOf(options: unknown): Promise<string> {
  try {
    await makeFilter(options as FilterOptions);
  } catch (error) {
    return (error as Error).message;
  }
  throw new Error('nothing was refused');
}
