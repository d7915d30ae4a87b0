/**
 * Zeroed memory that never moves, so that its address may be handed to the kernel.
 *
 * Small typed arrays may live on the engine's heap, where the garbage collector moves them; the memory of an
 * `ArrayBuffer` created first stays where it is. Whoever passes an address on keeps the array alive until the call
 * has returned.
 */
export function pinnedBytes(length: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array(new ArrayBuffer(length));
}

/** A copy of `bytes` in memory that never moves. */
export function pinnedCopy(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const copy = pinnedBytes(bytes.length);
  copy.set(bytes);
  return copy;
}

/** A NUL-terminated string in memory that never moves. */
export function pinnedString(text: string): Uint8Array<ArrayBuffer> {
  return pinnedCopy(new TextEncoder().encode(`${text}\0`));
}

/** The text before the first NUL. */
export function textOf(bytes: Uint8Array): string {
  const end = bytes.indexOf(0);
  return new TextDecoder().decode(end < 0 ? bytes : bytes.subarray(0, end));
}
