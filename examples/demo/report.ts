/** What happened in a day, for people and for programs. */
import { eventText } from './event-text.ts';
import type { PastIncident } from './day.ts';
import { count, millis, percent, percentile, seconds } from './numbers.ts';
import { type Sample, sumOf, triesBetween } from './sampler.ts';
import type { Stage } from './stage.ts';
import type { Check, Reaction } from './verdict.ts';

export interface Day {
  readonly stage: Stage;
  readonly incidents: readonly PastIncident[];
  readonly reactions: readonly Reaction[];
  readonly checks: readonly Check[];
}

/** The readable report, at most 80 columns wide. */
export function reportText(day: Day): string {
  const { load, events } = day.stage;
  const told = events.flatMap(({ atMs, event }) => {
    const text = eventText(event);
    return text === undefined ? [] : [`  ${seconds(atMs).padStart(7)}  ${text}`.slice(0, 80)];
  });
  const latencies = load.served.map(({ latencyMs }) => latencyMs);
  return [
    '',
    'What the cluster noticed',
    ...told,
    '',
    'Share of the traffic, in per cent, and latency of the callers',
    ...phaseTable(day),
    '',
    'How the balancing reacted',
    ...day.reactions.flatMap(reactionText),
    '',
    `${count(load.requests)} requests, ${count(load.errors)} errors, ` +
      `p50 ${millis(percentile(latencies, 0.5))}, p99 ${millis(percentile(latencies, 0.99))}`,
    ...day.checks.map(({ passed, text }) => `  ${passed ? 'ok    ' : 'FAILED'}  ${text}`),
    '',
  ].join('\n');
}

/** The line of JSON at the end. */
export function reportJson({ stage, incidents, reactions, checks }: Day): string {
  const { load, events, sampler } = stage;
  const latencies = load.served.map(({ latencyMs }) => latencyMs);
  const tries = triesBetween(sampler.samples, 0, Number.POSITIVE_INFINITY);
  const allTries = sumOf(tries);
  return JSON.stringify({
    requests: load.requests,
    errors: load.errors,
    p50Ms: rounded(percentile(latencies, 0.5)),
    p99Ms: rounded(percentile(latencies, 0.99)),
    perEndpoint: Array.from(tries, ([id, triesHere]) => ({
      id,
      tries: triesHere,
      answers: load.served.filter(({ server }) => server === id).length,
      shareRatio: rounded(triesHere / allTries),
    })),
    events: events.map(({ atMs, event }) => ({
      atMs: rounded(atMs),
      type: event.type,
      ...('endpoint' in event ? { endpoint: event.endpoint?.id } : {}),
      text: eventText(event),
    })),
    incidents: incidents.map(({ doneAtMs, title }) => ({ atMs: rounded(doneAtMs), title })),
    reactions: reactions.map(({ incident, server, ...shares }) => ({
      incident: incident.title,
      endpoint: server,
      expectation: incident.expectation,
      fairShareRatio: rounded(shares.fairShare),
      shareBeforeRatio: rounded(shares.shareBefore),
      shareAfterRatio: rounded(shares.shareAfter),
      reachedMs: shares.reachedMs === undefined ? null : rounded(shares.reachedMs),
    })),
    checks,
  });
}

const rounded = (value: number): number => Math.round(value * 1000) / 1000;

interface Phase {
  readonly title: string;
  readonly span: readonly [number, number];
}

/** One row per server, one column per stretch between incidents. */
function phaseTable({ stage: { load, sampler }, incidents }: Day): string[] {
  const { samples } = sampler;
  const endMs = samples.at(-1)?.atMs ?? 0;
  const phases = incidents.map(({ doneAtMs }, index): Phase => {
    const toMs = incidents[index + 1]?.doneAtMs ?? endMs;
    return { title: seconds(doneAtMs), span: [doneAtMs, toMs] };
  });
  const names = [...new Set(samples.flatMap(({ started }) => [...started.keys()]))].sort();
  const shares = phases.map(({ span }) => sharesIn(samples, span));
  const latencies = phases.map(({ span: [fromMs, toMs] }) =>
    load.served
      .filter(({ atMs }) => atMs >= fromMs && atMs < toMs)
      .map(({ latencyMs }) => latencyMs),
  );
  const row = (name: string, cells: readonly string[]): string =>
    `  ${name.padEnd(10)}${cells.map((cell) => cell.padStart(8)).join('')}`;
  return [
    row(
      'from',
      phases.map(({ title }) => title),
    ),
    ...names.map((name) =>
      row(
        name,
        shares.map((share) => shareCell(share.get(name))),
      ),
    ),
    row(
      'p50',
      latencies.map((values) => millis(percentile(values, 0.5))),
    ),
    row(
      'p99',
      latencies.map((values) => millis(percentile(values, 0.99))),
    ),
  ];
}

function sharesIn(samples: readonly Sample[], [fromMs, toMs]: Phase['span']): Map<string, number> {
  const tries = triesBetween(samples, fromMs, toMs);
  const total = sumOf(tries);
  return new Map(Array.from(tries, ([id, value]) => [id, total === 0 ? 0 : value / total]));
}

const shareCell = (share: number | undefined): string =>
  share === undefined ? '-' : (share * 100).toFixed(1);

function reactionText({ incident, server, ...reaction }: Reaction): string[] {
  const { shareBefore, shareAfter, fairShare, reachedMs } = reaction;
  const limit = incident.expectation === 'avoided' ? 'below a quarter' : 'above half';
  const when = reachedMs === undefined ? 'never' : `after ${seconds(reachedMs)}`;
  return [
    `  ${seconds(incident.doneAtMs).padStart(7)}  ${incident.title}`,
    `           ${server}: ${percent(shareBefore)} -> ${percent(shareAfter)}; ${limit} of fair (${percent(fairShare)}) ${when}`,
  ];
}
