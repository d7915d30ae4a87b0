/** Something that hands out small integers in turn. */
export interface Picker {
  pick(): number;
}

/**
 * Largest distance, in picks and in either direction, between what endpoints have been given and their shares of it, at
 * any time within `picks` picks. Endpoints are the indexes of `weights`.
 */
export function largestDeviation(
  picker: Picker,
  weights: readonly number[],
  picks: number,
): number {
  const sum = weights.reduce((total, weight) => total + weight, 0);
  const counts = weights.map(() => 0);
  let largest = 0;
  for (let time = 1; time <= picks; time++) {
    const endpoint = picker.pick();
    counts[endpoint] = counts[endpoint]! + 1;
    for (const [index, weight] of weights.entries()) {
      largest = Math.max(largest, Math.abs(counts[index]! - (time * weight) / sum));
    }
  }
  return largest;
}

/** Weights that are hard on weighted round robins, by name. */
export const hardWeights: readonly {
  readonly name: string;
  readonly weights: readonly number[];
}[] = [
  { name: 'nginx example', weights: [5, 1, 1] },
  {
    name: '5 x 20 and 95 x 1',
    weights: [...Array<number>(5).fill(20), ...Array<number>(95).fill(1)],
  },
  { name: '100 equal', weights: Array<number>(100).fill(1) },
  { name: '1 to 60', weights: Array.from({ length: 60 }, (_, index) => index + 1) },
  { name: 'powers of two', weights: Array.from({ length: 12 }, (_, index) => 2 ** index) },
  { name: 'one dominates', weights: [1_000, ...Array<number>(100).fill(1)] },
  { name: 'fractions', weights: [0.1, 0.25, 0.333, 1, 1.5, 0.05] },
];
