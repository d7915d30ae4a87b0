import type { SuiteContext } from '../../support/suite.ts';

/** How much is simulated. */
export interface Plan {
  readonly loads: readonly number[];
  /** Every number is over several runs: seeds decide which servers are disturbed. */
  readonly seeds: readonly number[];
  readonly warmUpMs: number;
  readonly durationMs: number;
  /** Bad servers make so large a difference that less will do. */
  readonly badServerSeeds: readonly number[];
  readonly badServerDurationMs: number;
}

/** The load at which the targets hold. */
export const TARGET_LOAD = 85;

export function planOf({ quick }: Pick<SuiteContext, 'quick'>): Plan {
  if (quick) {
    return {
      loads: [TARGET_LOAD],
      seeds: [1],
      warmUpMs: 1_000,
      durationMs: 2_000,
      badServerSeeds: [1],
      badServerDurationMs: 1_500,
    };
  }
  return {
    loads: [70, TARGET_LOAD, 95, 103],
    seeds: [1, 2],
    warmUpMs: 4_000,
    durationMs: 15_000,
    badServerSeeds: [1, 2],
    badServerDurationMs: 8_000,
  };
}
