import { Backoff } from '../algorithm/backoff.ts';
import type { Random } from '../runtime/random.ts';

/** First ceiling; small, because a retry goes to an endpoint that is probably well. */
const BASE_MS = 20;

/**
 * The pauses between the tries of one request: a half to the whole of 20 ms, 40 ms, 80 ms ... up to `maxMs`. Never
 * nearly zero, so that a retry is not part of the same burst, and spread, so that requests that failed together do not
 * return together.
 *
 * @param maxMs at least 1
 */
export function createRetryBackoff(maxMs: number, random: Random): Backoff {
  return new Backoff({ baseMs: Math.min(BASE_MS, maxMs), maxMs, jitter: 'equal', random });
}
