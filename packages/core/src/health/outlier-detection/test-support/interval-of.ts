import { Outcome, type OutcomeName } from '../../../model/outcome.ts';
import { IntervalCounts } from '../interval-counts.ts';

/** What ended on one slot, by outcome. */
export type Ended = Partial<Record<OutcomeName, number>>;

/** A full interval with these outcomes on slots 0, 1, 2 ... */
export function intervalOf(...slots: readonly Ended[]): IntervalCounts {
  const counts = new IntervalCounts();
  counts.ensureCapacity(slots.length);
  slots.forEach((ended, slot) => {
    for (const [name, times] of Object.entries(ended)) {
      for (let i = 0; i < times; i++) counts.add(slot, Outcome[name as OutcomeName]);
    }
  });
  counts.turn();
  return counts;
}

/** Slots 0..count-1. */
export function slotsTo(count: number): number[] {
  return Array.from({ length: count }, (_, slot) => slot);
}

/** A hundred requests of which this many failed. */
export function hundredWith(failures: number): Ended {
  return { success: 100 - failures, serverError: failures };
}
