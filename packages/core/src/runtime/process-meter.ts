import { availableParallelism, totalmem } from 'node:os';
import { performance } from 'node:perf_hooks';

/** Counters of this process. Only differences between two readings mean anything, but for the last two. */
export interface ProcessReading {
  /** Processor time used so far by all threads, in milliseconds. */
  readonly cpuMs: number;
  /** Time so far in which the event loop was not waiting for events, in milliseconds. */
  readonly loopActiveMs: number;
  /** Memory that the process holds now, in bytes. */
  readonly memoryBytes: number;
  /** Memory that it may hold, in bytes: the limit of its container, else what the machine has. */
  readonly memoryLimitBytes: number;
}

/** What a process uses of its machine, as a port. */
export interface ProcessMeter {
  /** Processors that the process may use, above 0. */
  readonly cpuCount: number;
  read(): ProcessReading;
}

/** The real thing. A reading costs some 20 microseconds, most of it for the memory. */
export function createProcessMeter(): ProcessMeter {
  const memoryLimitBytes = memoryLimit();
  return {
    cpuCount: availableParallelism(),
    read: () => {
      const { user, system } = process.cpuUsage();
      return {
        cpuMs: (user + system) / 1_000,
        loopActiveMs: performance.eventLoopUtilization().active,
        memoryBytes: process.memoryUsage.rss(),
        memoryLimitBytes,
      };
    },
  };
}

function memoryLimit(): number {
  const machine = totalmem();
  // Without a limit some systems tell a number beyond all memory, others 0.
  const constrained = process.constrainedMemory();
  return constrained > 0 && constrained < machine ? constrained : machine;
}
