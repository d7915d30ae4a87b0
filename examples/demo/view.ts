/** The live picture, as lines of text: no more than 80 columns. */
import { eventText } from './event-text.ts';
import { count, millis, percent, percentile, seconds } from './numbers.ts';
import { sumOf, triesBetween } from './sampler.ts';
import type { Stage } from './stage.ts';

export interface ViewOptions {
  readonly stage: Stage;
  /** What happens to the servers at the moment. */
  readonly incident: string;
  /** May colours be used? */
  readonly colour: boolean;
  /** Rows of the terminal. */
  readonly rows: number;
}

/** Figures are those of the last second. */
const SPAN_MS = 1_000;
const BAR_WIDTH = 24;

export function renderView({ stage, incident, colour, rows }: ViewOptions): string[] {
  const { load, sampler, events, cluster } = stage;
  const paint = colour ? coloured : plain;
  const nowMs = load.nowMs();
  const recent = load.served.filter(({ atMs }) => atMs >= nowMs - SPAN_MS);
  const tries = triesBetween(sampler.samples, nowMs - SPAN_MS - 50, nowMs);
  const total = Math.max(1, sumOf(tries));
  const { endpoints, policy, eligibleCount } = cluster.snapshot();
  const latencies = recent.map(({ latencyMs }) => latencyMs);
  const head = [
    paint.strong(
      `  Evenkeel  ${endpoints.length} servers, ${eligibleCount} in rotation, policy ${policy}`,
    ),
    '',
    `  ${count(recent.length).padStart(6)} requests/s    p50 ${millis(percentile(latencies, 0.5)).padEnd(8)}` +
      `p99 ${millis(percentile(latencies, 0.99)).padEnd(8)}errors ${count(load.errors)}`,
    '',
    paint.faint(`  server    state      ${'share'.padEnd(BAR_WIDTH + 9)}  p50      in flight`),
    ...[...endpoints]
      .sort((a, b) => a.id.localeCompare(b.id))
      .map(({ id, state, activeCount }) => {
        const share = (tries.get(id) ?? 0) / total;
        const own = recent.filter(({ server }) => server === id).map(({ latencyMs }) => latencyMs);
        const bar = '█'.repeat(Math.round(Math.min(1, share * 2) * BAR_WIDTH));
        return (
          `  ${id.padEnd(10)}${paint.state(state)(state.padEnd(11))}${paint.bar(bar.padEnd(BAR_WIDTH))}` +
          ` ${percent(share).padStart(7)}   ${(own.length === 0 ? '-' : millis(percentile(own, 0.5))).padEnd(9)}${activeCount}`
        );
      }),
    '',
    `  ${paint.strong(seconds(nowMs).padStart(7))}  ${incident}`,
    '',
  ];
  const told = events.flatMap(({ atMs, event }) => {
    const text = eventText(event);
    return text === undefined ? [] : [`  ${seconds(atMs).padStart(7)}  ${text}`.slice(0, 79)];
  });
  const room = Math.max(3, rows - head.length - 2);
  return [...head, ...told.slice(-room).map(paint.faint)];
}

/** One line for where there is no terminal. */
export function renderLine({ stage, incident }: Pick<ViewOptions, 'stage' | 'incident'>): string {
  const { load, sampler } = stage;
  const nowMs = load.nowMs();
  const recent = load.served
    .filter(({ atMs }) => atMs >= nowMs - SPAN_MS)
    .map(({ latencyMs }) => latencyMs);
  const tries = triesBetween(sampler.samples, nowMs - SPAN_MS - 50, nowMs);
  const total = Math.max(1, sumOf(tries));
  const shares = Array.from(
    tries,
    ([id, value]) => `${id} ${Math.round((value / total) * 100)}%`,
  ).join(' ');
  return (
    `${seconds(nowMs).padStart(7)}  ${count(recent.length)}/s p50 ${millis(percentile(recent, 0.5))} ` +
    `p99 ${millis(percentile(recent, 0.99))} errors ${load.errors}  ${shares}  [${incident}]`
  );
}

type Paint = (text: string) => string;

interface Palette {
  readonly strong: Paint;
  readonly faint: Paint;
  readonly bar: Paint;
  readonly state: (state: string) => Paint;
}

const same: Paint = (text) => text;
const plain: Palette = { strong: same, faint: same, bar: same, state: () => same };

/** SGR codes (ECMA-48 section 8.3.117). */
const sgr =
  (code: number): Paint =>
  (text) =>
    `\u001b[${code}m${text}\u001b[0m`;

const coloured: Palette = {
  strong: sgr(1),
  faint: sgr(2),
  bar: sgr(36),
  state: (state) =>
    sgr(state === 'healthy' ? 32 : state === 'ejected' || state === 'unhealthy' ? 31 : 33),
};
