/**
 * Policies that are told the load of servers, through any order of events and with any numbers: what comes from outside
 * must not make them throw, pick a stranger, or explain nonsense.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createLoadReport } from '../load-report/load-report.ts';
import { Outcome } from '../model/outcome.ts';
import { NO_SLOT } from '../model/pick-context.ts';
import { XorShift128 } from '../runtime/random.ts';
import { createPolicy } from './standalone.ts';
import { endpointsOf } from './test-support/keyed.ts';
import { ScriptedProber } from './test-support/scripted-prober.ts';

/** Any double at all; mostly such as servers tell. */
const told = fc.oneof(
  { weight: 3, arbitrary: fc.double({ min: 0, max: 100, noNaN: true }) },
  fc.double(),
  fc.constantFrom(0, -1, Number.MIN_VALUE, Number.MAX_VALUE, Number.NaN, Number.POSITIVE_INFINITY),
);

const event = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant('request' as const),
      exclude: fc.array(fc.nat(8), { maxLength: 2 }),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('finish' as const),
      outcome: fc.constantFrom(...Object.values(Outcome)),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('report' as const),
      slot: fc.nat(8),
      numbers: fc.tuple(told, told, told, told, told),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('answers' as const),
      numbers: fc.tuple(told, told, told),
      failure: fc.constantFrom(
        undefined,
        undefined,
        'unreachable' as const,
        'not-understood' as const,
      ),
    }),
  },
  fc.record({
    kind: fc.constant('wait' as const),
    ms: fc.constantFrom(1, 40, 900, 20_000, -3, 1e10),
  }),
  fc.record({ kind: fc.constant('update' as const), from: fc.nat(4), count: fc.nat(6) }),
);

describe.each([
  { name: 'orca-weighted', blackoutMs: 0, updateMs: 100 },
  { name: 'orca-weighted' },
  { name: 'prequal' },
  { name: 'prequal', poolSize: 2, removalRatio: 1, hotQuantile: 0, probesPerRequest: 3 },
  { name: 'prequal', probesPerRequest: 0, hotQuantile: 1 },
])('%j', (options) => {
  it('keeps its promises whatever servers tell, and when', () => {
    fc.assert(
      fc.property(fc.array(event, { maxLength: 100 }), (events) => {
        const prober = new ScriptedProber();
        let members = endpointsOf(4);
        const policy = createPolicy(options, {
          endpoints: members,
          random: new XorShift128(3),
          createProber: () => prober,
        });
        const running: number[] = [];
        let nowMs = 1_000;
        for (const each of events) {
          switch (each.kind) {
            case 'request': {
              const { exclude } = each;
              const [first] = policy.explain({ exclude }, nowMs);
              const slot = policy.pick({ exclude }, nowMs);
              // Where one is certain, the explanation named it.
              if (first?.shareRatio === 1) expect(slot).toBe(first.slot);
              if (slot === NO_SLOT) break;
              expect(exclude).not.toContain(slot);
              expect(members.map(({ address }) => address)).toContain(policy.endpoint(slot)?.id);
              policy.start(slot, nowMs);
              running.push(slot);
              break;
            }
            case 'finish': {
              const slot = running.shift();
              if (slot !== undefined) policy.finish(slot, each.outcome, 5, nowMs);
              break;
            }
            case 'report': {
              const [requestsPerSecond, errorsPerSecond, cpuUtilization, rif, latencyMs] =
                each.numbers;
              const namedMetrics = new Map([
                ['rif', rif],
                ['latency_ms', latencyMs],
              ]);
              const parts = { requestsPerSecond, errorsPerSecond, cpuUtilization, namedMetrics };
              policy.report(each.slot, createLoadReport(parts), nowMs);
              break;
            }
            case 'answers': {
              const [requestsInFlight, latencyMs, errorRatio] = each.numbers;
              const answer = { requestsInFlight, latencyMs, errorRatio };
              prober.answer(nowMs, () => each.failure ?? answer);
              break;
            }
            case 'wait':
              nowMs += each.ms;
              break;
            case 'update':
              members = endpointsOf(10).slice(each.from, each.from + each.count);
              policy.update(members);
              break;
          }
        }
        for (const { score = 0, shareRatio = 0, reason } of policy.explain({}, nowMs)) {
          expect(score).toBeGreaterThanOrEqual(0);
          expect(shareRatio).toBeGreaterThanOrEqual(0);
          expect(shareRatio).toBeLessThanOrEqual(1 + 1e-9);
          expect(reason).not.toMatch(/NaN|Infinity|undefined/);
        }
        for (const [stat, value] of Object.entries(policy.stats()))
          expect(value, stat).toBeGreaterThanOrEqual(0);
        expect(policy.stats()['pooledAnswers'] ?? 0).toBeLessThanOrEqual(16);
        policy.close();
      }),
      { seed: 11, numRuns: 200 },
    );
  });
});
