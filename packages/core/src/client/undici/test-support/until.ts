/** Waits for a condition with a limit; tests never sleep for a fixed time. */
export async function until(
  condition: () => boolean,
  what: string,
  limitMs = 5_000,
): Promise<void> {
  const giveUpMs = performance.now() + limitMs;
  while (!condition()) {
    if (performance.now() > giveUpMs) throw new Error(`waited ${limitMs} ms in vain: ${what}`);
    await new Promise((resolve) => {
      setTimeout(resolve, 2);
    });
  }
}
