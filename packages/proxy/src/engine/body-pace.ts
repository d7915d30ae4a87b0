/**
 * The least pace of a body: whoever sends a byte now and then is never silent for long, and would hold a connection for
 * ever. Only time in which the proxy reads counts.
 */
export interface PaceLimits {
  readonly bodyGraceMs: number;
  readonly minBodyBytesPerSecond: number;
}

export class BodyPace {
  #startedAtMs = 0;
  /** Undefined while it is read. */
  #pausedAtMs: number | undefined = undefined;

  begin(nowMs: number): void {
    this.#startedAtMs = nowMs;
    this.#pausedAtMs = undefined;
  }

  /** The proxy does not read. Idempotent, like {@link resume}. */
  pause(nowMs: number): void {
    this.#pausedAtMs ??= nowMs;
  }

  resume(nowMs: number): void {
    if (this.#pausedAtMs === undefined) return;
    this.#startedAtMs += nowMs - this.#pausedAtMs;
    this.#pausedAtMs = undefined;
  }

  /** Until when so many bytes are enough: the time that they take at the least pace, and the grace. */
  dueAtMs(byteCount: number, { bodyGraceMs, minBodyBytesPerSecond }: PaceLimits): number {
    return this.#startedAtMs + bodyGraceMs + (byteCount / minBodyBytesPerSecond) * 1_000;
  }
}
