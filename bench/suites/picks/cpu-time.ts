import { loopTimer, type LoopOptions } from '../../support/loop-timer.ts';

/**
 * Time that this process has spent on a CPU, in milliseconds, all of its threads together.
 *
 * Figures of nanoseconds are taken in it rather than in elapsed time: what else runs on the machine does not count, and
 * what the collector and the compiler do in the background for this work does.
 */
export function cpuTimeMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
}

/** As `loopTimer`, in CPU time. */
export function cpuLoopTimer(
  loop: (iterations: number) => number,
  options: LoopOptions,
): () => number {
  let usedMs = 0;
  let count = 0;
  const run = loopTimer((iterations) => {
    // Another process had the caches since the last sample: they are to be filled before, not within.
    loop(iterations >> 3);
    const startedMs = cpuTimeMs();
    const result = loop(iterations);
    usedMs = cpuTimeMs() - startedMs;
    count = iterations;
    return result;
  }, options);
  return () => {
    run();
    return (usedMs * 1e6) / count;
  };
}

/** CPU milliseconds of one call. */
export function cpuTimeOf(work: () => unknown): number {
  const startedMs = cpuTimeMs();
  work();
  return cpuTimeMs() - startedMs;
}
