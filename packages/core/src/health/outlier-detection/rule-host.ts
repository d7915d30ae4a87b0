import { isFailure, Outcome, OUTCOME_NAMES } from '../../model/outcome.ts';
import type {
  Ejection,
  EjectionReturn,
  HealthEnvironment,
  OutlierDetector,
  OutlierListener,
  OutlierStatus,
  TrackedEndpoint,
} from '../health.ts';
import { CommonTimeouts, SUCCESSES } from './common-timeouts.ts';
import type { OutlierDetectionConfig } from './config.ts';
import { SlotDeadlines } from './deadlines.ts';
import { ejectionLimit, Ejections } from './ejections.ts';
import { enforcingPercentOf } from './enforcement.ts';
import { CLASS_COUNT, IntervalCounts } from './interval-counts.ts';
import { isInRotation, Phase } from './phase.ts';
import type { ComparisonRule, OutlierFinding, SequenceRule } from './rule.ts';
import { withRoom } from './slot-arrays.ts';
import { SweepTimer } from './sweep-timer.ts';
import { TrialQueue } from './trial.ts';

export interface RuleHostParts {
  readonly config: OutlierDetectionConfig;
  readonly environment: HealthEnvironment;
  readonly listener: OutlierListener;
  readonly sequenceRules: readonly SequenceRule[];
  readonly comparisonRules: readonly ComparisonRule[];
}

/** Runs the rules and owns the ejections. Exported for tests that bring their own rules. */
export class RuleHost implements OutlierDetector {
  readonly #config: OutlierDetectionConfig;
  readonly #runtime: HealthEnvironment['runtime'];
  readonly #listener: OutlierListener;
  readonly #sequenceRules: readonly SequenceRule[];
  readonly #comparisonRules: readonly ComparisonRule[];
  /** Fewest members with which a comparison can find anything. */
  readonly #leastCompared: number;
  readonly #ejections: Ejections;
  readonly #trials = new TrialQueue();
  /** Everything that is out of rotation, with what led to it. */
  readonly #out = new Map<number, Ejection>();
  /** When the present phase of a slot that is out ends by itself. */
  readonly #phaseEnds: SlotDeadlines;
  readonly #counts = new IntervalCounts();
  readonly #common: CommonTimeouts;
  /** Those of `#common`, one step nearer for the path of every request. */
  readonly #totals: Uint32Array<ArrayBuffer>;
  readonly #sweeps: SweepTimer;

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
  /** How often an endpoint was not ejected although a rule spoke. */
  #skipped = new Uint32Array(0);
  #closed = false;

