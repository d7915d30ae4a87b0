import { resolve } from 'node:path';
import { decode } from '../../schema/decode.ts';
import type { Discovery } from '../resolver.ts';
import { completeFileOptions, type FileOptions, fileSchema } from './config.ts';
import { FileResolver } from './file-resolver.ts';

/**
 * Discovery from a JSON or YAML file that is watched: a list of endpoints, or an object with such a list under `endpoints`.
 * A broken, missing or empty file leaves the last good set in force and says why; see docs/guides/file-discovery.md.
 *
 * @example file({ path: 'endpoints.yaml' })
 * @throws ConfigError for an unknown option or a value out of range
 */
export function file(options: FileOptions): Discovery {
  return fileAt(options, 'file');
}

/** As {@link file}, for options that stand at `path` in a configuration. */
export function fileAt(options: FileOptions, path: string): Discovery {
  const config = completeFileOptions(decode(fileSchema, options, path));
  const absolute = { ...config, path: resolve(config.path) };
  return { kind: 'file', create: (environment) => new FileResolver(absolute, environment) };
}
