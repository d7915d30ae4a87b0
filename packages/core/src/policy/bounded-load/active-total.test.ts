import { describe, expect, it } from 'vitest';
import { ActiveChanges } from './active-changes.ts';
import { ActiveTotal } from './active-total.ts';

/** Two groups that share endpoint 2, and the table behind them. */
function setUp() {
  const active = new Int32Array(8);
  const changes = new ActiveChanges();
  const totals = [
    new ActiveTotal(changes, active, Int32Array.of(0, 1, 2)),
    new ActiveTotal(changes, active, Int32Array.of(2, 3)),
  ] as const;
  const change = (slot: number, by: 1 | -1): void => {
    active[slot] = (active[slot] ?? 0) + by;
    changes.add(slot, by);
  };
  return { active, totals, change };
}

describe('ActiveTotal', () => {
  it('counts what happens to the members of its group, each group at its own pace', () => {
    const { totals, change } = setUp();
    change(0, 1);
    change(2, 1);
    change(3, 1);
    change(5, 1);
    expect(totals[0].take()).toBe(2);
    change(2, -1);
    expect(totals[0].value).toBe(1);
    expect(totals[1].take()).toBe(1);
  });

  it('is right for a group that has slept through more changes than are kept', () => {
    const { totals, change } = setUp();
    expect(totals[1].take()).toBe(0);
    for (let event = 0; event < 3_001; event++) change(2, event % 2 === 0 ? 1 : -1);
    change(3, 1);
    expect(totals[1].take()).toBe(2);
    expect(totals[0].take()).toBe(1);
  });

  it('learns now and then what others have done to a shared table', () => {
    const { active, totals } = setUp();
    active[1] = 7;
    const seen = Array.from({ length: 100 }, () => totals[0].take());
    expect(seen[0]).toBe(0);
    expect(seen.at(-1)).toBe(7);
  });

  it('ignores endpoints that came after it', () => {
    const { totals, change } = setUp();
    change(7, 1);
    expect(totals[0].take()).toBe(0);
    const changes = new ActiveChanges();
    const small = new ActiveTotal(changes, new Int32Array(1), Int32Array.of(0));
    changes.add(900, 1);
    expect(small.take()).toBe(0);
  });
});
