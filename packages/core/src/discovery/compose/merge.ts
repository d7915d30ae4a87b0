import type { Discovery } from '../resolver.ts';
import { assertSources } from './sources.ts';
import { MergeResolver } from './merge-resolver.ts';

/**
 * The union of 1 to 64 sources. Of endpoints with the same id the one of the earlier source counts; a failing source
 * keeps its last good set in the union.
 *
 * @example merge([dns({ name: 'users.internal', port: 8080 }), file({ path: 'extra.json' })])
 * @throws ConfigError
 */
export function merge(sources: readonly Discovery[]): Discovery {
  assertSources(sources, 'merge');
  return { kind: 'merge', create: (environment) => new MergeResolver(sources, environment) };
}
