/** Three significant digits, thousands separated: `0.0123`, `12.3`, `1,234`. A dash where there is no number. */
export function numberText(value: number): string {
  if (!Number.isFinite(value)) return '–';
  const size = Math.abs(value);
  if (size >= 1_000) return Math.round(value).toLocaleString('en-US');
  return String(Number(value.toPrecision(3)));
}

/** Milliseconds, in seconds from 10 s on. */
export function durationText(valueMs: number): string {
  return valueMs >= 10_000 ? `${numberText(valueMs / 1_000)} s` : `${numberText(valueMs)} ms`;
}

/** A percentage: none is 0, and a little is never rounded to none. */
export function percentText(value: number): string {
  if (value === 0) return '0 %';
  if (value < 0.01) return '<0.01 %';
  return `${Number(value.toFixed(value < 10 ? 2 : 1))} %`;
}
