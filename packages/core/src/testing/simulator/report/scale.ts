/** From values to pixels, with the marks that the axis shows. */
export interface Scale {
  toPixel(value: number): number;
  readonly ticks: readonly number[];
}

/** What a scale covers, and where: `from` may be below `to` in value and above it on the screen. */
export interface ScaleRange {
  readonly min: number;
  readonly max: number;
  readonly fromPixel: number;
  readonly toPixel: number;
}

/** Equal distances for equal differences. */
export function linearScale({ min, max, fromPixel, toPixel }: ScaleRange): Scale {
  const span = max > min ? max - min : 1;
  const step = roundStep(span / 5);
  const ticks: number[] = [];
  for (let tick = Math.ceil(min / step) * step; tick <= max + step * 1e-9; tick += step)
    ticks.push(Number(tick.toPrecision(12)));
  return {
    toPixel: (value) => fromPixel + ((value - min) / span) * (toPixel - fromPixel),
    ticks,
  };
}

/** Equal distances for equal ratios: one policy being twice as slow looks alike at 10 ms and at 1 s. `min` above 0. */
export function logScale({ min, max, fromPixel, toPixel }: ScaleRange): Scale {
  const low = Math.log(min);
  const span = Math.max(Math.log(max) - low, 1e-9);
  const decades = span / Math.LN10;
  const digits = decades > 2.5 ? [1] : decades > 1.2 ? [1, 3] : [1, 2, 5];
  const ticks: number[] = [];
  for (let power = Math.floor(Math.log10(min)); 10 ** power <= max; power++) {
    for (const digit of digits) {
      const tick = Number((digit * 10 ** power).toPrecision(3));
      if (tick >= min * 0.999 && tick <= max * 1.001) ticks.push(tick);
    }
  }
  return {
    toPixel: (value) =>
      fromPixel + ((Math.log(Math.max(value, min)) - low) / span) * (toPixel - fromPixel),
    ticks,
  };
}

/** The next of 1, 2, 5, 10, 20, 50 ... */
function roundStep(atLeast: number): number {
  const power = 10 ** Math.floor(Math.log10(atLeast));
  for (const digit of [1, 2, 5]) if (digit * power >= atLeast * 0.999) return digit * power;
  return 10 * power;
}
