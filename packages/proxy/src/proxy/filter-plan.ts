/** The filters of a configuration on its way into force: those that stay as they are are kept, with all that they know. */
import { joinPath } from '@evenkeel/core/schema';
import type { ProxyConfig } from '../config/proxy-config.ts';
import type { RouteConfig } from '../config/route-schema.ts';
import {
  type BuiltFilter,
  buildFilters,
  type FilterChain,
  filtersFor,
  statusOf,
} from '../filter/chain.ts';
import type { Filter, FilterStatus } from '../filter/filter.ts';
import type { FilterPorts } from '../filter/filter-kind.ts';
import { listenerNames } from './apply-report.ts';

/** By their place: `http 127.0.0.1:80`, or `http 127.0.0.1:80 /api/*` for those of a route. */
export type FilterChains = ReadonlyMap<string, FilterChain>;

/** How a filter stands. */
export interface FilterReport {
  /** `http 127.0.0.1:80` for one of a listener, `http 127.0.0.1:80 /api/*` for one of a route. */
  readonly place: string;
  readonly name: string;
  readonly kind: string;
  readonly status: FilterStatus;
}

export function reportsOf(chains: FilterChains): readonly FilterReport[] {
  return [...chains].flatMap(([place, chain]) =>
    statusOf(chain).map((report) => ({ place, ...report })),
  );
}

export interface FilterPlanOptions {
  readonly ports: Omit<FilterPorts, 'clusterOf'>;
  /** What the options are called in errors. */
  readonly path: string;
  /** Of the configuration in force. */
  readonly before: FilterChains;
}

export class FilterPlan {
  readonly chains: FilterChains;
  readonly #byRoute: ReadonlyMap<RouteConfig, readonly Filter[] | undefined>;

  private constructor(
    chains: FilterChains,
    byRoute: ReadonlyMap<RouteConfig, readonly Filter[] | undefined>,
  ) {
    this.chains = chains;
    this.#byRoute = byRoute;
  }

  /** @throws ConfigError with what filters say against their options; nothing is left open then */
  static async make(
    config: ProxyConfig,
    { ports, path, before }: FilterPlanOptions,
  ): Promise<FilterPlan> {
    const chains = new Map<string, FilterChain>();
    const byRoute = new Map<RouteConfig, readonly Filter[] | undefined>();
    const plan = new FilterPlan(chains, byRoute);
    const clusterOf: FilterPorts['clusterOf'] = (name) => config.clusters.get(name);
    const add = async (place: Place): Promise<FilterChain | undefined> => {
      if (place.filters.length === 0) return undefined;
      const key = chains.has(place.key) ? `${place.key} ${chains.size}` : place.key;
      const chain = await buildFilters(
        place.filters,
        { ...ports, clusterOf },
        {
          written: place.written ?? [],
          path: joinPath(path, place.at),
          before: before.get(key),
        },
      );
      chains.set(key, chain);
      return chain;
    };
    try {
      const names = listenerNames(config.options);
      for (const [at, { filters, routes }] of config.listeners.entries()) {
        const key = names[at] as string;
        const http = config.options.listeners[at]?.http;
        const place = ['listeners', at, 'http'];
        const written = http?.filters;
        const outer = await add({ key, filters, written, at: [...place, 'filters'] });
        for (const [index, route] of routes.entries()) {
          const own = await add({
            key: `${key} ${route.name}`,
            filters: route.filters,
            written: http?.routes[index]?.filters,
            at: [...place, 'routes', index, 'filters'],
          });
          byRoute.set(route, filtersFor(outer, own, route.skipFilters));
        }
      }
    } catch (error) {
      await plan.discard();
      throw error;
    }
    return plan;
  }

  /** Parts of the configuration, each once. */
  get built(): readonly BuiltFilter[] {
    return [...this.chains.values()].flatMap(({ built }) => built);
  }

  /** In the order in which requests meet them; undefined for none. */
  filtersOf(route: RouteConfig): readonly Filter[] | undefined {
    return this.#byRoute.get(route);
  }

  /** The configuration is not wanted: what it alone has is closed. */
  async discard(): Promise<void> {
    await Promise.all(Array.from(this.chains.values(), (chain) => chain.discard()));
  }
}

/** Where a list of filters stands. */
interface Place {
  readonly key: string;
  readonly filters: RouteConfig['filters'];
  readonly written: readonly unknown[] | undefined;
  readonly at: readonly PropertyKey[];
}
