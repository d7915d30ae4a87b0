/** Whole seconds since the machine was started: they go on when this process is started again. */
export function secondsUp(): number {
  return Math.floor(Number(process.hrtime.bigint() / 1_000_000_000n));
}

/**
 * Calls `work` once a second, without keeping the process alive.
 *
 * @returns ends it
 */
export function everySecond(work: () => void): () => void {
  const timer = setInterval(work, 1_000).unref();
  return () => clearInterval(timer);
}
