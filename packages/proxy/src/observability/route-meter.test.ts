import { describe, expect, it } from 'vitest';
import { LATENCY_BOUNDS_MS, RouteMeter } from './route-meter.ts';
import { RouteMeters } from './route-meters.ts';

const ended = (status: number, tries = 1) => ({ status, tries, bytesIn: 100, bytesOut: 1_000 });

describe('the meter of a route', () => {
  it('counts by class, bytes, retries and latency', () => {
    const meter = new RouteMeter('r', 'c');
    meter.activeCount = 5;
    meter.end(ended(200), 0.5);
    meter.end(ended(204), 0.6);
    meter.end(ended(503, 3), 20_000);
    meter.end(ended(0), 7);
    meter.end(ended(101), 3_600_000);
    expect(meter.activeCount).toBe(0);
    expect([...meter.statusCounts].slice(0, 6)).toEqual([1, 1, 2, 0, 0, 1]);
    expect(meter.retryCount).toBe(2);
    expect([meter.bytesIn, meter.bytesOut]).toEqual([500, 5_000]);
    // A bound belongs to its bucket; tunnels and requests without a response are in none.
    expect(meter.latencyCounts[0]).toBe(1);
    expect(meter.latencyCounts[1]).toBe(1);
    expect(meter.latencyCounts[LATENCY_BOUNDS_MS.length]).toBe(1);
    expect(meter.latencyCounts.reduce((sum, count) => sum + count)).toBe(3);
    expect(meter.latencySumMs).toBeCloseTo(20_001.1);
  });

  it('is one for a route and a cluster, wherever they stand', () => {
    const meters = new RouteMeters();
    const plan = meters.plan();
    expect(plan.of('a', 'b')).toBe(plan.of('a', 'b'));
    expect(plan.of('a', 'c')).not.toBe(plan.of('a', 'b'));
    expect(plan.of('', '')).toBe(meters.none);
    expect(meters.all().map(({ route }) => route)).toEqual(['']);
    meters.commit(plan);
    expect(meters.all().map(({ route }) => route)).toEqual(['', 'a', 'a']);
  });

  it('goes on in the next configuration that has it, and else ends with its last request', () => {
    const meters = new RouteMeters();
    const first = meters.plan();
    const stays = first.of('stays', 'c');
    const busy = first.of('busy', 'c');
    first.of('idle', 'c');
    meters.commit(first);
    busy.activeCount++;
    const second = meters.plan();
    expect(second.of('stays', 'c')).toBe(stays);
    second.of('new', 'c');
    meters.commit(second);
    expect(meters.all().map(({ route }) => route)).toEqual(['', 'stays', 'new', 'busy']);
    busy.end(ended(200), 1);
    expect(meters.all().map(({ route }) => route)).toEqual(['', 'stays', 'new']);
  });

  it('is the same one when its route comes back before its last request has ended', () => {
    const meters = new RouteMeters();
    const first = meters.plan();
    const busy = first.of('busy', 'c');
    busy.activeCount++;
    meters.commit(first);
    meters.commit(meters.plan());
    const third = meters.plan();
    expect(third.of('busy', 'c')).toBe(busy);
    meters.commit(third);
    expect(meters.all()).toEqual([meters.none, busy]);
  });
});
