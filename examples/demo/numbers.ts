/** The value below which a share of all values lies; 0 when there are none. Sorts a copy. */
export function percentile(values: readonly number[], share: number): number {
  if (values.length === 0) return 0;
  const sorted = Float64Array.from(values).sort();
  return sorted[Math.min(sorted.length - 1, Math.ceil(sorted.length * share) - 1)] ?? 0;
}

/** `12,345` */
export const count = (value: number): string => Math.round(value).toLocaleString('en-US');

/** `4.1 ms`, `62 ms` */
export const millis = (value: number): string =>
  `${value < 10 ? value.toFixed(1) : Math.round(value)} ms`;

/** `16.7 %` */
export const percent = (ratio: number): string => `${(ratio * 100).toFixed(1)} %`;

/** `3.2 s` */
export const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;
