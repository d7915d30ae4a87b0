import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isFailure, type Outcome, OUTCOME_COUNT } from '../../model/outcome.ts';
import { createManualRuntime } from '../../testing/manual-runtime.ts';
import type { CircuitOptions } from '../circuit-breaker-config.ts';
import { createCircuitBreakers } from './create-circuit-breakers.ts';

const options: fc.Arbitrary<CircuitOptions> = fc.record({
  errorThresholdPercent: fc.integer({ min: 1, max: 99 }),
  minRequests: fc.integer({ min: 1, max: 30 }),
  windowMs: fc.integer({ min: 1_000, max: 20_000 }),
  openMs: fc.integer({ min: 1, max: 20_000 }),
});
const steps = fc.array(
  fc.oneof(
    fc.record({ type: fc.constant('enter' as const), value: fc.constant(0) }),
    fc.record({ type: fc.constant('leave' as const), value: fc.nat(OUTCOME_COUNT - 1) }),
    fc.record({ type: fc.constant('giveBack' as const), value: fc.constant(0) }),
    fc.record({ type: fc.constant('wait' as const), value: fc.integer({ min: 1, max: 8_000 }) }),
  ),
  { maxLength: 300 },
);

describe('a circuit, any calls on virtual time', () => {
  it('admits all while closed, none while open, one at a time while half-open', () => {
    fc.assert(
      fc.property(options, steps, (chosen, all) => {
        const runtime = createManualRuntime();
        const { clock, scheduler } = runtime;
        const changes: string[] = [];
        let changedMs = clock.nowMs();
        const circuit = createCircuitBreakers(chosen, runtime).create('users', ({ to }) => {
          changes.push(to);
          changedMs = clock.nowMs();
        });
        const entered: number[] = [];
        let trials = 0;
        let failures = 0;
        for (const { type, value } of all) {
          const { state, admits } = circuit;
          const nowMs = clock.nowMs();
          switch (type) {
            case 'wait':
              scheduler.advance(value);
              break;
            case 'enter': {
              const admitted = circuit.tryEnter(nowMs);
              expect(admitted).toBe(admits);
              if (state === 'closed') expect(admitted).toBe(true);
              if (state === 'open') expect(admitted).toBe(false);
              if (state === 'half-open') {
                if (admitted) trials++;
                expect(trials).toBeLessThanOrEqual(1);
              }
              if (admitted) entered.push(nowMs);
              break;
            }
            case 'leave':
              if (entered.length === 0) break;
              if (isFailure(value as Outcome)) failures++;
              // The latest first, so that the trial is not taken for one from before.
              circuit.leave(value as Outcome, entered.pop() as number);
              trials = 0;
              break;
            case 'giveBack':
              if (entered.at(-1) !== nowMs) break;
              entered.pop();
              circuit.giveBack();
              trials = 0;
              break;
          }
          if (circuit.state !== 'half-open' || circuit.state !== state) trials = 0;
          if (circuit.state === 'open') {
            expect(failures).toBeGreaterThan(0);
            expect(clock.nowMs() - changedMs).toBeLessThan(circuitOpenMs(chosen) + 1);
          }
        }
        const next: Readonly<Record<string, readonly string[]>> = {
          closed: ['open'],
          open: ['half-open'],
          'half-open': ['open', 'closed'],
        };
        let at = 'closed';
        for (const to of changes) {
          expect(next[at]).toContain(to);
          at = to;
        }
        expect(circuit.snapshot().openedCount).toBe(changes.filter((to) => to === 'open').length);
        circuit.close();
        expect(scheduler.pendingCount).toBe(0);
      }),
      { seed: 1 },
    );
  });
});

function circuitOpenMs({ openMs = 5_000 }: CircuitOptions): number {
  return openMs;
}
