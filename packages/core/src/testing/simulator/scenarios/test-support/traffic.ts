import type { ServerResult, SimulationResult } from '../../result.ts';

/** From and until, in milliseconds of the run. */
type Span = readonly [fromMs: number, untilMs: number];

/** Part of all attempts that went to some servers between two times, 0..1. */
export function partOf(
  { servers, timeline }: SimulationResult,
  [fromMs, untilMs]: Span,
  belongs: (server: ServerResult) => boolean,
): number {
  const from = Math.ceil(fromMs / timeline.stepMs);
  const until = Math.floor(untilMs / timeline.stepMs);
  const sumOf = (some: readonly ServerResult[]): number =>
    some.reduce(
      (sum, { index }) =>
        sum +
        (timeline.attempts[index] ?? []).slice(from, until).reduce((all, count) => all + count, 0),
      0,
    );
  return sumOf(servers.filter(belongs)) / sumOf(servers);
}

/** Mean of the error percentages of the steps between two times. */
export function errorPercentIn({ timeline }: SimulationResult, [fromMs, untilMs]: Span): number {
  const steps = timeline.errorPercent.slice(
    Math.ceil(fromMs / timeline.stepMs),
    Math.floor(untilMs / timeline.stepMs),
  );
  return steps.reduce((sum, percent) => sum + percent, 0) / steps.length;
}

/** Requests that ended well per second, on average between two times. */
export function goodPerSecondIn({ timeline }: SimulationResult, [fromMs, untilMs]: Span): number {
  const steps = timeline.goodPerSecond.slice(
    Math.ceil(fromMs / timeline.stepMs),
    Math.floor(untilMs / timeline.stepMs),
  );
  return steps.reduce((sum, rate) => sum + rate, 0) / steps.length;
}

/** Time from `backMs` to the first second in which some servers get at least a part of all attempts. */
export function recoveryMs(
  result: SimulationResult,
  backMs: number,
  { belongs, part }: { readonly belongs: (server: ServerResult) => boolean; readonly part: number },
): number {
  const endMs = result.measured.untilMs;
  for (let atMs = backMs; atMs + 1_000 <= endMs; atMs += 500) {
    if (partOf(result, [atMs, atMs + 1_000], belongs) >= part) return atMs - backMs;
  }
  return Number.POSITIVE_INFINITY;
}
