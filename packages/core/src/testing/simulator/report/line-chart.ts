import { escaped, px } from './markup.ts';
import { linearScale, logScale, type Scale } from './scale.ts';

/** A line: a value per x, NaN where there is none. */
export interface Series {
  readonly label: string;
  /** CSS class that gives the colour. */
  readonly colour: string;
  readonly values: readonly number[];
  readonly dashed?: boolean;
}

/** A stretch of the x axis that something was different. */
export interface Band {
  readonly label: string;
  readonly from: number;
  readonly to: number;
  /** Said in a low voice: the warm-up. */
  readonly quiet?: boolean;
}

export interface LineChart {
  readonly title: string;
  readonly xs: readonly number[];
  /** Ends of the x axis. Default: the first and the last of `xs`. */
  readonly xEnds?: readonly [number, number];
  readonly series: readonly Series[];
  readonly bands?: readonly Band[];
  readonly yScale: 'linear' | 'log';
  /** Least upper end of the y axis, so that noise around 0 does not fill the chart. */
  readonly yAtLeast?: number;
  readonly xText: (x: number) => string;
  readonly yText: (y: number) => string;
  /** Marks of the x axis; left out: round numbers. Given, the axis is drawn as `xs` say, whatever their meaning. */
  readonly xTicks?: readonly number[];
}

const WIDTH = 960;
const HEIGHT = 230;
const LEFT = 66;
const RIGHT = WIDTH - 14;
const TOP = 34;
const BOTTOM = HEIGHT - 26;

/** Draws lines as SVG. Colours come from the style sheet of the page. */
export function lineChart(chart: LineChart): string {
  const { title, xs, series, bands = [] } = chart;
  const x = linearScale({
    min: chart.xEnds?.[0] ?? xs[0] ?? 0,
    max: chart.xEnds?.[1] ?? xs.at(-1) ?? 1,
    fromPixel: LEFT,
    toPixel: RIGHT,
  });
  const y = yScaleOf(chart);
  const parts = [
    `<text class="title" x="${LEFT}" y="16">${escaped(title)}</text>`,
    ...bands.map((band) => drawBand(band, x)),
    ...y.ticks.map((tick) => drawYTick(y.toPixel(tick), chart.yText(tick))),
    ...(chart.xTicks ?? x.ticks).map((tick) => drawXTick(x.toPixel(tick), chart.xText(tick))),
    ...series.map((line) => drawLine(line, xs, { x, y })),
  ];
  return `<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${escaped(title)}">${parts.join('')}</svg>`;
}

function yScaleOf({ series, yScale, yAtLeast = 0 }: LineChart): Scale {
  const values = series.flatMap((line) => line.values).filter(Number.isFinite);
  const max = values.reduce((most, value) => Math.max(most, value), yAtLeast);
  const range = { fromPixel: BOTTOM, toPixel: TOP };
  if (yScale === 'linear')
    return linearScale({ ...range, min: 0, max: max === 0 ? 1 : max * 1.04 });
  const min = values.reduce((least, value) => (value > 0 ? Math.min(least, value) : least), max);
  return max > 0
    ? logScale({ ...range, min: min / 1.15, max: max * 1.15 })
    : linearScale({ ...range, min: 0, max: 1 });
}

function drawBand({ label, from, to, quiet }: Band, x: Scale): string {
  const suffix = quiet === true ? ' quiet' : '';
  const left = Math.max(LEFT, x.toPixel(from));
  const width = Math.min(RIGHT, x.toPixel(to)) - left;
  if (!(width > 0)) return '';
  return (
    `<rect class="band${suffix}" x="${px(left)}" y="${TOP}" width="${px(width)}" height="${BOTTOM - TOP}"/>` +
    `<text class="band-label${suffix}" x="${px(left + 5)}" y="${TOP + 13}">${escaped(label)}</text>`
  );
}

function drawYTick(at: number, text: string): string {
  return (
    `<line class="grid" x1="${LEFT}" x2="${RIGHT}" y1="${px(at)}" y2="${px(at)}"/>` +
    `<text class="tick end" x="${LEFT - 8}" y="${px(at + 4)}">${escaped(text)}</text>`
  );
}

function drawXTick(at: number, text: string): string {
  // A label centred on the edge would be cut off.
  const anchor = at > RIGHT - 20 ? 'end' : at < LEFT + 12 ? 'start' : 'middle';
  return (
    `<line class="mark" x1="${px(at)}" x2="${px(at)}" y1="${BOTTOM}" y2="${BOTTOM + 4}"/>` +
    `<text class="tick ${anchor}" x="${px(at)}" y="${BOTTOM + 18}">${escaped(text)}</text>`
  );
}

interface Axes {
  readonly x: Scale;
  readonly y: Scale;
}

function drawLine(
  { label, colour, values, dashed }: Series,
  xs: readonly number[],
  axes: Axes,
): string {
  let path = '';
  let open = false;
  values.forEach((value, index) => {
    if (!Number.isFinite(value)) {
      open = false;
      return;
    }
    const x = axes.x.toPixel(xs[index] ?? 0);
    path += `${open ? 'L' : 'M'}${px(x)} ${px(axes.y.toPixel(value))}`;
    open = true;
  });
  return `<path class="line ${colour}${dashed === true ? ' dashed' : ''}" d="${path}"><title>${escaped(label)}</title></path>`;
}
