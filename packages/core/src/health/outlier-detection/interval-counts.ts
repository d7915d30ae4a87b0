import { Outcome, OUTCOME_COUNT } from '../../model/outcome.ts';
import { withRoom } from './slot-arrays.ts';

/**
 * Whose failures a comparison looks at.
 *
 * | | successes | failures |
 * |---|---|---|
 * | `any` | success | every kind |
 * | `external` | success | what the endpoint answered: serverError, gatewayError |
 * | `local` | every answer, also a bad one: the way to the endpoint works | connectFailure, reset, timeout |
 */
export type FailureOrigin = 'any' | 'external' | 'local';

/** Counters per slot. The place of each class is fixed, because the request path writes the first one by itself. */
const CLASS = { success: 0, external: 1, local: 2, overloaded: 3 } as const;

/** Counters per slot: a power of two. */
export const CLASS_COUNT = 4;

/**
 * The class of each outcome; -1 is not counted. Cancelled says nothing about the endpoint. Overloaded is an answer, so
 * it counts where ways are compared, but is neither good nor bad where answers are: the endpoint works and asks for
 * less, which is the policy's business.
 */
const CLASS_OF: Int8Array = Int8Array.from({ length: OUTCOME_COUNT }, (_, outcome) =>
  classOf(outcome as Outcome),
);

function classOf(outcome: Outcome): number {
  switch (outcome) {
    case Outcome.success:
      return CLASS.success;
    case Outcome.serverError:
    case Outcome.gatewayError:
      return CLASS.external;
    case Outcome.connectFailure:
    case Outcome.reset:
    case Outcome.timeout:
      return CLASS.local;
    case Outcome.overloaded:
      return CLASS.overloaded;
    case Outcome.cancelled:
      return -1;
  }
}

/**
 * What ended on every slot since the interval began, by class, and the interval before.
 *
 * ```text
 * slot       0               1               2
 * current  [ s | e | l | o ][ s | e | l | o ][ ...      successes, external, local, overloaded
 * ```
 *
 * Two arrays that change places: turning an interval is one `fill`, and a status page can show the last full one.
 */
export class IntervalCounts {
  /** A plain field: the request path adds a success at `current[slot * CLASS_COUNT]`. Replaced when it grows or turns. */
  current: Uint32Array<ArrayBuffer> = new Uint32Array(0);
  #last: Uint32Array<ArrayBuffer> = new Uint32Array(0);

  ensureCapacity(slots: number): void {
    this.current = withRoom(this.current, slots * CLASS_COUNT, (size) => new Uint32Array(size));
    this.#last = withRoom(this.#last, slots * CLASS_COUNT, (size) => new Uint32Array(size));
  }

  add(slot: number, outcome: Outcome): void {
    const place = CLASS_OF[outcome] as number;
    if (place < 0) return;
    const at = slot * CLASS_COUNT + place;
    this.current[at] = (this.current[at] as number) + 1;
  }

  /** Forgets a slot. */
  reset(slot: number): void {
    this.current.fill(0, slot * CLASS_COUNT, (slot + 1) * CLASS_COUNT);
    this.#last.fill(0, slot * CLASS_COUNT, (slot + 1) * CLASS_COUNT);
  }

  /** The interval is over: what was counted becomes the last one, and counting begins anew. */
  turn(): void {
    const finished = this.current;
    this.current = this.#last.fill(0);
    this.#last = finished;
  }

  /** Begins anew and forgets the last interval too. */
  clear(): void {
    this.current.fill(0);
    this.#last.fill(0);
  }

  /** Of the last full interval. */
  successes(slot: number, origin: FailureOrigin): number {
    const good = this.#of(slot, CLASS.success);
    return origin === 'local'
      ? good + this.#of(slot, CLASS.external) + this.#of(slot, CLASS.overloaded)
      : good;
  }

  /** Of the last full interval. */
  failures(slot: number, origin: FailureOrigin): number {
    switch (origin) {
      case 'any':
        return this.#of(slot, CLASS.external) + this.#of(slot, CLASS.local);
      case 'external':
        return this.#of(slot, CLASS.external);
      case 'local':
        return this.#of(slot, CLASS.local);
    }
  }

  #of(slot: number, place: number): number {
    return this.#last[slot * CLASS_COUNT + place] ?? 0;
  }
}
