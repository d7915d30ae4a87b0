/**
 * One request on several endpoints at once: which answer counts?
 *
 * ```text
 *               good             bad, others run          bad, none runs        after the winner
 *   settle ──► `win`             `wait`                   `fail`                `late`
 *              pass it on,       drop it; a hedge may     pass it on            drop it
 *              cancel the rest   start at once
 * ```
 *
 * What the endpoints get for it: the winner its outcome, a bad answer its outcome too, a loser that was cancelled
 * {@link LOSER_OUTCOME}: it did nothing wrong, and would else be punished for a slowness that was never measured.
 */
import { Outcome } from '../model/outcome.ts';

/** What to report about a try that was cancelled because another one won. */
export const LOSER_OUTCOME: Outcome = Outcome.cancelled;

export type RaceVerdict = 'win' | 'wait' | 'fail' | 'late';

/** Counts the tries of one request. Each try that begins settles once, cancelled losers included or not. */
export class HedgeRace {
  #running = 0;
  #begun = 0;
  #decided = false;

  /** Tries that have begun and not settled. */
  get running(): number {
    return this.#running;
  }

  /** Tries beside the first. */
  get hedges(): number {
    return Math.max(0, this.#begun - 1);
  }

  /** Is the answer there, or the request lost? */
  get decided(): boolean {
    return this.#decided;
  }

  /** A try begins. @returns its number, 0 for the first; -1 when all is decided and it must not begin */
  begin(): number {
    if (this.#decided) return -1;
    this.#running++;
    return this.#begun++;
  }

  /** A try has ended. @param good is its answer one to pass on while others still run? */
  settle(good: boolean): RaceVerdict {
    if (this.#running > 0) this.#running--;
    if (this.#decided) return 'late';
    if (!good && this.#running > 0) return 'wait';
    this.#decided = true;
    return good ? 'win' : 'fail';
  }

  /** The caller gave up, or its time is over: whatever comes now is late. */
  abandon(): void {
    this.#decided = true;
  }
}
