import { configError } from '../../error/config-error.ts';
import type { Discovery } from '../resolver.ts';

/** More is a mistake: each source of a composition has its own watches and timers. */
export const MAX_SOURCES = 64;

/** Is this something that `discovery` may be given as an object? */
export function isDiscovery(value: unknown): value is Discovery {
  return (
    typeof value === 'object' &&
    value !== null &&
    typeof (value as Partial<Discovery>).kind === 'string' &&
    typeof (value as Partial<Discovery>).create === 'function'
  );
}

/** @throws ConfigError when these are not 1 to 64 sources */
export function assertSources(sources: readonly Discovery[], path: string): void {
  if (!Array.isArray(sources) || sources.length === 0 || sources.length > MAX_SOURCES) {
    throw configError(path, `a list of 1 to ${MAX_SOURCES} sources`, sources);
  }
  for (const [index, source] of sources.entries()) {
    if (!isDiscovery(source)) {
      throw configError(`${path}[${index}]`, 'a discovery: dns(), file(), ...', source);
    }
  }
}
