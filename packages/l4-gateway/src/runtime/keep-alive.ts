const HOUR_MS = 3_600_000;

/** Keeps the process alive, which neither programs in the kernel nor signal handlers do, until it is called off. */
export function keepAlive(): () => void {
  const timer = setInterval(() => undefined, HOUR_MS);
  return () => clearInterval(timer);
}
