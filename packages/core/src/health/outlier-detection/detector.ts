import { isFailure, Outcome, OUTCOME_NAMES } from '../../model/outcome.ts';
import type { Timer } from '../../runtime/scheduler.ts';
import type {
  Ejection,
  EjectionReturn,
  HealthEnvironment,
  OutlierDetector,
  OutlierListener,
  OutlierStatus,
  TrackedEndpoint,
} from '../health.ts';
import type { OutlierDetectionConfig } from './config.ts';
import { ConsecutiveFailures } from './consecutive-failures.ts';
import { SlotDeadlines } from './deadlines.ts';
import { ejectionLimit, Ejections } from './ejections.ts';
import type { OutlierFinding, OutlierRule } from './rule.ts';
import { withRoom } from './slot-arrays.ts';
import { TrialQueue } from './trial.ts';

/**
 * Where a slot stands, and what moves it on. "Failure" and "success" are outcomes of the slot; `cancelled` moves
 * nothing but a trial, and `overloaded` is a success here: the endpoint answers, and the policy knows how to spare it.
 *
 * | phase | event | next |
 * |---|---|---|
 * | quiet | anything but a success | watched |
 * | watched | success | quiet |
 * | quiet, watched | a rule speaks | ejected |
 * | ejected | time over, returnBy 'trial' | waiting |
 * | ejected | time over, returnBy 'time' | probation |
 * | waiting | taken as a trial | on trial |
 * | on trial | cancelled | waiting, at the end of the queue |
 * | waiting, on trial | success | quiet |
 * | waiting, on trial | failure | ejected, for longer |
 * | waiting, on trial | no outcome for `trialLimitMs` | probation |
 * | probation | success | quiet |
 * | probation | failure | ejected, for longer |
 * | ejected, waiting, on trial | a failed active check passes again | quiet |
 *
 * Every ejected slot gets back some day, whatever requests do or leave undone.
 */
const Phase = {
  /** Not a member: outcomes are ignored. */
  absent: 0,
  /** In rotation, and the last outcome was a success: another one changes nothing. */
  quiet: 1,
  /** In rotation, with something in the rules' books that a success would strike out. */
  watched: 2,
  /** In rotation again, untested: its first outcome decides. */
  probation: 3,
  /** Out; outcomes are of requests sent before, or in panic, and say nothing new. */
  ejected: 4,
  /** Out; the time is over and the next outcome decides, be it of the trial or of a request in panic. */
  waiting: 5,
  /** As waiting, and a request is on its way as the trial. */
  onTrial: 6,
} as const;
type Phase = (typeof Phase)[keyof typeof Phase];

/** How often the rules compare the members with each other, as Envoy and gRFC A50 do. */
const SWEEP_INTERVAL_MS = 10_000;

/**
 * Builds the passive health of a cluster.
 *
 * @param config `returnBy` left out means `trial`; the cluster sets it to `time` for keyed policies
 */
export function createOutlierDetector(
  config: OutlierDetectionConfig,
  environment: HealthEnvironment,
  listener: OutlierListener,
): OutlierDetector {
  return new RuleHost({ config, environment, listener, rules: [new ConsecutiveFailures(config)] });
}

export interface RuleHostParts {
  readonly config: OutlierDetectionConfig;
  readonly environment: HealthEnvironment;
  readonly listener: OutlierListener;
  readonly rules: readonly OutlierRule[];
}

/** A rule that looks at single outcomes. */
type RecordingRule = OutlierRule & Required<Pick<OutlierRule, 'record'>>;

/** Runs the rules and owns the ejections. Exported for tests that bring their own rules. */
export class RuleHost implements OutlierDetector {
  readonly #config: OutlierDetectionConfig;
  readonly #runtime: HealthEnvironment['runtime'];
  readonly #listener: OutlierListener;
  readonly #rules: readonly OutlierRule[];
  readonly #recording: readonly RecordingRule[];
  readonly #ejections: Ejections;
  readonly #trials = new TrialQueue();
  /** Everything that is out of rotation, with what led to it. */
  readonly #out = new Map<number, Ejection>();
  /** When the present phase of a slot that is out ends by itself. */
  readonly #phaseEnds: SlotDeadlines;

  /** Slots of the members. */
  #slots: readonly number[] = [];
  /** Whose a slot is: it may pass to another endpoint. */
  readonly #ids: (string | undefined)[] = [];
  /** Number of the update that last held a slot. */
  #seen = new Uint32Array(0);
  #round = 0;
  #phases = new Uint8Array(0);
  /** 1: an active check says that the endpoint is down, so a trial would be wasted. */
  #down = new Uint8Array(0);
  #sweepTimer: Timer | undefined;
  #closed = false;

