import { resolve } from 'node:path';
import type { z } from 'zod';
import { durationMs, object, percent, text } from '../../schema/fields.ts';

/** When the removals that a registry announces are believed. */
export interface GuardOptions {
  /**
   * Largest share of the endpoints that may leave within {@link GuardOptions.confirmAfterMs} without a second look.
   * 0..100 percent; 0: every removal takes a second look, 100: none does. Default 50.
   */
  readonly maxRemovalPercent?: number | undefined;
  /** How long after it was first missed a second look may confirm that an endpoint has left, 0..1 h. Default 10,000. */
  readonly confirmAfterMs?: number | undefined;
}

/** Where the last good set is kept for a start while the registry is down. */
export interface LastKnownGoodOptions {
  /** The file; its folder is created. A relative path starts at the working directory. One file for one cluster. */
  readonly path: string;
  /** An older set is not used, 1 min..1 year. Its age counts from the last time the registry confirmed it. Default 24 h. */
  readonly maxAgeMs?: number | undefined;
}

/** Options with the defaults filled in. */
export type GuardConfig = { readonly [Key in keyof GuardOptions]-?: number };

export interface LastKnownGoodConfig {
  readonly path: string;
  readonly maxAgeMs: number;
}

const DEFAULTS: GuardConfig = { maxRemovalPercent: 50, confirmAfterMs: 10_000 };
const DEFAULT_MAX_AGE_MS = 86_400_000;

export const guardSchema: z.ZodType<GuardOptions> = object({
  maxRemovalPercent: percent().optional().meta({
    description:
      'Largest share of the endpoints that may leave without a second look. 0: none, 100: all.',
    default: DEFAULTS.maxRemovalPercent,
  }),
  confirmAfterMs: durationMs({ min: 0, max: 3_600_000 }).optional().meta({
    description: 'How long after it was first missed a second look may confirm a removal.',
    default: DEFAULTS.confirmAfterMs,
  }),
}).meta({ title: 'Guard', description: 'When announced removals are believed.' });

export const lastKnownGoodSchema: z.ZodType<LastKnownGoodOptions> = object({
  path: text(4_096).describe('The file. A relative path starts at the working directory.'),
  maxAgeMs: durationMs({ min: 60_000, max: 365 * 86_400_000 })
    .optional()
    .meta({
      description: 'An older set is not used.',
      default: DEFAULT_MAX_AGE_MS,
    }),
}).meta({
  title: 'Last known good',
  description: 'Where the last good set is kept for a start while the registry is down.',
});

export function completeGuardOptions(options: GuardOptions = {}): GuardConfig {
  return {
    maxRemovalPercent: options.maxRemovalPercent ?? DEFAULTS.maxRemovalPercent,
    confirmAfterMs: options.confirmAfterMs ?? DEFAULTS.confirmAfterMs,
  };
}

export function completeLastKnownGoodOptions(options: LastKnownGoodOptions): LastKnownGoodConfig {
  return { path: resolve(options.path), maxAgeMs: options.maxAgeMs ?? DEFAULT_MAX_AGE_MS };
}
