import type { ServerResult, SimulationResult, Timeline } from '../result.ts';
import { escaped, px } from './markup.ts';
import { encodePng } from './png.ts';

/** Share of the traffic against the fair share, at the ends and turns of the colours. */
const STOPS = [0, 1, 2, 4] as const;
/** Nothing, fair, twice, four times: fair stands back, above it warns. Opacity keeps it apart from the page's colour. */
const COLOURS: readonly (readonly [number, number, number, number])[] = [
  [66, 133, 196, 0],
  [66, 133, 196, 175],
  [236, 151, 31, 235],
  [190, 30, 45, 255],
];
const LEVELS = 64;

const WIDTH = 960;
const LEFT = 110;
const RIGHT = WIDTH - 14;
const ROW_HEIGHT = 4;
/** More labels than that would overlap. */
const MAX_SECTIONS = 12;
const TOP = 26;

/** Where the traffic went: a row per server, a column per step of time. */
export function heatMap(result: SimulationResult): string {
  const { timeline } = result;
  const servers = inRows(result.servers);
  const steps = timeline.offeredPerSecond.length;
  const height = Math.min(260, Math.max(80, servers.length * ROW_HEIGHT));
  const struck = new Set(result.faults.flatMap((fault) => fault.servers));
  // What goes wrong with everybody marks nobody.
  const marked = struck.size < servers.length / 2 ? struck : new Set<number>();
  const picture = encodePng({
    width: steps,
    height: servers.length,
    palette: paletteOf(),
    points: pointsOf(servers, timeline),
  }).toString('base64');
  const rowHeight = height / servers.length;
  const parts = [
    `<text class="title" x="${LEFT}" y="16">${escaped(result.label)}</text>`,
    `<rect class="frame" x="${LEFT}" y="${TOP}" width="${RIGHT - LEFT}" height="${height}"/>`,
    `<image x="${LEFT}" y="${TOP}" width="${RIGHT - LEFT}" height="${height}" preserveAspectRatio="none" href="data:image/png;base64,${picture}"/>`,
    ...sectionsOf(servers).map(({ label, from, to }) => {
      const top = TOP + from * rowHeight;
      const middle = TOP + ((from + to) / 2) * rowHeight;
      return (
        (from > 0
          ? `<line class="grid" x1="${LEFT - 8}" x2="${RIGHT}" y1="${px(top)}" y2="${px(top)}"/>`
          : '') +
        `<text class="tick end" x="${LEFT - 10}" y="${px(middle + 4)}">${escaped(label)}</text>`
      );
    }),
    ...servers.map(({ index }, row) => {
      if (!marked.has(index)) return '';
      const middle = TOP + (row + 0.5) * rowHeight;
      return `<path class="struck" d="M${LEFT - 7} ${px(middle - 3)}l6 3l-6 3z"><title>a fault strikes this server</title></path>`;
    }),
  ];
  return `<svg viewBox="0 0 ${WIDTH} ${px(TOP + height + 6)}" role="img" aria-label="traffic by server and time">${parts.join('')}</svg>`;
}

/** The colours with their meaning. */
export function heatLegend(): string {
  const width = 220;
  const stops = STOPS.map((stop, index) => {
    const [red, green, blue, opacity] = COLOURS[index] ?? [0, 0, 0, 0];
    const at = (levelOf(stop) / (LEVELS - 1)) * 100;
    return `<stop offset="${px(at)}%" stop-color="rgb(${red},${green},${blue})" stop-opacity="${(opacity / 255).toFixed(2)}"/>`;
  });
  const labels = ['none', 'fair share', '2x', '4x'].map((text, index) => {
    const at = 10 + (levelOf(STOPS[index] ?? 0) / (LEVELS - 1)) * width;
    const anchor = index === 0 ? 'start' : index === 3 ? 'end' : 'middle';
    return `<text class="tick ${anchor}" x="${px(at)}" y="30">${text}</text>`;
  });
  return `<svg class="legend" viewBox="0 0 ${width + 20} 36"><defs><linearGradient id="heat">${stops.join('')}</linearGradient></defs><rect class="frame" x="10" y="4" width="${width}" height="12"/><rect x="10" y="4" width="${width}" height="12" fill="url(#heat)"/>${labels.join('')}</svg>`;
}

function pointsOf(servers: readonly ServerResult[], timeline: Timeline): Uint8Array {
  const steps = timeline.offeredPerSecond.length;
  const points = new Uint8Array(steps * servers.length);
  for (let step = 0; step < steps; step++) {
    const total = timeline.attempts.reduce((sum, counts) => sum + (counts[step] ?? 0), 0);
    if (total === 0) continue;
    servers.forEach(({ index }, row) => {
      const count = timeline.attempts[index]?.[step] ?? 0;
      points[row * steps + step] = levelOf((count * servers.length) / total);
    });
  }
  return points;
}

/** The square root spreads what is below the fair share. */
function levelOf(shareToFair: number): number {
  const most = STOPS[3];
  return Math.round(Math.sqrt(Math.min(shareToFair, most) / most) * (LEVELS - 1));
}

function paletteOf(): [number, number, number, number][] {
  return Array.from({ length: LEVELS }, (_, level) => {
    const share = STOPS[3] * (level / (LEVELS - 1)) ** 2;
    const after = Math.max(
      1,
      STOPS.findIndex((stop) => stop >= share),
    );
    const low = STOPS[after - 1] ?? 0;
    const part = (share - low) / ((STOPS[after] ?? 1) - low);
    const mix = (channel: 0 | 1 | 2 | 3): number => {
      const from = COLOURS[after - 1]?.[channel] ?? 0;
      return Math.round(from + ((COLOURS[after]?.[channel] ?? 0) - from) * part);
    };
    return [mix(0), mix(1), mix(2), mix(3)];
  });
}

interface Section {
  readonly label: string;
  readonly from: number;
  readonly to: number;
}

/** Zone by zone, where there are several. */
function inRows(servers: readonly ServerResult[]): ServerResult[] {
  return [...servers].sort(
    (a, b) => (a.zone < b.zone ? -1 : a.zone > b.zone ? 1 : 0) || a.index - b.index,
  );
}

/** Neighbours that are alike. */
function sectionsOf(rows: readonly ServerResult[]): Section[] {
  const sections: { label: string; from: number; to: number }[] = [];
  const hasZones = new Set(rows.map(({ zone }) => zone)).size > 1;
  rows.forEach(({ speed, zone }, row) => {
    const label = hasZones ? `zone ${zone}` : `speed ${speed}`;
    const last = sections.at(-1);
    if (last?.label === label) last.to = row + 1;
    else sections.push({ label, from: row, to: row + 1 });
  });
  return sections.length > MAX_SECTIONS ? [] : sections;
}
