import { createEndpoint } from '../../../model/endpoint.ts';
import { Outcome, type OutcomeName } from '../../../model/outcome.ts';
import { createManualRuntime } from '../../../testing/manual-runtime.ts';
import type { OutlierDetector, SkippedEjection, TrackedEndpoint } from '../../health.ts';
import { type OutlierDetectionOptions, outlierDetectionSchema } from '../config.ts';
import { createOutlierDetector } from '../detector.ts';
import type { ComparisonRule } from '../rule.ts';
import { RuleHost } from '../rule-host.ts';

interface Recorded {
  readonly event: 'eject' | 'return' | 'skip';
  readonly slot: number;
  readonly detail: string;
  readonly atMs: number;
}

/** A detector of a few members under a manual clock; jitter and comparisons are off unless asked for. */
export function setUpDetector(
  options: OutlierDetectionOptions & { members?: number; comparisonRules?: ComparisonRule[] } = {},
) {
  const { members = 4, comparisonRules, ...rest } = options;
  const runtime = createManualRuntime();
  const events: Recorded[] = [];
  const note = (event: Recorded['event'], slot: number, detail: string): void => {
    events.push({ event, slot, detail, atMs: runtime.clock.nowMs() });
  };
  const listener = {
    onEject: (
      slot: number,
      { detector, count, durationMs }: { detector: string; count: number; durationMs: number },
    ) => note('eject', slot, `${detector} ${count} ${durationMs}`),
    onReturn: (slot: number, how: string) => note('return', slot, how),
    onEjectionSkipped: (slot: number, { detector, skippedBecause }: SkippedEjection) =>
      note('skip', slot, `${detector} ${skippedBecause}`),
  };
  const config = outlierDetectionSchema.parse({ jitterRatio: 0, successRate: false, ...rest });
  const environment = { cluster: 'test', runtime };
  const detector: OutlierDetector =
    comparisonRules === undefined
      ? createOutlierDetector(config, environment, listener)
      : new RuleHost({ config, environment, listener, sequenceRules: [], comparisonRules });
  detector.update(membersAt(...Array.from({ length: members }, (_, slot) => slot)));
  return {
    runtime,
    detector,
    events,
    /** Records outcomes of a slot, now. */
    record: (slot: number, name: OutcomeName, count = 1): void => {
      for (let i = 0; i < count; i++) detector.record(slot, Outcome[name], runtime.clock.nowMs());
    },
    advance: (durationMs: number): void => runtime.scheduler.advance(durationMs),
    takeTrial: (): number => detector.takeTrial(runtime.clock.nowMs()),
    /** The events since the last call, as "event slot detail @time". */
    heard: (): string[] =>
      events
        .splice(0)
        .map(({ event, slot, detail, atMs }) => `${event} ${slot} ${detail} @${atMs}`),
  };
}

/** Members in these slots; the same slot is the same endpoint. */
export function membersAt(...slots: readonly number[]): TrackedEndpoint[] {
  return slots.map((slot) => ({ slot, endpoint: createEndpoint(`10.0.0.1:${slot + 1}`) }));
}
