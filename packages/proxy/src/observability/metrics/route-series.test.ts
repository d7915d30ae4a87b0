import { describe, expect, it } from 'vitest';
import { RouteMeter } from '../route-meter.ts';
import { OTHER, routeSeries } from './route-series.ts';

function meter(route: string, cluster: string, requests: number): RouteMeter {
  const made = new RouteMeter(route, cluster);
  made.activeCount = requests;
  for (let count = 0; count < requests; count++)
    made.end({ status: 200, tries: 1, bytesIn: 1, bytesOut: 2 }, 1);
  return made;
}

describe('series of routes', () => {
  it('add up what has the same labels', () => {
    const [series, ...rest] = routeSeries([meter('a', 'x', 2), meter('a', 'x', 3)], 10);
    expect(rest).toEqual([]);
    expect(series).toMatchObject({ route: 'a', cluster: 'x', bytesIn: 5, bytesOut: 10 });
    expect(series?.statusCounts[2]).toBe(5);
  });

  it('are at most as many as allowed and one, and lose nothing', () => {
    const meters = Array.from({ length: 50 }, (_, index) => meter(`r${index}`, 'x', index));
    const series = routeSeries(meters, 7);
    expect(series.map(({ route }) => route)).toEqual([
      ...Array.from({ length: 7 }, (_, index) => `r${index}`),
      OTHER,
    ]);
    const sum = series.reduce((total, { statusCounts }) => total + (statusCounts[2] ?? 0), 0);
    expect(sum).toBe((49 * 50) / 2);
  });
});
