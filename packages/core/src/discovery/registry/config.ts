import type { z } from 'zod';
import { durationMs, oneOf } from '../../schema/fields.ts';
import {
  completeGuardOptions,
  completeLastKnownGoodOptions,
  type GuardConfig,
  type GuardOptions,
  guardSchema,
  type LastKnownGoodConfig,
  type LastKnownGoodOptions,
  lastKnownGoodSchema,
} from '../guard/config.ts';

/** The options that all registries have in common. */
export interface WatchOptions {
  /** Least time between two looks, however often the registry changes, 10 ms..1 min. Default 200. */
  readonly minIntervalMs?: number | undefined;
  /** Everything is read anew at least this often, whatever the watch says, 1 s..24 h. Default 300,000. */
  readonly maxAgeMs?: number | undefined;
  /** Longest wait between tries while the registry fails, 100 ms..10 min. Default 10,000. */
  readonly maxBackoffMs?: number | undefined;
  /** What an empty list does: `keep` the last good set, the default, or `clear` it, after a second look. */
  readonly onEmpty?: 'keep' | 'clear' | undefined;
  /** When the removal of many endpoints at once is believed. */
  readonly guard?: GuardOptions | undefined;
  /** Keeps the last good set on disk, for a start while the registry is down. Default: nothing is kept. */
  readonly lastKnownGood?: LastKnownGoodOptions | undefined;
}

/** Options with the defaults filled in. */
export interface WatchConfig {
  readonly minIntervalMs: number;
  readonly maxAgeMs: number;
  readonly maxBackoffMs: number;
  readonly onEmpty: 'keep' | 'clear';
  readonly guard: GuardConfig;
  readonly lastKnownGood: LastKnownGoodConfig | undefined;
}

/** Times that follow from how a registry is asked. */
export interface WatchTimes {
  /** Longest time for a whole reading. */
  readonly readTimeoutMs: number;
  /** Longest time that a watch may go without a sign of life. */
  readonly silenceMs: number;
  /** Between two readings where nothing can be waited on. */
  readonly pollIntervalMs: number;
}

const DEFAULTS = { minIntervalMs: 200, maxAgeMs: 300_000, maxBackoffMs: 10_000 } as const;

/** The fields of {@link WatchOptions} for the schema of a registry's options. */
export const watchShape: { readonly [Key in keyof WatchOptions]-?: z.ZodType<WatchOptions[Key]> } =
  {
    minIntervalMs: durationMs({ min: 10, max: 60_000 }).optional().meta({
      description: 'Least time between two looks, however often the registry changes.',
      default: DEFAULTS.minIntervalMs,
    }),
    maxAgeMs: durationMs({ min: 1_000, max: 86_400_000 }).optional().meta({
      description: 'Everything is read anew at least this often, whatever the watch says.',
      default: DEFAULTS.maxAgeMs,
    }),
    maxBackoffMs: durationMs({ min: 100, max: 600_000 }).optional().meta({
      description: 'Longest wait between tries while the registry fails.',
      default: DEFAULTS.maxBackoffMs,
    }),
    onEmpty: oneOf(['keep', 'clear']).optional().meta({
      description: 'What an empty list does to the last good set.',
      default: 'keep',
    }),
    guard: guardSchema
      .optional()
      .describe('When the removal of many endpoints at once is believed.'),
    lastKnownGood: lastKnownGoodSchema
      .optional()
      .describe('Keeps the last good set on disk, for a start while the registry is down.'),
  };

export function completeWatchOptions(options: WatchOptions): WatchConfig {
  return {
    minIntervalMs: options.minIntervalMs ?? DEFAULTS.minIntervalMs,
    maxAgeMs: options.maxAgeMs ?? DEFAULTS.maxAgeMs,
    maxBackoffMs: options.maxBackoffMs ?? DEFAULTS.maxBackoffMs,
    onEmpty: options.onEmpty ?? 'keep',
    guard: completeGuardOptions(options.guard),
    lastKnownGood: options.lastKnownGood && completeLastKnownGoodOptions(options.lastKnownGood),
  };
}
