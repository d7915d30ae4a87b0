/** Cost of an operation of a few nanoseconds: time a long loop of it. */

export interface LoopOptions {
  /** How long one measurement should last. Default 50 ms: far above the clock's and the scheduler's grain. */
  readonly targetMs?: number;
}

/**
 * Finds out how many iterations fill the target time, and returns a measurement that runs that many
 * and gives nanoseconds per operation.
 *
 * @param loop runs the operation `iterations` times and returns something that depends on every
 *   result, so that the compiler cannot drop the work
 */
export function loopTimer(
  loop: (iterations: number) => number,
  options: LoopOptions = {},
): () => number {
  const { targetMs = 50 } = options;
  let iterations = 1_000;
  for (;;) {
    const elapsedMs = timeMs(loop, iterations);
    if (elapsedMs >= targetMs / 4) {
      iterations = Math.max(1, Math.round((iterations * targetMs) / elapsedMs));
      break;
    }
    iterations *= 4;
  }
  return () => (timeMs(loop, iterations) * 1e6) / iterations;
}

/** Where results go: read by nobody, but the compiler does not know that. */
export const sink: { value: number } = { value: 0 };

function timeMs(loop: (iterations: number) => number, iterations: number): number {
  const started = performance.now();
  sink.value = loop(iterations);
  return performance.now() - started;
}
