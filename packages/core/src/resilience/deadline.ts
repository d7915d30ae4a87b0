/**
 * How much time a request has left, over all its tries and all the services behind it.
 *
 * A deadline is a moment on the monotonic clock, kept as a plain number; `Infinity` stands for none. A timeout is a
 * length of time. Tries come and go, the deadline stays:
 *
 * ```text
 *   arrival                                              deadline = min(own, what the caller said)
 *      │── try 1 ──✕ ─ pause ─ │── try 2 ──────────✕ │── try 3 ──┤
 *      │  perTryTimeoutMs      │  perTryTimeoutMs    │ what is left
 * ```
 */
import { Outcome } from '../model/outcome.ts';
import { decode } from '../schema/decode.ts';
import { type DeadlineConfig, type DeadlineOptions, deadlineSchema } from './deadline-config.ts';

/** The deadline of a request that may take as long as it likes. */
export const NO_DEADLINE: number = Number.POSITIVE_INFINITY;

/** Time until a deadline: 0 when it has passed, `Infinity` when there is none. */
export function remainingMs(deadlineAtMs: number, nowMs: number): number {
  return deadlineAtMs > nowMs ? deadlineAtMs - nowMs : 0;
}

/** Arithmetic of one client's deadlines. Pure and free of allocation: time comes in with every call. */
export class DeadlinePolicy {
  readonly config: DeadlineConfig;
  readonly #totalMs: number;
  readonly #perTryMs: number;

  /** @throws ConfigError naming the option, its range and the value found */
  constructor(options: DeadlineOptions = {}) {
    this.config = decode(deadlineSchema, options, 'deadline');
    this.#totalMs = this.config.totalMs ?? NO_DEADLINE;
    this.#perTryMs = this.config.perTryTimeoutMs ?? NO_DEADLINE;
  }

  /**
   * The deadline of a request that arrives now.
   *
   * @param incomingMs time that the caller has left, as `decodeTimeout` or `decodeGrpcTimeout` read it. It can shorten
   *   the deadline and never lengthen it, so it needs no trust.
   */
  begin(nowMs: number, incomingMs?: number): number {
    const inheritedMs = this.config.inherit && incomingMs !== undefined ? incomingMs : NO_DEADLINE;
    return nowMs + Math.min(this.#totalMs, inheritedMs);
  }

  /** Time for a try that starts now: what is left, at most `perTryTimeoutMs`; `Infinity` for no limit. */
  tryTimeoutMs(deadlineAtMs: number, nowMs: number): number {
    return Math.min(this.#perTryMs, remainingMs(deadlineAtMs, nowMs));
  }

  /**
   * Would a try that starts after `delayMs` still have `minTryMs`? If not, it would only make work whose result nobody
   * waits for.
   */
  allowsTry(deadlineAtMs: number, nowMs: number, delayMs = 0): boolean {
    return deadlineAtMs - nowMs - delayMs >= this.config.minTryMs;
  }

  /**
   * What to tell the endpoint: the time left for this try less `hopMs` for the way. `Infinity`: say nothing.
   * The time that passes while a request waits in this process is thereby taken off for everyone behind it.
   */
  outgoingMs(deadlineAtMs: number, nowMs: number): number {
    if (!this.config.propagate) return NO_DEADLINE;
    return Math.max(0, this.tryTimeoutMs(deadlineAtMs, nowMs) - this.config.hopMs);
  }

  /**
   * Does a time limit that passed speak against the endpoint? Only if the endpoint had a fair amount of time. A caller
   * that grants 1 ms, or a third try that began when 5 ms were left, proves nothing about it; counting those would let
   * an impatient caller have healthy endpoints ejected.
   *
   * @param allowedMs what the try had, from {@link tryTimeoutMs}
   * @param tryLimitMs a limit of each try that is kept beside this policy; it can make fair what would not be
   */
  outcomeOfTimeout(allowedMs: number, tryLimitMs: number = NO_DEADLINE): Outcome {
    const limitMs = Math.min(this.#perTryMs, this.#totalMs);
    const fairMs =
      limitMs === NO_DEADLINE
        ? Math.min(FAIR_MS, tryLimitMs * FAIR_RATIO)
        : Math.min(limitMs, tryLimitMs) * FAIR_RATIO;
    return allowedMs >= fairMs ? Outcome.timeout : Outcome.cancelled;
  }
}

/**
 * A try with at least this part of the configured time was fair. Not 1: the time between arrival and first try is
 * already taken off the total.
 */
const FAIR_RATIO = 0.5;
/** What is fair for a client that has no limits of its own and only knows what its callers grant. */
const FAIR_MS = 1_000;
