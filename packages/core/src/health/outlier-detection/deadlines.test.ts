import { describe, expect, it } from 'vitest';
import { createManualRuntime } from '../../testing/manual-runtime.ts';
import { SlotDeadlines } from './deadlines.ts';

function setUp() {
  const runtime = createManualRuntime();
  const due: [slot: number, nowMs: number][] = [];
  const deadlines = new SlotDeadlines(runtime, (slot, nowMs) => due.push([slot, nowMs]));
  return { runtime, due, deadlines };
}

describe('SlotDeadlines', () => {
  it('tells every point at its time, whatever the order of setting, with one timer', () => {
    const { runtime, due, deadlines } = setUp();
    deadlines.set(1, 300);
    deadlines.set(2, 100);
    deadlines.set(3, 200);
    expect(runtime.scheduler.pendingCount).toBe(1);
    runtime.scheduler.advance(1000);
    expect(due).toEqual([
      [2, 100],
      [3, 200],
      [1, 300],
    ]);
    expect(runtime.scheduler.pendingCount).toBe(0);
  });

  it('moves a point', () => {
    const { runtime, due, deadlines } = setUp();
    deadlines.set(1, 100);
    deadlines.set(1, 250);
    runtime.scheduler.advance(200);
    expect(due).toEqual([]);
    runtime.scheduler.advance(200);
    expect(due).toEqual([[1, 250]]);
  });

  it('forgets a point, and the timer with the last', () => {
    const { runtime, due, deadlines } = setUp();
    deadlines.set(1, 100);
    deadlines.set(2, 200);
    deadlines.delete(1);
    runtime.scheduler.advance(150);
    expect(due).toEqual([]);
    deadlines.delete(2);
    expect(runtime.scheduler.pendingCount).toBe(0);
  });

  it('takes new points while it tells of old ones', () => {
    const runtime = createManualRuntime();
    const due: number[] = [];
    const deadlines: SlotDeadlines = new SlotDeadlines(runtime, (slot, nowMs) => {
      due.push(nowMs);
      if (due.length < 3) deadlines.set(slot, nowMs + 50);
    });
    deadlines.set(1, 50);
    runtime.scheduler.advance(1000);
    expect(due).toEqual([50, 100, 150]);
  });

  it('waits on when a timer fires early', () => {
    const { runtime, due, deadlines } = setUp();
    deadlines.set(1, 100.4);
    deadlines.set(2, 100.9);
    runtime.scheduler.advance(100.5);
    expect(due).toEqual([[1, 100.4]]);
    runtime.scheduler.advance(2);
    expect(due.map(([slot]) => slot)).toEqual([1, 2]);
  });

  it('tells a point that has passed soon', () => {
    const { runtime, due, deadlines } = setUp();
    runtime.scheduler.advance(500);
    deadlines.set(1, 100);
    runtime.scheduler.advance(1);
    expect(due).toEqual([[1, 501]]);
  });

  it('is silent after closing', () => {
    const { runtime, due, deadlines } = setUp();
    deadlines.set(1, 100);
    deadlines.close();
    expect(runtime.scheduler.pendingCount).toBe(0);
    runtime.scheduler.advance(1000);
    expect(due).toEqual([]);
  });
});
