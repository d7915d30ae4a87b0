import type { SimulationResult } from '../result.ts';
import { heatLegend, heatMap } from './heat-map.ts';
import { type Band, lineChart, type LineChart, type Series } from './line-chart.ts';
import { escaped } from './markup.ts';
import { durationText, numberText } from './number-text.ts';
import { COLUMNS } from './result-columns.ts';
import { COLOUR_COUNT, STYLE } from './style.ts';

/**
 * A report as one HTML file that needs nothing else: tables, and plots over time of latency, errors, throughput and of
 * where the traffic went. Runs of the same scenario are compared with each other.
 */
export function simulationReport(
  results: readonly SimulationResult[],
  title = 'Simulation',
): string {
  const scenarios = [...new Set(results.map(({ scenario }) => scenario))];
  const sections = scenarios.map((scenario) =>
    sectionOf(results.filter((result) => result.scenario === scenario)),
  );
  return [
    '<!doctype html>',
    '<html lang="en"><head><meta charset="utf-8">',
    '<meta name="viewport" content="width=device-width,initial-scale=1">',
    `<title>${escaped(title)}</title><style>${STYLE}</style></head><body><main>`,
    `<h1>${escaped(title)}</h1>`,
    '<p>Real policies and real health on virtual time, in front of modelled servers. Equal seeds give equal numbers; ' +
      'all runs of a scenario meet the same arrivals, work and disturbances.</p>',
    ...sections,
    `<footer>Latency is what a caller sees: from the request's arrival at its client to the end of its last attempt, ` +
      'failed requests included. Jsq and sed are oracles that see the true state of all servers.</footer>',
    '</main></body></html>\n',
  ].join('\n');
}

function sectionOf(results: readonly SimulationResult[]): string {
  const [first] = results;
  if (first === undefined) return '';
  return [
    `<h2>${escaped(first.scenario)}</h2>`,
    first.description === '' ? '' : `<p>${escaped(first.description)}</p>`,
    facts(first),
    table(results),
    ...charts(results).map((chart) => `<figure>${lineChart(chart)}</figure>`),
    '<h3>Where the traffic went</h3>',
    '<p>A row per server, time from left to right. An arrow marks servers that a fault strikes.</p>',
    heatLegend(),
    ...results.map((result) => `<figure>${heatMap(result)}</figure>`),
  ].join('\n');
}

function facts({
  servers,
  capacityPerSecond,
  measured,
  requestCount,
  seed,
}: SimulationResult): string {
  const items: readonly (readonly [string, string])[] = [
    [numberText(servers.length), 'servers'],
    [numberText(capacityPerSecond), 'requests/s capacity'],
    [numberText(requestCount), 'requests measured'],
    [durationText(measured.untilMs - measured.fromMs), 'measured'],
    [String(seed), 'seed'],
  ];
  const list = items.map(([value, name]) => `<li><b>${value}</b><span>${name}</span></li>`);
  return `<ul class="facts">${list.join('')}</ul>`;
}

function table(results: readonly SimulationResult[]): string {
  const head = COLUMNS.map(({ name }) => `<th>${escaped(name)}</th>`).join('');
  const rows = results.map((result, row) => {
    const cells = COLUMNS.map(({ valueOf, textOf, best }) => {
      const value = valueOf(result);
      const isBest =
        best === true && results.length > 1 && results.every((other) => valueOf(other) >= value);
      return `<td${isBest ? ' class="best"' : ''}>${escaped(textOf(value))}</td>`;
    });
    return `<tr><td>${swatch(row)}${escaped(result.label)}</td>${cells.join('')}</tr>`;
  });
  return `<div class="scroll"><table><thead><tr><th>policy</th>${head}</tr></thead><tbody>${rows.join('')}</tbody></table></div>`;
}

function swatch(row: number): string {
  return `<span class="swatch ${colourOf(row)}${isDashed(row) ? ' dashed' : ''}"></span>`;
}

function charts(results: readonly SimulationResult[]): LineChart[] {
  const [first] = results;
  if (first === undefined) return [];
  const { stepMs, offeredPerSecond } = first.timeline;
  const xs = offeredPerSecond.map((_, step) => ((step + 0.5) * stepMs) / 1_000);
  const overTime = {
    xs,
    xEnds: [0, (offeredPerSecond.length * stepMs) / 1_000] as const,
    bands: bandsOf(first),
    xText: (x: number) => `${numberText(x)} s`,
  };
  return [
    distribution(results),
    {
      ...overTime,
      title: 'p99 latency over time',
      series: seriesOf(results, ({ timeline }) => timeline.p99Ms),
      yScale: 'log',
      yText: durationText,
    },
    {
      ...overTime,
      title: 'Failed requests',
      series: seriesOf(results, ({ timeline }) => timeline.errorPercent),
      yScale: 'linear',
      yAtLeast: 1,
      yText: (y) => `${numberText(y)} %`,
    },
    {
      ...overTime,
      title: 'Requests that ended well, per second',
      series: seriesOf(results, ({ timeline }) => timeline.goodPerSecond),
      yScale: 'linear',
      yText: numberText,
    },
  ];
}

/** Latency by share of requests, the tail spread out: one nine more is one step to the right. */
function distribution(results: readonly SimulationResult[]): LineChart {
  const longest = results.reduce<SimulationResult['quantiles']>(
    (most, { quantiles }) => (quantiles.length > most.length ? quantiles : most),
    [],
  );
  const nines = (ratio: number): number => -Math.log10(1 - ratio);
  const xs = longest.map(({ ratio }) => nines(ratio));
  return {
    title: 'Latency by share of the requests',
    xs,
    series: seriesOf(results, ({ quantiles }) =>
      longest.map((_, index) => quantiles[index]?.latencyMs ?? Number.NaN),
    ),
    yScale: 'log',
    xTicks: [0.5, 0.9, 0.99, 0.999, 0.9999].map(nines).filter((x) => x <= (xs.at(-1) ?? 0) + 0.02),
    xText: (x) => `p${Number(((1 - 10 ** -x) * 100).toFixed(2))}`,
    yText: durationText,
  };
}

function seriesOf(
  results: readonly SimulationResult[],
  valuesOf: (result: SimulationResult) => readonly number[],
): Series[] {
  return results.map((result, row) => ({
    label: result.label,
    colour: colourOf(row),
    dashed: isDashed(row),
    values: valuesOf(result),
  }));
}

/** The warm-up, and the faults that do not last the whole run. */
function bandsOf({ faults, measured }: SimulationResult): Band[] {
  const warmUp = { label: 'not measured', from: 0, to: measured.fromMs / 1_000, quiet: true };
  return [
    warmUp,
    ...faults
      .filter(({ fromMs, untilMs }) => fromMs > 0 || untilMs < measured.untilMs)
      .map(({ label, fromMs, untilMs }) => ({ label, from: fromMs / 1_000, to: untilMs / 1_000 })),
  ];
}

function colourOf(row: number): string {
  return `c${row % COLOUR_COUNT}`;
}

function isDashed(row: number): boolean {
  return row >= COLOUR_COUNT;
}
