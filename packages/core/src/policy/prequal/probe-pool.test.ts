import { describe, expect, it } from 'vitest';
import { NONE, ProbePool } from './probe-pool.ts';

function put(pool: ProbePool, slot: number, nowMs: number, uses = 1): void {
  const at = pool.place(slot, nowMs);
  pool.others[at] = slot * 10;
  pool.uses[at] = uses;
}

function slotsOf(pool: ProbePool): number[] {
  return [...pool.slots.subarray(0, pool.count)].sort((a, b) => a - b);
}

describe('the pool of answers', () => {
  it('has one answer of an endpoint, the latest', () => {
    const pool = new ProbePool(4);
    put(pool, 7, 100);
    put(pool, 3, 200);
    put(pool, 7, 300);
    expect(slotsOf(pool)).toEqual([3, 7]);
    expect(pool.receivedMs[pool.indexOf(7)]).toBe(300);
    expect(pool.oldest()).toBe(pool.indexOf(3));
  });

  it('makes room by forgetting the oldest when it is full', () => {
    const pool = new ProbePool(3);
    for (const [slot, at] of [
      [1, 20],
      [2, 10],
      [3, 30],
      [4, 40],
    ] as const)
      put(pool, slot, at);
    expect(slotsOf(pool)).toEqual([1, 3, 4]);
    // The others kept what belongs to them when they moved.
    for (const slot of [1, 3, 4]) expect(pool.others[pool.indexOf(slot)]).toBe(slot * 10);
  });

  it('throws an answer away when it is used up', () => {
    const pool = new ProbePool(3);
    put(pool, 1, 0, 2);
    put(pool, 2, 0, 1);
    pool.use(1);
    pool.use(2);
    pool.use(9);
    expect(slotsOf(pool)).toEqual([1]);
    pool.use(1);
    expect(pool.count).toBe(0);
  });

  it('forgets by age, and on request', () => {
    const pool = new ProbePool(4);
    for (const slot of [1, 2, 3, 4]) put(pool, slot, slot * 100);
    pool.expire(200);
    expect(slotsOf(pool)).toEqual([3, 4]);
    pool.remove(3);
    pool.remove(3);
    expect(slotsOf(pool)).toEqual([4]);
    pool.remove(4);
    expect(pool.oldest()).toBe(NONE);
    expect(pool.indexOf(4)).toBe(NONE);
  });
});