  constructor({ config, environment, listener, rules }: RuleHostParts) {
    this.#config = config;
    this.#runtime = environment.runtime;
    this.#listener = listener;
    this.#rules = rules;
    this.#recording = rules.filter((rule): rule is RecordingRule => rule.record !== undefined);
    this.#ejections = new Ejections(config, environment.runtime.random);
    this.#phaseEnds = new SlotDeadlines(environment.runtime, (slot, nowMs) =>
      this.#onPhaseEnd(slot, nowMs),
    );
    if (rules.some((rule) => rule.sweep !== undefined)) this.#armSweep();
  }

  get trialSlot(): number {
    return this.#trials.head;
  }

  update(members: readonly TrackedEndpoint[]): void {
    if (this.#closed) return;
    this.#ensureCapacity(members.reduce((most, { slot }) => Math.max(most, slot + 1), 0));
    const round = ++this.#round;
    for (const { slot, endpoint } of members) {
      this.#seen[slot] = round;
      if (this.#ids[slot] === endpoint.id) continue;
      if (this.#phases[slot] !== Phase.absent) this.#forget(slot);
      this.#ids[slot] = endpoint.id;
      this.#phases[slot] = Phase.quiet;
    }
    for (const slot of this.#slots) {
      if (this.#seen[slot] !== round) this.#forget(slot);
    }
    this.#slots = members.map(({ slot }) => slot);
  }

  record(slot: number, outcome: Outcome, nowMs: number): void {
    // The path of nearly all requests: one read, two comparisons.
    if (outcome === Outcome.success && this.#phases[slot] === Phase.quiet) return;
    this.#recordNews(slot, outcome, nowMs);
  }

  onActiveHealth(slot: number, healthy: boolean): void {
    const phase = this.#phases[slot];
    if (phase === undefined || phase === Phase.absent) return;
    const wasDown = this.#down[slot] === 1;
    this.#down[slot] = healthy ? 0 : 1;
    if (!this.#out.has(slot)) return;
    if (!healthy) {
      this.#trials.remove(slot);
    } else if (wasDown && this.#config.activeCheckReturns) {
      // Only a check that saw the trouble can tell that it is over: one that stayed green all along cannot.
      this.#return(slot, 'active-check', this.#runtime.clock.nowMs());
    } else if (phase === Phase.waiting) {
      this.#trials.add(slot);
    }
  }

  takeTrial(): number {
    const slot = this.#trials.take();
    if (slot >= 0) this.#phases[slot] = Phase.onTrial;
    return slot;
  }

  status(slot: number): OutlierStatus | undefined {
    const phase = this.#phases[slot];
    if (phase === undefined || phase === Phase.absent) return undefined;
    const ejection = this.#out.get(slot);
    return {
      ejected: ejection !== undefined,
      ejection,
      untilMs: this.#phaseEnds.get(slot),
      ejectionCount: this.#ejections.count(slot, this.#runtime.clock.nowMs()),
      consecutiveFailures: this.#rules.reduce(
        (most, rule) => Math.max(most, rule.consecutiveFailures?.(slot) ?? 0),
        0,
      ),
    };
  }

  close(): void {
    this.#closed = true;
    this.#phaseEnds.close();
    this.#sweepTimer?.cancel();
    this.#trials.clear();
    this.#out.clear();
    this.#phases.fill(Phase.absent);
    this.#slots = [];
  }

  /** An outcome that may change something. */
  #recordNews(slot: number, outcome: Outcome, nowMs: number): void {
    const phase = this.#phases[slot] as Phase | undefined;
    switch (phase) {
      case undefined:
      case Phase.absent:
      case Phase.ejected:
        return;
      case Phase.quiet:
      case Phase.watched:
        this.#phases[slot] = outcome === Outcome.success ? Phase.quiet : Phase.watched;
        this.#askRules(slot, outcome, nowMs);
        return;
      case Phase.probation:
        if (outcome === Outcome.cancelled) return;
        if (speaksAgainst(outcome)) this.#decide(slot, probationFinding(outcome), nowMs);
        else this.#phases[slot] = Phase.quiet;
        return;
      case Phase.waiting:
      case Phase.onTrial:
        if (outcome === Outcome.cancelled) {
          if (phase === Phase.onTrial) this.#offerTrial(slot);
        } else if (speaksAgainst(outcome)) {
          this.#eject(slot, trialFinding(outcome), nowMs);
        } else {
          this.#return(slot, 'trial', nowMs);
        }
    }
  }

  #askRules(slot: number, outcome: Outcome, nowMs: number): void {
    for (const rule of this.#recording) {
      if (rule.record(slot, outcome)) {
        this.#decide(slot, rule.describe(slot), nowMs);
        return;
      }
    }
  }

  /** A slot in rotation stands out: ejects it if the limits allow. */
  #decide(slot: number, finding: OutlierFinding, nowMs: number): void {
    const { maxEjectionPercent, enforcingPercent } = this.#config;
    const full = this.#out.size >= ejectionLimit(this.#slots.length, maxEjectionPercent);
    if (!full && this.#draw(enforcingPercent)) {
      this.#eject(slot, finding, nowMs);
      return;
    }
    // The rules start over, so that this is told once per run of failures and not once per failure.
    for (const rule of this.#rules) rule.reset(slot);
    this.#phases[slot] = Phase.quiet;
    this.#listener.onEjectionSkipped(slot, {
      ...finding,
      ...this.#ejections.next(slot, nowMs),
    });
  }

  /** Takes a slot out of rotation, or keeps it out for longer. */
  #eject(slot: number, finding: OutlierFinding, nowMs: number): void {
    const ejection: Ejection = { ...finding, ...this.#ejections.next(slot, nowMs) };
    this.#ejections.began(slot, ejection.count);
    this.#trials.remove(slot);
    for (const rule of this.#rules) rule.reset(slot);
    this.#out.set(slot, ejection);
    this.#phases[slot] = Phase.ejected;
    this.#phaseEnds.set(slot, nowMs + ejection.durationMs);
    this.#listener.onEject(slot, ejection);
  }

  #return(slot: number, how: EjectionReturn, nowMs: number): void {
    this.#out.delete(slot);
    this.#phaseEnds.delete(slot);
    this.#trials.remove(slot);
    this.#ejections.returned(slot, nowMs);
    this.#phases[slot] = how === 'time' ? Phase.probation : Phase.quiet;
    this.#listener.onReturn(slot, how);
  }

  /** The time of a phase is over. */
  #onPhaseEnd(slot: number, nowMs: number): void {
    // Several ends may be told in one go, and what the listener does at the first may remove the next.
    if (!this.#out.has(slot)) return;
    if (this.#phases[slot] === Phase.ejected && this.#config.returnBy !== 'time') {
      this.#phaseEnds.set(slot, nowMs + this.#config.trialLimitMs);
      this.#offerTrial(slot);
    } else {
      this.#return(slot, 'time', nowMs);
    }
  }

  #offerTrial(slot: number): void {
    this.#phases[slot] = Phase.waiting;
    if (this.#down[slot] === 0) this.#trials.add(slot);
  }

  #forget(slot: number): void {
    this.#out.delete(slot);
    this.#phaseEnds.delete(slot);
    this.#trials.remove(slot);
    this.#ejections.forget(slot);
    for (const rule of this.#rules) rule.reset(slot);
    this.#ids[slot] = undefined;
    this.#phases[slot] = Phase.absent;
    this.#down[slot] = 0;
  }

  #armSweep(): void {
    this.#sweepTimer = this.#runtime.scheduler.after(SWEEP_INTERVAL_MS, () => {
      const nowMs = this.#runtime.clock.nowMs();
      for (const rule of this.#rules) {
        const inRotation = this.#slots.filter((slot) => this.#isInRotation(slot));
        for (const slot of rule.sweep?.(inRotation, nowMs) ?? []) {
          if (this.#isInRotation(slot)) this.#decide(slot, rule.describe(slot), nowMs);
        }
      }
      if (!this.#closed) this.#armSweep();
    });
  }

  #isInRotation(slot: number): boolean {
    return (this.#phases[slot] ?? Phase.absent) !== Phase.absent && !this.#out.has(slot);
  }

  #ensureCapacity(slots: number): void {
    this.#phases = withRoom(this.#phases, slots, (length) => new Uint8Array(length));
    this.#seen = withRoom(this.#seen, slots, (length) => new Uint32Array(length));
    this.#down = withRoom(this.#down, slots, (length) => new Uint8Array(length));
    this.#ejections.ensureCapacity(slots);
    for (const rule of this.#rules) rule.ensureCapacity(slots);
  }

  /** True in `percent` of the calls. */
  #draw(percent: number): boolean {
    if (percent >= 100) return true;
    return ((this.#runtime.random.nextInt32() >>> 0) / 2 ** 32) * 100 < percent;
  }
}

/** Does an outcome that decides on its own count against the endpoint? */
function speaksAgainst(outcome: Outcome): boolean {
  return isFailure(outcome) && outcome !== Outcome.overloaded;
}

function trialFinding(outcome: Outcome): OutlierFinding {
  return {
    detector: 'trial-failed',
    reason: `the trial request failed (${OUTCOME_NAMES[outcome]})`,
  };
}

function probationFinding(outcome: Outcome): OutlierFinding {
  const reason = `the first request after its return failed (${OUTCOME_NAMES[outcome]})`;
  return { detector: 'trial-failed', reason };
}
