import type { ProcessMeter, ProcessReading } from '../../runtime/process-meter.ts';

/** A process whose counters a test sets. */
export class ScriptedMeter implements ProcessMeter {
  readonly cpuCount: number;
  reading: ProcessReading = {
    cpuMs: 0,
    loopActiveMs: 0,
    memoryBytes: 250,
    memoryLimitBytes: 1_000,
  };
  readCount = 0;

  constructor(cpuCount = 1) {
    this.cpuCount = cpuCount;
  }

  set(part: Partial<ProcessReading>): void {
    this.reading = { ...this.reading, ...part };
  }

  read(): ProcessReading {
    this.readCount++;
    return this.reading;
  }
}
