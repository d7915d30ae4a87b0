import { answerOfReport, type LoadReport } from '../../load-report/load-report.ts';
import type { Members } from '../../model/members.ts';
import { isFailure, Outcome } from '../../model/outcome.ts';
import type { Balancer, Picker, PolicyEnvironment, PolicyStats } from '../policy.ts';
import type { PrequalConfig } from './config.ts';
import { EndpointMemory } from './endpoint-memory.ts';
import { type PickObserver, PrequalPicker } from './picker.ts';
import { ProbeGroup } from './probe-group.ts';
import type { PrequalShared } from './shared.ts';

/** How long an endpoint that answered "overloaded" without saying for how long is left alone. */
const OVERLOAD_HOLD_MS = 1_000;

/**
 * Hands events to the group of members that they concern. What requests taught about an endpoint counts in all groups;
 * who was asked how busy it is, and what it said, is a group's own.
 */
export class PrequalBalancer implements Balancer, PickObserver {
  lastGroup: ProbeGroup | undefined = undefined;
  readonly #shared: PrequalShared;
  /** By slot: the group that sent the latest request there, for reports that come with the answer. */
  readonly #groups: (ProbeGroup | undefined)[] = [];

  constructor(config: PrequalConfig, { load, random, createProber }: PolicyEnvironment) {
    this.#shared = {
      config,
      load,
      random,
      memory: new EndpointMemory(load),
      prober: createProber?.(config.probe),
      counters: {
        probeCount: 0,
        probeAnswerCount: 0,
        probeFailureCount: 0,
        probeDeclinedCount: 0,
        usedReportCount: 0,
        unusedReportCount: 0,
        pooledPickCount: 0,
        fallbackPickCount: 0,
        hotPickCount: 0,
      },
    };
  }

  update(members: Members, earlier?: Picker): Picker {
    const shared = this.#shared;
    const former = earlier instanceof PrequalPicker ? earlier.group : undefined;
    former?.setMembers(members);
    const group = former ?? new ProbeGroup(shared, members);
    return new PrequalPicker({ members, group, shared, observer: this });
  }

  /** Requests start right after they are picked: the group is that of the last pick. */
  onStart(slot: number, nowMs: number): void {
    const group = this.lastGroup;
    if (group === undefined) return;
    this.#groups[slot] = group;
    group.started(slot, nowMs);
  }

  // oxlint-disable-next-line max-params -- the contract's parameters
  onFinish(slot: number, outcome: Outcome, _latencyMs: number, nowMs: number): void {
    const { memory } = this.#shared;
    if (outcome === Outcome.success) memory.observeSuccess(slot);
    else if (isFailure(outcome)) {
      memory.observeFailure(slot, nowMs);
      if (outcome === Outcome.overloaded) memory.hold(slot, OVERLOAD_HOLD_MS, nowMs);
    }
  }

  onPushback(slot: number, delayMs: number, nowMs: number): void {
    this.#shared.memory.hold(slot, delayMs, nowMs);
  }

  onLoadReport(slot: number, report: LoadReport, nowMs: number): void {
    const group = this.#groups[slot];
    // Without the requests in flight a report is no answer: utilisation lags behind by seconds.
    const answer = answerOfReport(report);
    if (answer === undefined || group?.has(slot) !== true) {
      this.#shared.counters.unusedReportCount++;
      return;
    }
    this.#shared.counters.usedReportCount++;
    group.told(slot, answer, nowMs);
  }

  /** The counters, and of the group that was picked from last how many answers it has and above which load it is hot. */
  stats(): PolicyStats {
    const pool = this.lastGroup?.pool;
    return {
      ...this.#shared.counters,
      pooledAnswers: pool?.count ?? 0,
      hotAbove: this.lastGroup?.threshold.value ?? 0,
    };
  }

  close(): void {
    this.#shared.prober?.close();
    this.#shared.memory.close();
  }
}
