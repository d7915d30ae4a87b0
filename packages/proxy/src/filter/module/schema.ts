/** Options of the filter `module`. */
import { durationMs, flag, object, text } from '@evenkeel/core/schema';
import { z } from 'zod';

/** A filter of one's own, in TypeScript or JavaScript. */
export interface ModuleOptions {
  /** The file, from the folder of the configuration on: an ES module that exports `createFilter`. */
  readonly path: string;
  /** Handed to `createFilter` as it is. Default `{}`. */
  readonly options?: unknown;
  /** Is it loaded anew when the file changes, or one that it imports by a relative path? Default true. */
  readonly reload?: boolean | undefined;
  /** How long a promise of a hook may take; then it counts as rejected. 1 ms..1 h, default 10,000. */
  readonly timeoutMs?: number | undefined;
}

export interface ModuleConfig {
  readonly path: string;
  readonly options: unknown;
  readonly reload: boolean;
  readonly timeoutMs: number;
}

const schema = object({
  path: text(4_096)
    .regex(/\.[cm]?[jt]s$/, { error: 'the path of a .ts, .mts, .js or .mjs file' })
    .describe(
      'The file, from the folder of the configuration on: an ES module that exports `createFilter`.',
    ),
  options: z.unknown().default({}).describe('Handed to `createFilter` as it is.'),
  reload: flag()
    .default(true)
    .describe(
      'Is it loaded anew when the file changes, or one that it imports by a relative path?',
    ),
  timeoutMs: durationMs({ min: 1, max: 3_600_000 })
    .default(10_000)
    .describe('How long a promise of a hook may take; then it counts as rejected.'),
});

export const moduleSchema: z.ZodType<ModuleConfig, ModuleOptions> = schema as z.ZodType<
  ModuleConfig,
  ModuleOptions
>;
