import type { z } from 'zod';
import { decode } from '../../schema/decode.ts';
import { durationMs, object } from '../../schema/fields.ts';
import type { Discovery } from '../resolver.ts';
import { FallbackResolver } from './fallback-resolver.ts';
import { assertSources } from './sources.ts';

export interface FallbackOptions {
  /** How long a source that has delivered may fail before the next one is used, 0..24 h. Default 30,000. */
  readonly afterMs?: number | undefined;
}

const DEFAULT_AFTER_MS = 30_000;

/** Schema of {@link FallbackOptions.afterMs}. */
export const afterMsSchema: z.ZodNumber = durationMs({ min: 0, max: 86_400_000 }).meta({
  description: 'How long a source that has delivered may fail before the next one is used.',
  default: DEFAULT_AFTER_MS,
});

const options = object({ afterMs: afterMsSchema.optional() });

/**
 * The first of 1 to 64 sources that is fit: the rules stand at {@link FallbackResolver}.
 *
 * @example fallback([dns({ srv: '_http._tcp.users.internal' }), file({ path: 'last-resort.yaml' })])
 * @throws ConfigError
 */
export function fallback(
  sources: readonly Discovery[],
  rawOptions: FallbackOptions = {},
): Discovery {
  assertSources(sources, 'fallback');
  const { afterMs = DEFAULT_AFTER_MS } = decode(options, rawOptions, 'fallback');
  return {
    kind: 'fallback',
    create: (environment) => new FallbackResolver(sources, { afterMs }, environment),
  };
}
