import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { Outcome, OUTCOME_COUNT } from '../../model/outcome.ts';
import type { AdmissionOptions } from '../../resilience/admission-config.ts';
import type { Criticality } from '../../resilience/load-shedder.ts';
import {
  activeCounts,
  type AdmissionBench,
  admissionBench,
  closeAll,
} from '../test-support/admission-bench.ts';

afterEach(closeAll);

const ALL: AdmissionOptions = {
  thresholds: { requests: 6, retries: 2, pending: 2, connections: 2 },
  circuitBreaker: {
    cluster: { minRequests: 3, openMs: 50, trialTimeoutMs: 200 },
    endpoint: { minRequests: 2, openMs: 50, trialTimeoutMs: 200 },
  },
  loadShedding: { raiseMs: 0, holdMs: 10 },
  clientThrottle: { minRequestsPerSecond: 0, windowMs: 1_000 },
  concurrency: { per: 'endpoint', initialLimit: 2, minLimit: 1, windowMs: 0 },
  rateLimit: { requestsPerSecond: 200, burst: 10 },
};

const PER_CLUSTER: AdmissionOptions = {
  ...ALL,
  concurrency: { per: 'cluster', initialLimit: 3, minLimit: 1, windowMs: 0 },
};

interface Inside {
  readonly slot: number;
  readonly enteredMs: number;
  /** Counted by the cluster, too? */
  readonly started: boolean;
}

/** Requests and tries under way, ended in any order. */
class Play {
  readonly requests: number[] = [];
  readonly inside: Inside[] = [];
  readonly bench: AdmissionBench;
  readonly kinds = { Extra: 0, Pending: 0, Connection: 0 };

  constructor(bench: AdmissionBench) {
    this.bench = bench;
  }

  get nowMs(): number {
    return this.bench.runtime.clock.nowMs();
  }

  step([what, value]: readonly [number, number]): void {
    const { cluster, advance, deliver } = this.bench;
    const { admission } = cluster;
    if (admission === undefined) throw new Error('no admission');
    const outcome = (value % OUTCOME_COUNT) as Outcome;
    switch (what) {
      case 0:
        if (admission.admit(this.nowMs, (value % 4) as Criticality) === undefined)
          this.requests.push(this.nowMs);
        break;
      case 1: {
        const slot = cluster.pick(undefined, this.nowMs);
        if (slot < 0 || !admission.enter(slot, this.nowMs)) break;
        cluster.start(slot, this.nowMs);
        this.inside.push({ slot, enteredMs: this.nowMs, started: true });
        break;
      }
      case 2:
        this.complete(value, outcome);
        break;
      case 3:
        this.leave(value, outcome);
        break;
      case 4:
        advance(value);
        break;
      case 5:
        deliver(...['a', 'b', 'c'].filter((_, index) => (value & (1 << index)) !== 0));
        break;
      case 6: {
        const kind = (['Extra', 'Pending', 'Connection'] as const)[value % 3] ?? 'Extra';
        if (value % 2 === 0) {
          if (admission[`try${kind}`]()) this.kinds[kind]++;
        } else if (this.kinds[kind] > 0) {
          admission[`end${kind}`]();
          this.kinds[kind]--;
        }
        break;
      }
    }
  }

  complete(which: number, outcome: Outcome): void {
    const [admittedMs] = this.requests.splice(which % Math.max(1, this.requests.length), 1);
    if (admittedMs === undefined) return;
    const { nowMs } = this;
    this.bench.cluster.admission?.complete(outcome, nowMs - admittedMs, nowMs, admittedMs);
  }

  leave(which: number, outcome: Outcome): void {
    const [try_] = this.inside.splice(which % Math.max(1, this.inside.length), 1);
    if (try_ === undefined) return;
    const { nowMs } = this;
    const { slot, enteredMs } = try_;
    const { cluster } = this.bench;
    // Either order is allowed within one turn.
    const leave = (): void =>
      cluster.admission?.leave(slot, outcome, nowMs - enteredMs, nowMs, enteredMs);
    if (which % 2 === 0) leave();
    cluster.finish(slot, outcome, nowMs - enteredMs, nowMs);
    if (which % 2 === 1) leave();
  }

  endAll(): void {
    while (this.requests.length > 0) this.complete(0, Outcome.success);
    while (this.inside.length > 0) this.leave(0, Outcome.success);
    for (const kind of ['Extra', 'Pending', 'Connection'] as const) {
      while (this.kinds[kind]-- > 0) this.bench.cluster.admission?.[`end${kind}`]();
    }
  }
}

describe('the counts of an admission', () => {
  it.each([
    ['limits per endpoint', ALL],
    ['a limit of the cluster', PER_CLUSTER],
  ])(
    'equal what is under way after every step, and are 0 at the end: %s',
    async (_name, options) => {
      const steps = fc.array(fc.tuple(fc.integer({ min: 0, max: 6 }), fc.nat(100)), {
        maxLength: 120,
      });
      await fc.assert(
        fc.asyncProperty(steps, async (script) => {
          const bench = admissionBench(options);
          const play = new Play(bench);
          for (const step of script) {
            play.step(step);
            const { admission } = bench.cluster.snapshot();
            expect(admission?.activeCount).toBe(play.requests.length);
            expect(admission?.thresholds?.requests.activeCount).toBe(play.requests.length);
            expect(admission?.thresholds?.retries.activeCount).toBe(play.kinds.Extra);
            expect(admission?.concurrency?.activeCount).toBe(
              options === ALL ? play.inside.length : play.requests.length,
            );
          }
          play.endAll();
          const counts = activeCounts(bench.cluster) as { readonly endpoints: readonly number[] };
          expect(counts).toMatchObject({
            requests: 0,
            thresholds: [0, 0, 0, 0],
            concurrency: 0,
            tries: 0,
          });
          expect(counts.endpoints.every((count) => count === 0)).toBe(true);
          await closeAll();
          expect(bench.runtime.scheduler.pendingCount).toBe(0);
        }),
        { seed: 4, numRuns: 150 },
      );
    },
  );
});
