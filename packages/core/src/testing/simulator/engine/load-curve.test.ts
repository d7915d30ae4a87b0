import { describe, expect, it } from 'vitest';
import { LoadCurve } from './load-curve.ts';
import { Purpose, streamOf } from './stream.ts';

describe('LoadCurve', () => {
  it('stays between steps, jumps without a time and climbs in a straight line with one', () => {
    const curve = new LoadCurve([
      { atMs: 0, percent: 70, overMs: 0 },
      { atMs: 5_000, percent: 110, overMs: 2_000 },
      { atMs: 9_000, percent: 50, overMs: 0 },
    ]);
    const points: [number, number][] = [
      [0, 70],
      [4_999, 70],
      [5_500, 80],
      [6_000, 90],
      [7_000, 110],
      [8_999, 110],
      [9_000, 50],
      [99_000, 50],
    ];
    for (const [timeMs, percent] of points) expect(curve.percentAt(timeMs)).toBeCloseTo(percent, 6);
    expect(curve.maxPercent).toBe(110);
  });

  it('climbs from 0 when the first step has a time', () => {
    const curve = new LoadCurve([{ atMs: 0, percent: 100, overMs: 1_000 }]);
    expect([curve.percentAt(0), curve.percentAt(250), curve.percentAt(1_000)]).toEqual([
      0, 25, 100,
    ]);
  });

  it('lets requests arrive at the rate of the moment', () => {
    const curve = new LoadCurve([
      { atMs: 0, percent: 100, overMs: 0 },
      { atMs: 10_000, percent: 25, overMs: 0 },
    ]);
    const stream = streamOf(1, Purpose.arrivals);
    const counts = [0, 0];
    for (let timeMs = 0; timeMs < 20_000;) {
      timeMs = curve.nextArrivalMs(timeMs, 2, stream);
      if (timeMs < 20_000) counts[timeMs < 10_000 ? 0 : 1]!++;
    }
    // 20,000 and 5,000 expected, with deviations of their square roots.
    expect(Math.abs(counts[0]! - 20_000)).toBeLessThan(5 * Math.sqrt(20_000));
    expect(Math.abs(counts[1]! - 5_000)).toBeLessThan(5 * Math.sqrt(5_000));
  });
});
