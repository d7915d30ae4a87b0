import type { ProcessMeter, ProcessReading } from '../../runtime/process-meter.ts';

/** Samples that a window is divided into. */
const SAMPLE_COUNT = 10;
/** Over less time than this no rate can be told. */
const MIN_ELAPSED_MS = 1;

/** Rates and shares over the window. */
export interface LoadFigures {
  readonly requestsPerSecond: number;
  readonly errorsPerSecond: number;
  /** Processor time of the process, as a share of all processors. */
  readonly cpuUtilization: number;
  /** Share of the time in which the event loop had something to do. */
  readonly loopUtilization: number;
  readonly memoryUtilization: number;
}

interface Sample extends ProcessReading {
  readonly timeMs: number;
  readonly requestCount: number;
  readonly errorCount: number;
}

/**
 * Turns counters into rates: keeps what they said at some moments, and takes the difference to the latest of them that is
 * a window ago. All figures are over the same time, because weights are ratios of them.
 *
 * ```text
 *   sample   1    2    3   ...  10   11
 *            └──────── window ───────┘        taken when a request comes and the last is old enough: no timer
 * ```
 *
 * After a pause the window reaches back over it, until it has passed.
 */
export class LoadWindow {
  figures: LoadFigures = {
    requestsPerSecond: 0,
    errorsPerSecond: 0,
    cpuUtilization: 0,
    loopUtilization: 0,
    memoryUtilization: 0,
  };
  readonly #meter: ProcessMeter;
  readonly #windowMs: number;
  readonly #samples: Sample[] = [];
  #nextMs = Number.NEGATIVE_INFINITY;

  /** @param windowMs length of the window */
  constructor(meter: ProcessMeter, windowMs: number) {
    this.#meter = meter;
    this.#windowMs = windowMs;
  }

  isDue(nowMs: number): boolean {
    return nowMs >= this.#nextMs;
  }

  /** Takes a sample of counters that only grow. */
  sample(nowMs: number, requestCount: number, errorCount: number): void {
    this.#nextMs = nowMs + this.#windowMs / SAMPLE_COUNT;
    const latest = { ...this.#meter.read(), timeMs: nowMs, requestCount, errorCount };
    const samples = this.#samples;
    samples.push(latest);
    while (nowMs - (samples[1]?.timeMs ?? nowMs) >= this.#windowMs) samples.shift();
    this.figures = this.#figuresOf(samples[0] ?? latest, latest);
  }

  #figuresOf(oldest: Sample, latest: Sample): LoadFigures {
    const elapsedMs = latest.timeMs - oldest.timeMs;
    const memoryUtilization = latest.memoryBytes / latest.memoryLimitBytes;
    if (elapsedMs < MIN_ELAPSED_MS) return { ...this.figures, memoryUtilization };
    const perSecond = 1_000 / elapsedMs;
    return {
      requestsPerSecond: (latest.requestCount - oldest.requestCount) * perSecond,
      errorsPerSecond: (latest.errorCount - oldest.errorCount) * perSecond,
      cpuUtilization: (latest.cpuMs - oldest.cpuMs) / elapsedMs / this.#meter.cpuCount,
      loopUtilization: Math.min(1, (latest.loopActiveMs - oldest.loopActiveMs) / elapsedMs),
      memoryUtilization,
    };
  }
}
