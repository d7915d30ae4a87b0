/** The policy with a prober whose answers a test gives, in virtual time. */
import { Outcome } from '../../../model/outcome.ts';
import { XorShift128 } from '../../../runtime/random.ts';
import type { ProbeAnswer } from '../../probing.ts';
import { createPolicy, type StandalonePolicy } from '../../standalone.ts';
import { ScriptedProber } from '../../test-support/scripted-prober.ts';

export interface Bench {
  readonly policy: StandalonePolicy;
  readonly prober: ScriptedProber;
  nowMs: number;
  /** A request that starts and ends at once. @returns its slot */
  request(outcome?: Outcome): number;
  /** Answers all probes under way. */
  answer(answerOf: (slot: number) => ProbeAnswer): void;
}

export function bench(count: number, options: Readonly<Record<string, unknown>> = {}): Bench {
  const prober = new ScriptedProber();
  const policy = createPolicy(
    { name: 'prequal', removalRatio: 0, ...options },
    {
      endpoints: Array.from({ length: count }, (_, index) => `h${index}:1`),
      random: new XorShift128(5),
      createProber: () => prober,
    },
  );
  return {
    policy,
    prober,
    nowMs: 1_000_000,
    request(outcome = Outcome.success) {
      const slot = policy.pick({}, this.nowMs);
      policy.start(slot, this.nowMs);
      policy.finish(slot, outcome, 1, this.nowMs);
      return slot;
    },
    answer(answerOf) {
      prober.answer(this.nowMs, answerOf);
    },
  };
}

export const idle = (latencyMs: number): ProbeAnswer => ({
  requestsInFlight: 0,
  latencyMs,
  errorRatio: 0,
});
export const busy = (requestsInFlight: number, latencyMs: number): ProbeAnswer => ({
  requestsInFlight,
  latencyMs,
  errorRatio: 0,
});

/** Requests and probes until everybody has told how it stands. */
export function askAll(b: Bench, count: number, answerOf: (slot: number) => ProbeAnswer): void {
  const told = new Set<number>();
  for (let request = 0; request < 10_000 && told.size < count; request++) {
    b.request();
    for (const { slot } of b.prober.pending) told.add(slot);
    b.answer(answerOf);
  }
}

export function pooled(b: Bench): number {
  return b.policy.stats()['pooledAnswers'] ?? Number.NaN;
}
