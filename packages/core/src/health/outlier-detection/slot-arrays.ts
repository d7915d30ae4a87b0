/** A typed array that can be grown: one number per slot. */
interface SlotArray {
  readonly length: number;
  set(values: ArrayLike<number>): void;
}

/** The array itself when it has room for `slots`, else a larger copy. Doubles, so that joining is cheap on average. */
export function withRoom<T extends SlotArray & ArrayLike<number>>(
  array: T,
  slots: number,
  create: (length: number) => T,
): T {
  if (slots <= array.length) return array;
  const larger = create(Math.max(slots, array.length * 2, 16));
  larger.set(array);
  return larger;
}
