import type { z } from 'zod';
import { durationMs, flag, integer, object, oneOf, text } from '../../schema/fields.ts';

/** Largest file by default. 60,000 endpoints, 4 MB of JSON, took 0.2 s to parse and check where it was measured. */
const DEFAULT_JSON_BYTES: number = 8 * 1024 * 1024;
/** Default for YAML, which takes the thread some seventeen times as long: 15,000 endpoints, 1 MB, took 0.9 s. */
const DEFAULT_YAML_BYTES: number = 1024 * 1024;

/** How the bytes of a file are read. */
export type FileFormat = 'json' | 'yaml';

/** What a user passes to `file()`. */
export interface FileOptions {
  /** The file; a relative path starts at the working directory of the moment `file()` is called. */
  readonly path: string;
  /** Default: by the ending, `.json`, `.yaml` or `.yml`. Required for any other ending. */
  readonly format?: FileFormat | undefined;
  /** May the list be empty? Default false: an empty list is an error and the last good set stays. */
  readonly allowEmpty?: boolean | undefined;
  /** Largest file, in bytes, 1 KiB..256 MiB. Default 8 MiB for JSON, 1 MiB for YAML. */
  readonly maxBytes?: number | undefined;
  /** How long the file must have been quiet before it is read, 0..10,000 ms. Default 50. */
  readonly debounceMs?: number | undefined;
  /** How often to look without having been told of a change, 100 ms..1 h. Default 5,000. */
  readonly pollIntervalMs?: number | undefined;
}

/** Options with the defaults filled in. */
export interface FileConfig {
  readonly path: string;
  readonly format: FileFormat;
  readonly allowEmpty: boolean;
  readonly maxBytes: number;
  readonly debounceMs: number;
  readonly pollIntervalMs: number;
}

const ENDINGS: ReadonlyMap<string, FileFormat> = new Map([
  ['json', 'json'],
  ['yaml', 'yaml'],
  ['yml', 'yaml'],
]);

/** The data form: `{ file: { path, ... } }`. */
export const fileSchema: z.ZodType<FileOptions> = object({
  path: text(4_096).describe('The file. A relative path starts at the working directory.'),
  format: oneOf(['json', 'yaml']).optional().describe('Left out: by the ending of the path.'),
  allowEmpty: flag().optional().meta({
    description: 'May the list be empty? If not, an empty list is an error.',
    default: false,
  }),
  maxBytes: integer({ min: 1_024, max: 256 * 1024 * 1024 })
    .optional()
    .describe('Largest file read. Left out: 8 MiB for JSON, 1 MiB for YAML.'),
  debounceMs: durationMs({ min: 0, max: 10_000 }).optional().meta({
    description: 'How long the file must have been quiet before it is read.',
    default: 50,
  }),
  pollIntervalMs: durationMs({ min: 100, max: 3_600_000 }).optional().meta({
    description: 'How often to look without having been told of a change.',
    default: 5_000,
  }),
}).refine((options) => formatOf(options) !== undefined, {
  path: ['format'],
  error: "'json' or 'yaml', because the path ends in none of .json, .yaml, .yml",
  when: (payload) => payload.issues.length === 0,
});

/** Fills in the defaults of checked options. */
export function completeFileOptions(options: FileOptions): FileConfig {
  const format = formatOf(options) ?? 'yaml';
  return {
    path: options.path,
    format,
    allowEmpty: options.allowEmpty ?? false,
    maxBytes: options.maxBytes ?? (format === 'json' ? DEFAULT_JSON_BYTES : DEFAULT_YAML_BYTES),
    debounceMs: options.debounceMs ?? 50,
    pollIntervalMs: options.pollIntervalMs ?? 5_000,
  };
}

function formatOf({ format, path }: FileOptions): FileFormat | undefined {
  return format ?? ENDINGS.get(path.slice(path.lastIndexOf('.') + 1).toLowerCase());
}
