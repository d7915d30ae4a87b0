import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  Criticality,
  LoadShedder,
  type LoadSheddingOptions,
  utilisationOf,
} from './load-shedder.ts';

const ALL = [Criticality.critical, Criticality.high, Criticality.normal, Criticality.low];

/** Which classes are admitted, critical first. */
function admitted(shedder: LoadShedder): string {
  return ALL.map((criticality) => (shedder.tryAcquire(criticality) ? 'y' : 'n')).join('');
}

describe('LoadShedder', () => {
  it.each([
    [0, 'yyyy'],
    [0.69, 'yyyy'],
    [0.7, 'yyyn'],
    [0.8, 'yynn'],
    [0.9, 'ynnn'],
    [1, 'nnnn'],
    [50, 'nnnn'],
  ])('at a utilisation of %d admits (critical, high, normal, low) %s', (utilisation, classes) => {
    const shedder = new LoadShedder();
    for (let nowMs = 0; nowMs <= 300; nowMs += 100) shedder.observe(utilisation, nowMs);
    expect(admitted(shedder)).toBe(classes);
  });

  it('refuses one class after the other, with time for the effect to show, however often it is asked', () => {
    const shedder = new LoadShedder({ raiseMs: 100 });
    const levels: number[] = [];
    for (let nowMs = 0; nowMs < 400; nowMs++) {
      shedder.observe(5, nowMs);
      if (nowMs % 100 === 99) levels.push(shedder.level);
    }
    expect(levels).toEqual([1, 2, 3, 4]);
  });

  it('lets a class back only after the load has fallen by the hysteresis, and one at a time', () => {
    const shedder = new LoadShedder({ holdMs: 1_000 });
    shedder.observe(0.85, 0);
    shedder.observe(0.85, 100);
    shedder.observe(0.71, 5_000);
    expect(shedder.level).toBe(2);
    // Below 0.8 - 0.1.
    shedder.observe(0.69, 5_000);
    expect(shedder.level).toBe(1);
    shedder.observe(0.3, 5_999);
    expect(shedder.level).toBe(1);
    shedder.observe(0.3, 6_000);
    expect(shedder.level).toBe(0);
  });

  it('goes up at once, also just after it came down', () => {
    const shedder = new LoadShedder({ holdMs: 1_000 });
    shedder.observe(0.75, 0);
    shedder.observe(0.1, 1_000);
    expect(shedder.level).toBe(0);
    shedder.observe(2, 1_001);
    expect(shedder.level).toBe(1);
  });

  it('counts refusals by criticality', () => {
    const shedder = new LoadShedder();
    shedder.observe(0.8, 0);
    shedder.observe(0.8, 100);
    for (const criticality of [...ALL, Criticality.low]) shedder.tryAcquire(criticality);
    expect([...shedder.rejectedCounts]).toEqual([0, 0, 1, 2]);
  });

  it('comes back even when a line is lower than the hysteresis', () => {
    const shedder = new LoadShedder({ low: 0.05, holdMs: 0 });
    shedder.observe(0.06, 0);
    expect(shedder.level).toBe(1);
    shedder.observe(0, 1);
    expect(shedder.level).toBe(0);
  });

  it('never refuses a class while it admits a lower one, and obeys its lines at every moment', () => {
    const step = fc.record({
      utilisation: fc.double({ min: 0, max: 1.5, noNaN: true }),
      elapsedMs: fc.nat({ max: 3_000 }),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 100 }), (steps) => {
        const shedder = new LoadShedder();
        let nowMs = 0;
        let downs = 0;
        for (const { utilisation, elapsedMs } of steps) {
          nowMs += elapsedMs;
          const before = shedder.level;
          shedder.observe(utilisation, nowMs);
          const classes = admitted(shedder);
          expect(classes).toMatch(/^y*n*$/);
          // The lowest class goes as soon as its line is crossed, the others one at a time.
          if (utilisation >= 0.7) expect(shedder.level).toBeGreaterThanOrEqual(1);
          expect(shedder.level).toBeLessThanOrEqual(before + 1);
          if (shedder.level > before)
            expect(utilisation).toBeGreaterThanOrEqual([0.7, 0.8, 0.9, 1][before]!);
          if (shedder.level < before) {
            downs++;
            expect(shedder.level).toBe(before - 1);
            expect(utilisation).toBeLessThan([0.7, 0.8, 0.9, 1][before - 1]! - 0.1);
          }
        }
        // One step down per `holdMs` at most, whatever the load does.
        expect(downs).toBeLessThanOrEqual(nowMs / 2_000);
      }),
      { seed: 95, numRuns: 500 },
    );
  });

  it('holds a flood in check: 60 of each class per tick at a capacity of 150', () => {
    const shedder = new LoadShedder({ holdMs: 2_000 });
    const served = [0, 0, 0, 0];
    let changes = 0;
    for (let tick = 0; tick < 600; tick++) {
      let inFlight = 0;
      for (const criticality of ALL) {
        for (let request = 0; request < 60; request++) {
          if (!shedder.tryAcquire(criticality)) continue;
          inFlight++;
          served[criticality]!++;
        }
      }
      const before = shedder.level;
      shedder.observe(inFlight / 150, tick * 100);
      if (shedder.level !== before) changes++;
    }
    // Critical and high are 120 of 150, utilisation 0.8: at the line of normal, with which it would be 1.2.
    expect(served[Criticality.critical]).toBe(60 * 600);
    expect(served[Criticality.high]).toBe(60 * 600);
    expect(served[Criticality.normal]).toBeLessThan(60 * 600 * 0.05);
    expect(served[Criticality.low]).toBeLessThan(60 * 600 * 0.05);
    expect(changes).toBeLessThanOrEqual((60_000 / 2_000) * 2);
  });

  it.each([
    [
      { low: 0.9, normal: 0.8 },
      'loadShedding.low: expected lines in order: low <= normal <= high <= critical, got 0.9',
    ],
    [{ hysteresis: 2 }, 'loadShedding.hysteresis: expected a number from 0 to 1, got 2'],
  ])('refuses %j', (options, message) => {
    expect(() => new LoadShedder(options as LoadSheddingOptions)).toThrow(message);
  });
});

describe('utilisationOf', () => {
  it.each([
    [{}, 0],
    [{ cpu: 0.4 }, 0.4],
    [{ inFlight: 30, limit: 40, cpu: 0.4 }, 0.75],
    [{ inFlight: 30, limit: 40, queueMs: 20, targetQueueMs: 10 }, 2],
    [{ inFlight: 30 }, 0],
    [{ queueMs: 30 }, 0],
  ])('of %j is %d', (signs, utilisation) => {
    expect(utilisationOf(signs)).toBe(utilisation);
  });
});