  constructor({ config, environment, listener, sequenceRules, comparisonRules }: RuleHostParts) {
    this.#config = config;
    this.#runtime = environment.runtime;
    this.#listener = listener;
    this.#sequenceRules = sequenceRules;
    this.#comparisonRules = comparisonRules;
    this.#leastCompared = comparisonRules.reduce(
      (least, { minimumEndpoints }) => Math.min(least, minimumEndpoints),
      Number.POSITIVE_INFINITY,
    );
    this.#common = new CommonTimeouts(config.intervalMs);
    this.#totals = this.#common.totals;
    this.#ejections = new Ejections(config, environment.runtime.random);
    this.#phaseEnds = new SlotDeadlines(environment.runtime, (slot, nowMs) =>
      this.#onPhaseEnd(slot, nowMs),
    );
    this.#sweeps = new SweepTimer(environment.runtime.scheduler, config.intervalMs, () =>
      this.#sweep(),
    );
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
    this.#sweepOrNot();
  }

  record(slot: number, outcome: Outcome, nowMs: number): void {
    // The path of nearly all requests: two comparisons and two counts.
    if (outcome === Outcome.success && this.#phases[slot] === Phase.quiet) {
      const counts = this.#counts.current;
      const at = slot * CLASS_COUNT;
      counts[at] = (counts[at] as number) + 1;
      const totals = this.#totals;
      totals[SUCCESSES] = (totals[SUCCESSES] as number) + 1;
      return;
    }
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
    const successCount = this.#counts.successes(slot, 'any');
    const failureCount = this.#counts.failures(slot, 'any');
    return {
      ejected: ejection !== undefined,
      ejection,
      untilMs: this.#phaseEnds.get(slot),
      ejectionCount: this.#ejections.count(slot, this.#runtime.clock.nowMs()),
      skippedCount: this.#skipped[slot] ?? 0,
      consecutiveFailures: this.#sequenceRules.reduce(
        (most, rule) => Math.max(most, rule.consecutiveFailures(slot)),
        0,
      ),
      lastInterval: this.#sweeps.running ? { successCount, failureCount } : undefined,
    };
  }

  close(): void {
    this.#closed = true;
    this.#phaseEnds.close();
    this.#sweeps.stop();
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
        this.#counts.add(slot, outcome);
        this.#phases[slot] = outcome === Outcome.success ? Phase.quiet : Phase.watched;
        this.#askSequenceRules(slot, outcome, nowMs);
        return;
      case Phase.probation:
        if (outcome === Outcome.cancelled) return;
        this.#counts.add(slot, outcome);
        if (!speaksAgainst(outcome) || !this.#decide(slot, probationFinding(outcome), nowMs))
          this.#phases[slot] = Phase.quiet;
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

  #askSequenceRules(slot: number, outcome: Outcome, nowMs: number): void {
    this.#noteTimeouts(slot, outcome, nowMs);
    for (const rule of this.#sequenceRules) {
      if (rule.record(slot, outcome)) {
        // The run goes on, and may become longer than others have it.
        if (outcome === Outcome.timeout && this.#common.explain(slot, this.#slots, nowMs)) return;
        if (!this.#decide(slot, rule.describe(slot), nowMs)) this.#startOver(slot);
        return;
      }
    }
  }

  #noteTimeouts(slot: number, outcome: Outcome, nowMs: number): void {
    if (outcome === Outcome.timeout) this.#common.onTimeout(slot, nowMs);
    else if (outcome === Outcome.success) this.#common.onSuccess(slot);
    else if (speaksAgainst(outcome)) this.#common.onOther(slot);
  }

  /** So that a skipped ejection is told once per run of failures and not once per failure. */
  #startOver(slot: number): void {
    for (const rule of this.#sequenceRules) rule.reset(slot);
    this.#common.reset(slot);
    this.#phases[slot] = Phase.quiet;
  }

  /** The interval is over: the rules compare what was counted in it. */
  #sweep(): void {
    const nowMs = this.#runtime.clock.nowMs();
    this.#counts.turn();
    for (const rule of this.#comparisonRules) {
      const inRotation = this.#slots.filter((slot) => this.#isInRotation(slot));
      for (const { slot, finding } of rule.sweep(inRotation, this.#counts)) {
        // The listener of the one before may have changed the members, or another rule was quicker.
        if (this.#isInRotation(slot)) this.#decide(slot, finding, nowMs);
      }
    }
  }

  /** Too few members to compare need no timer. When there are enough, counting begins with a whole interval. */
  #sweepOrNot(): void {
    if (this.#slots.length < this.#leastCompared) {
      this.#sweeps.stop();
    } else if (!this.#sweeps.running) {
      this.#counts.clear();
      this.#sweeps.start();
    }
  }

  /**
   * A slot in rotation stands out: ejects it if the limits allow.
   * @returns was it ejected?
   */
  #decide(slot: number, finding: OutlierFinding, nowMs: number): boolean {
    const { maxEjectionPercent, enforcingPercent } = this.#config;
    const full = this.#out.size >= ejectionLimit(this.#slots.length, maxEjectionPercent);
    const enforced = this.#draw(enforcingPercentOf(enforcingPercent, finding.detector));
    if (!full && enforced) {
      this.#eject(slot, finding, nowMs);
      return true;
    }
    this.#skipped[slot] = (this.#skipped[slot] as number) + 1;
    this.#listener.onEjectionSkipped(slot, {
      ...finding,
      ...this.#ejections.next(slot, nowMs),
      skippedBecause: enforced ? 'limit' : 'not-enforced',
    });
    return false;
  }

  /** Takes a slot out of rotation, or keeps it out for longer. */
  #eject(slot: number, finding: OutlierFinding, nowMs: number): void {
    const ejection: Ejection = { ...finding, ...this.#ejections.next(slot, nowMs) };
    this.#ejections.began(slot, ejection.count);
    this.#trials.remove(slot);
    for (const rule of this.#sequenceRules) rule.reset(slot);
    this.#counts.reset(slot);
    this.#common.reset(slot);
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
    for (const rule of this.#sequenceRules) rule.reset(slot);
    this.#counts.reset(slot);
    this.#common.forget(slot);
    this.#ids[slot] = undefined;
    this.#phases[slot] = Phase.absent;
    this.#down[slot] = 0;
    this.#skipped[slot] = 0;
  }

  #isInRotation(slot: number): boolean {
    return isInRotation(this.#phases[slot] as Phase | undefined);
  }

  #ensureCapacity(slots: number): void {
    this.#phases = withRoom(this.#phases, slots, (length) => new Uint8Array(length));
    this.#seen = withRoom(this.#seen, slots, (length) => new Uint32Array(length));
    this.#down = withRoom(this.#down, slots, (length) => new Uint8Array(length));
    this.#skipped = withRoom(this.#skipped, slots, (length) => new Uint32Array(length));
    this.#counts.ensureCapacity(slots);
    this.#ejections.ensureCapacity(slots);
    this.#common.ensureCapacity(slots);
    for (const rule of this.#sequenceRules) rule.ensureCapacity(slots);
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
