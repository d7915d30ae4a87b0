/** A report looks back over this many slots, the present one not yet complete: 900..1000 ms. */
const SLOT_COUNT = 10;
const SLOT_MS = 100;

/**
 * What a server knows of itself: time with requests, cores in use, requests and errors of about the last second.
 *
 * ```text
 * slots of 100 ms   [ 4 ][ 5 ][ 6 ][ 7 ][ 8 ][ 9 ][10 ][ 1 ][ 2 ][ 3 ]
 *                                                        ▲ oldest, overwritten next    ▲ present
 * ```
 */
export class ServerMeter {
  /** Since {@link reset}: the time integrals of the requests running and of the cores they use. */
  #runningMs = 0;
  #busyCoreMs = 0;
  #sinceMs = 0;

  #nowMs = 0;
  /** By slot: core milliseconds that requests used, and that were free for them. */
  readonly #busy = new Float64Array(SLOT_COUNT);
  readonly #free = new Float64Array(SLOT_COUNT);
  readonly #ended = new Int32Array(SLOT_COUNT);
  readonly #failed = new Int32Array(SLOT_COUNT);
  #slot = 0;
  #slotMs = 0;

  /** Forgets the means, at the end of the warm-up. The window of the reports stays. */
  reset(nowMs: number): void {
    this.#runningMs = 0;
    this.#busyCoreMs = 0;
    this.#sinceMs = nowMs;
  }

  /** The state until now. @returns how far the time has moved */
  advance(nowMs: number, running: number, freeCores: number): number {
    const elapsedMs = nowMs - this.#nowMs;
    const busyCores = running < freeCores ? running : freeCores;
    this.#runningMs += running * elapsedMs;
    this.#busyCoreMs += busyCores * elapsedMs;
    if (nowMs - this.#slotMs >= SLOT_MS) this.#turn(nowMs, busyCores, freeCores);
    const inSlotMs = nowMs - this.#nowMs;
    this.#busy[this.#slot] = (this.#busy[this.#slot] as number) + busyCores * inSlotMs;
    this.#free[this.#slot] = (this.#free[this.#slot] as number) + freeCores * inSlotMs;
    this.#nowMs = nowMs;
    return elapsedMs;
  }

  /** An answer leaves. */
  count(failed: boolean): void {
    this.#ended[this.#slot] = (this.#ended[this.#slot] as number) + 1;
    if (failed) this.#failed[this.#slot] = (this.#failed[this.#slot] as number) + 1;
  }

  /** Mean number of requests running since {@link reset}. */
  meanRunningCount(): number {
    const elapsedMs = this.#nowMs - this.#sinceMs;
    return elapsedMs > 0 ? this.#runningMs / elapsedMs : 0;
  }

  /** Mean share of the cores that requests use, since {@link reset}. */
  meanUtilization(cores: number): number {
    const elapsedMs = this.#nowMs - this.#sinceMs;
    return elapsedMs > 0 ? this.#busyCoreMs / elapsedMs / cores : 0;
  }

  /** As of the last {@link advance}. */
  read(cores: number): MeterReading {
    const windowMs = (SLOT_COUNT - 1) * SLOT_MS + this.#nowMs - this.#slotMs;
    const coveredMs = Math.max(1, Math.min(this.#nowMs, windowMs));
    const coreMs = coveredMs * cores;
    return {
      cpuUtilization: (coreMs - sum(this.#free) + sum(this.#busy)) / coreMs,
      queriesPerSecond: (sum(this.#ended) / coveredMs) * 1_000,
      errorsPerSecond: (sum(this.#failed) / coveredMs) * 1_000,
    };
  }

  /** Completes slots, which all saw the same state, until the present one is reached. */
  #turn(nowMs: number, busyCores: number, freeCores: number): void {
    let steps = Math.floor((nowMs - this.#slotMs) / SLOT_MS);
    // After a pause longer than the window only its last part is seen.
    const skipped = Math.max(0, steps - SLOT_COUNT);
    this.#slotMs += skipped * SLOT_MS;
    if (skipped > 0) this.#nowMs = this.#slotMs;
    for (steps -= skipped; steps > 0; steps--) {
      const inSlotMs = this.#slotMs + SLOT_MS - this.#nowMs;
      this.#busy[this.#slot] = (this.#busy[this.#slot] as number) + busyCores * inSlotMs;
      this.#free[this.#slot] = (this.#free[this.#slot] as number) + freeCores * inSlotMs;
      this.#slotMs += SLOT_MS;
      this.#nowMs = this.#slotMs;
      this.#slot = (this.#slot + 1) % SLOT_COUNT;
      this.#busy[this.#slot] = 0;
      this.#free[this.#slot] = 0;
      this.#ended[this.#slot] = 0;
      this.#failed[this.#slot] = 0;
    }
  }
}

/** The last second. */
export interface MeterReading {
  /** Share of the cores that requests and antagonists use, 0..1: what the machine's own meter shows. */
  readonly cpuUtilization: number;
  readonly queriesPerSecond: number;
  readonly errorsPerSecond: number;
}

function sum(values: Float64Array | Int32Array): number {
  let total = 0;
  for (const value of values) total += value;
  return total;
}
