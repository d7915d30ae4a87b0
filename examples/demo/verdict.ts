/** Was it as it should be? Worked out from the samples of a day. */
import { DAY_MS, type PastIncident } from './day.ts';
import type { Load } from './load.ts';
import { count, seconds } from './numbers.ts';
import { type Sample, shareBetween } from './sampler.ts';

/** What became of a server after an incident. */
export interface Reaction {
  readonly incident: PastIncident;
  readonly server: string;
  readonly fairShare: number;
  /** Of all tries in the last two seconds before the incident. */
  readonly shareBefore: number;
  /** From two seconds after it until it was over: to the next incident that makes the server well, or to the end. */
  readonly shareAfter: number;
  /** Time until the share was beyond the limit for good; undefined: it never was. */
  readonly reachedMs: number | undefined;
}

export interface Check {
  readonly passed: boolean;
  readonly text: string;
}

/** A bad server has to be below this part of its fair share, a new one above half of it ... */
const AVOIDED_PART = 1 / 4;
const USED_PART = 1 / 2;
/** ... after this time. */
const REACTION_LIMIT_MS = 2_000;
/** What the report is to rest on. */
export const MIN_REQUESTS = 20_000;

/** Width of the sliding window in which a share is measured: some 600 tries. */
const WINDOW_MS = 300;
/** For good: also over this time from then on. */
const LASTING_MS = 1_000;

/** How the balancing reacted to each incident that asks for a reaction. */
export function reactionsTo(
  incidents: readonly PastIncident[],
  samples: readonly Sample[],
): Reaction[] {
  const endMs = samples.at(-1)?.atMs ?? DAY_MS;
  return incidents.flatMap((incident, index) => {
    const { server, doneAtMs, expectation, listedCount } = incident;
    if (server === undefined || expectation === 'none') return [];
    const nextMs = incidents[index + 1]?.doneAtMs ?? endMs;
    const share = (fromMs: number, toMs: number): number =>
      shareBetween(samples, server, [fromMs, toMs]);
    const fairShare = 1 / listedCount;
    const isThere = (value: number): boolean =>
      expectation === 'avoided' ? value < fairShare * AVOIDED_PART : value > fairShare * USED_PART;
    const reachedAt = samples.find(
      ({ atMs }) =>
        atMs > doneAtMs &&
        isThere(share(atMs - WINDOW_MS, atMs)) &&
        isThere(share(atMs, Math.min(atMs + LASTING_MS, nextMs))),
    );
    return [
      {
        incident,
        server,
        fairShare,
        shareBefore: share(doneAtMs - 2_000, doneAtMs),
        shareAfter: share(doneAtMs + REACTION_LIMIT_MS, overAtMs(incident, incidents) ?? endMs),
        reachedMs: reachedAt === undefined ? undefined : reachedAt.atMs - doneAtMs,
      },
    ];
  });
}

/** When an incident was undone. */
function overAtMs(
  { doneAtMs, server }: PastIncident,
  incidents: readonly PastIncident[],
): number | undefined {
  return incidents.find(
    (later) => later.doneAtMs > doneAtMs && server !== undefined && later.heals.includes(server),
  )?.doneAtMs;
}

/** All that has to hold at the end of a day. */
export function checksOf(load: Load, reactions: readonly Reaction[]): Check[] {
  const errors =
    load.errors === 0
      ? 'no error reached a caller'
      : `${count(load.errors)} errors reached callers, the last: ${load.lastError}`;
  return [
    {
      passed: load.requests >= MIN_REQUESTS,
      text: `${count(load.requests)} requests (at least ${count(MIN_REQUESTS)})`,
    },
    { passed: load.errors === 0, text: errors },
    ...reactions.map(checkOf),
  ];
}

function checkOf({ incident, server, reachedMs }: Reaction): Check {
  const what =
    incident.expectation === 'avoided'
      ? 'below a quarter of its fair share'
      : 'above half of its fair share';
  const passed = reachedMs !== undefined && reachedMs <= REACTION_LIMIT_MS;
  const when = reachedMs === undefined ? 'never' : `after ${seconds(reachedMs)}`;
  return { passed, text: `${server} ${what} ${when} (at most ${seconds(REACTION_LIMIT_MS)})` };
}
