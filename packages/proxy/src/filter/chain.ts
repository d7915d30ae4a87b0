/**
 * Filters made of a checked list. A change of configuration keeps those whose options stay as they were, with all that
 * they know: the buckets of a rate limit, the keys of an issuer, the passwords that were right.
 */
import { type Cluster, ConfigError } from '@evenkeel/core';
import { joinPath } from '@evenkeel/core/schema';
import { isDeepStrictEqual } from 'node:util';
import type { Filter, FilterStatus } from './filter.ts';
import type { FilterConfig } from './filter-list.ts';
import type { FilterPorts } from './filter-kind.ts';
import { FILTER_KINDS } from './registry.ts';

/** A filter of a list. It may be in several chains, one after the other; whoever holds them closes it after the last. */
export interface BuiltFilter {
  /** As the list calls it. */
  readonly name: string;
  readonly kind: FilterConfig['kind'];
  readonly filter: Filter;
  /** Idempotent. */
  close(): Promise<void>;
}

export interface FilterChain {
  /** In the order of the list. */
  readonly built: readonly BuiltFilter[];
  /** Closes what was made for this chain, and was not in the one before it: for a configuration that is not wanted. */
  discard(): Promise<void>;
}

export interface BuildOptions {
  /** The list as it was written, which tells what has changed. */
  readonly written: readonly unknown[];
  /** Of the list, in errors. */
  readonly path: string;
  /** The chain of the configuration before, at the same place. */
  readonly before?: FilterChain | undefined;
}

/** @throws ConfigError with what a filter says against its options; nothing is left open then */
export async function buildFilters(
  filters: readonly FilterConfig[],
  ports: FilterPorts,
  { written, path, before }: BuildOptions,
): Promise<FilterChain> {
  const left = [...(before?.built ?? [])];
  const made: MadeFilter[] = [];
  const built: BuiltFilter[] = [];
  const discard = async (): Promise<void> => {
    await Promise.all(made.map((filter) => filter.close()));
  };
  try {
    for (const [at, config] of filters.entries()) {
      const origin = { written: written[at], clusters: clustersOf(config, ports) };
      const same = left.findIndex((old) => old instanceof MadeFilter && old.isOf(origin));
      const [kept] = same < 0 ? [] : left.splice(same, 1);
      if (kept !== undefined) {
        built.push(kept);
        continue;
      }
      const filter = new MadeFilter(
        config,
        await create(config, ports, joinPath(path, [at])),
        origin,
      );
      made.push(filter);
      built.push(filter);
    }
  } catch (error) {
    await discard();
    throw error;
  }
  return { built, discard };
}

/**
 * The filters of a route: those of its listener without the ones that it skips, then its own.
 *
 * @returns undefined for none, which costs requests nothing
 */
export function filtersFor(
  listener: FilterChain | undefined,
  route: FilterChain | undefined,
  skipped: readonly string[],
): readonly Filter[] | undefined {
  const outer = (listener?.built ?? []).filter(({ name }) => !skipped.includes(name));
  const filters = [...outer, ...(route?.built ?? [])].map(({ filter }) => filter);
  return filters.length === 0 ? undefined : filters;
}

/** How filters stand, by name. */
export function statusOf({
  built,
}: FilterChain): { name: string; kind: string; status: FilterStatus }[] {
  return built.map(({ name, kind, filter }) => ({ name, kind, status: filter.status?.() ?? {} }));
}

/** What a filter was made of. */
interface Origin {
  readonly written: unknown;
  readonly clusters: readonly (Cluster | undefined)[];
}

class MadeFilter implements BuiltFilter {
  readonly name: string;
  readonly kind: FilterConfig['kind'];
  readonly filter: Filter;
  readonly #made: Filter;
  readonly #origin: Origin;
  #closing: Promise<void> | undefined = undefined;

  constructor({ name, kind, onError }: FilterConfig, made: Filter, origin: Origin) {
    this.name = name;
    this.kind = kind;
    this.filter = named(made, name, onError);
    this.#made = made;
    this.#origin = origin;
  }

  isOf({ written, clusters }: Origin): boolean {
    const { written: before, clusters: clustersBefore } = this.#origin;
    return (
      isDeepStrictEqual(written, before) && clusters.every((one, at) => one === clustersBefore[at])
    );
  }

  close(): Promise<void> {
    this.#closing ??= Promise.resolve(this.#made.close?.());
    return this.#closing;
  }
}

async function create(
  { kind, options }: FilterConfig,
  ports: FilterPorts,
  path: string,
): Promise<Filter> {
  try {
    return await FILTER_KINDS[kind].create(options, ports);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    const issues = error.issues.map((issue) => ({
      ...issue,
      path: joinPath(path, [kind, issue.path]),
    }));
    throw new ConfigError(issues, error);
  }
}

function clustersOf({ kind, options }: FilterConfig, ports: FilterPorts): (Cluster | undefined)[] {
  const names = FILTER_KINDS[kind].clustersOf?.(options) ?? [];
  return names.map((name) => ports.clusterOf(name));
}

/** The same filter under another name, with another rule for its failures; hooks that it has not are not there. */
function named(filter: Filter, name: string, onError: 'closed' | 'open' | undefined): Filter {
  const rule = onError ?? filter.onError;
  if (filter.name === name && filter.onError === rule) return filter;
  return {
    name,
    onError: rule,
    ...(filter.onRequest && { onRequest: filter.onRequest.bind(filter) }),
    ...(filter.requestBody && { requestBody: filter.requestBody.bind(filter) }),
    ...(filter.onResponse && { onResponse: filter.onResponse.bind(filter) }),
    ...(filter.responseBody && { responseBody: filter.responseBody.bind(filter) }),
    ...(filter.onEnd && { onEnd: filter.onEnd.bind(filter) }),
    ...(filter.status && { status: filter.status.bind(filter) }),
  };
}
