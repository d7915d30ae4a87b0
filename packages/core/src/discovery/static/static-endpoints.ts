import type { EndpointInput } from '../../model/endpoint.ts';
import { decodeEndpointList } from '../endpoint-list.ts';
import type { Discovery } from '../resolver.ts';
import { StaticResolver } from './static-resolver.ts';

/**
 * Discovery from a fixed list. An empty list is allowed: the cluster is then ready and every pick fails with
 * `EVENKEEL_NO_ENDPOINTS`.
 *
 * @example staticEndpoints(['10.0.0.1:80', { host: '10.0.0.2', port: 80, weight: 3 }])
 * @throws ConfigError naming the position and the field, also for an identity that stands in the list twice
 */
export function staticEndpoints(endpoints: readonly EndpointInput[]): Discovery {
  return staticEndpointsAt(endpoints, 'endpoints');
}

/** As {@link staticEndpoints}, for a list that stands at `path` in a configuration. */
export function staticEndpointsAt(endpoints: readonly EndpointInput[], path: string): Discovery {
  const set = decodeEndpointList(endpoints, path);
  return { kind: 'static', create: (environment) => new StaticResolver(set, environment) };
}
