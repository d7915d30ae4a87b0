import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Outcome } from '../model/outcome.ts';
import { HedgeRace, LOSER_OUTCOME } from './hedge-race.ts';

describe('HedgeRace', () => {
  it('lets the first good answer win; what comes after is late', () => {
    const race = new HedgeRace();
    expect([race.begin(), race.begin()]).toEqual([0, 1]);
    expect(race.hedges).toBe(1);
    expect(race.settle(true)).toBe('win');
    expect(race.decided).toBe(true);
    expect(race.begin()).toBe(-1);
    expect(race.settle(true)).toBe('late');
    expect(race.running).toBe(0);
  });

  it('waits for the others after a bad answer, and fails with the last one', () => {
    const race = new HedgeRace();
    race.begin();
    race.begin();
    expect(race.settle(false)).toBe('wait');
    expect(race.settle(false)).toBe('fail');
  });

  it('lets a hedge start at once after a bad answer of a try that ran alone together with another', () => {
    const race = new HedgeRace();
    race.begin();
    race.begin();
    race.settle(false);
    expect(race.begin()).toBe(2);
    expect(race.settle(false)).toBe('wait');
    expect(race.settle(true)).toBe('win');
  });

  it('has nothing to say after the caller gave up', () => {
    const race = new HedgeRace();
    race.begin();
    race.abandon();
    expect(race.settle(true)).toBe('late');
    expect(race.begin()).toBe(-1);
  });

  it('is neutral about losers', () => {
    expect(LOSER_OUTCOME).toBe(Outcome.cancelled);
  });

  it('decides exactly once, for a good answer if there is one', () => {
    // true: a try begins. Otherwise one that runs ends, good or bad.
    const step = fc.oneof(fc.constant('begin'), fc.constant('good'), fc.constant('bad'));
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
        const race = new HedgeRace();
        const verdicts: string[] = [];
        let running = 0;
        let good = false;
        for (const next of steps) {
          if (next === 'begin') {
            if (race.begin() >= 0) running++;
          } else if (running > 0) {
            running--;
            const before = race.decided;
            const verdict = race.settle(next === 'good');
            verdicts.push(verdict);
            if (!before && next === 'good') good = true;
          }
          expect(race.running).toBe(running);
        }
        const decisions = verdicts.filter((verdict) => verdict === 'win' || verdict === 'fail');
        expect(decisions.length).toBeLessThanOrEqual(1);
        expect(race.decided).toBe(decisions.length === 1);
        expect(verdicts.includes('win')).toBe(good);
        // Nobody is left without an answer: when nothing runs any more, it was decided.
        if (verdicts.length > 0 && running === 0) expect(race.decided).toBe(true);
      }),
      { seed: 41, numRuns: 1_000 },
    );
  });
});
