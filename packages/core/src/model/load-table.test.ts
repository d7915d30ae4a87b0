import { describe, expect, it } from 'vitest';
import { LoadTable } from './load-table.ts';
import { Outcome, OUTCOME_COUNT, OUTCOME_NAMES } from './outcome.ts';

describe('LoadTable', () => {
  it('keeps all values when it grows, and starts new slots at the initial values', () => {
    const load = new LoadTable({ capacity: 2 });
    const latency = load.addColumn(30);
    load.active[1] = 4;
    latency.values[1] = 7;
    load.outcomes[OUTCOME_COUNT + Outcome.reset] = 3;
    load.ensureCapacity(100);
    expect(load.capacity).toBeGreaterThanOrEqual(100);
    expect(load.active[1]).toBe(4);
    expect(latency.values[1]).toBe(7);
    expect(latency.values[99]).toBe(30);
    expect(load.finishedCount(1, Outcome.reset)).toBe(3);
  });

  it('clears one slot and no other', () => {
    const load = new LoadTable();
    const column = load.addColumn(1);
    for (const slot of [0, 1]) {
      load.active[slot] = 5;
      load.outcomes[slot * OUTCOME_COUNT] = 5;
      column.values[slot] = 5;
    }
    load.resetSlot(0);
    expect([load.active[0], load.startedCount(0), column.values[0]]).toEqual([0, 0, 1]);
    expect([load.active[1], load.startedCount(1), column.values[1]]).toEqual([5, 10, 5]);
  });

  it('counts as started what is in flight and what has ended, however', () => {
    const load = new LoadTable();
    load.active[0] = 2;
    for (const name of OUTCOME_NAMES) load.outcomes[Outcome[name]] = 1;
    expect(load.startedCount(0)).toBe(2 + OUTCOME_NAMES.length);
  });

  it('lives on memory that the caller gives, so that threads can share it', () => {
    const load = new LoadTable({ capacity: 4, allocate: (bytes) => new SharedArrayBuffer(bytes) });
    expect(load.active.buffer).toBeInstanceOf(SharedArrayBuffer);
    expect(load.addColumn(2).values.buffer).toBeInstanceOf(SharedArrayBuffer);
  });

  it('forgets a column that is removed', () => {
    const load = new LoadTable({ capacity: 1 });
    const column = load.addColumn(0);
    const { bytesPerSlot } = load;
    load.removeColumn(column);
    expect(load.bytesPerSlot).toBe(bytesPerSlot - 8);
  });
});
