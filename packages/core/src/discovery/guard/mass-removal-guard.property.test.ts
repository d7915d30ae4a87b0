import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type EndpointSet, endpointSetOf } from '../../model/endpoint-set.ts';
import { completeGuardOptions } from './config.ts';
import { MassRemovalGuard } from './mass-removal-guard.ts';

const CONFIRM_MS = 10_000;

const story = fc.record({
  maxRemovalPercent: fc.integer({ min: 0, max: 100 }),
  answers: fc.array(
    fc.record({
      afterMs: fc.integer({ min: 1, max: 15_000 }),
      listed: fc.uniqueArray(fc.integer({ min: 1, max: 12 }), { maxLength: 12 }),
    }),
    { minLength: 2, maxLength: 30 },
  ),
});

const setOf = (numbers: readonly number[]): EndpointSet =>
  endpointSetOf(numbers.map((number) => `10.0.0.${number}:80`));

/** What a checker remembers that knows only the rule, not how the guard keeps it. */
interface Heard {
  readonly atMs: number;
  readonly ids: ReadonlySet<string>;
}

describe('MassRemovalGuard', () => {
  it('never lets more than the share go unless each was missing from all answers for the time', () => {
    fc.assert(
      fc.property(story, ({ maxRemovalPercent, answers }) => {
        const guard = new MassRemovalGuard(
          completeGuardOptions({ maxRemovalPercent, confirmAfterMs: CONFIRM_MS }),
        );
        let inForce: EndpointSet | undefined;
        let nowMs = 0;
        const heard: Heard[] = [];
        for (const { afterMs, listed } of answers) {
          nowMs += afterMs;
          const answer = setOf(listed);
          heard.push({ atMs: nowMs, ids: new Set(answer.byId.keys()) });
          const before = inForce;
          const { set } = guard.judge(before, answer, nowMs);
          inForce = set;
          const gone = before?.endpoints.filter(({ id }) => !set.byId.has(id)) ?? [];
          const unconfirmed = gone.filter(({ id }) => !isConfirmed(id, heard, nowMs));
          const share = (100 * unconfirmed.length) / Math.max(1, before?.endpoints.length ?? 0);
          // Sets shrink within the time, so the share of those in force now is an upper bound of what may go.
          expect(share).toBeLessThanOrEqual(maxRemovalPercent);
          for (const id of answer.byId.keys()) expect(set.byId.has(id)).toBe(true);
        }
      }),
      { seed: 4, numRuns: 2_000 },
    );
  });

  it('always agrees in the end with a registry that goes on saying the same', () => {
    fc.assert(
      fc.property(story, ({ maxRemovalPercent, answers }) => {
        const guard = new MassRemovalGuard(
          completeGuardOptions({ maxRemovalPercent, confirmAfterMs: CONFIRM_MS }),
        );
        let inForce: EndpointSet | undefined;
        let nowMs = 0;
        for (const { afterMs, listed } of answers) {
          nowMs += afterMs;
          inForce = guard.judge(inForce, setOf(listed), nowMs).set;
        }
        const last = setOf(answers.at(-1)?.listed ?? []);
        const verdict = guard.judge(inForce, last, nowMs + CONFIRM_MS);
        expect(verdict.heldCount).toBe(0);
        expect([...verdict.set.byId.keys()].sort()).toEqual([...last.byId.keys()].sort());
      }),
      { seed: 5, numRuns: 500 },
    );
  });
});

/** Is the endpoint missing from every answer of an unbroken row that is at least the time long? */
function isConfirmed(id: string, heard: readonly Heard[], nowMs: number): boolean {
  const lastListed = heard.findLastIndex(({ ids }) => ids.has(id));
  const firstMissed = heard[lastListed + 1];
  return firstMissed !== undefined && nowMs - firstMissed.atMs >= CONFIRM_MS;
}
