import { describe, expect, it } from 'vitest';
import { AddressLimits } from './address-limits.ts';

describe('limits of an address', () => {
  it('are for connections at a time', () => {
    const limits = new AddressLimits({
      maxConnections: 2,
      connectionsPerSecond: undefined,
      burst: 1,
    });
    expect([limits.enter('a', 0), limits.enter('a', 0), limits.enter('a', 0)]).toEqual([
      true,
      true,
      false,
    ]);
    expect(limits.enter('b', 0)).toBe(true);
    limits.leave('a');
    expect(limits.enter('a', 0)).toBe(true);
    limits.leave('a');
    limits.leave('a');
    limits.leave('b');
    expect(limits.size).toBe(0);
  });

  it('are for new connections per second, with a burst', () => {
    const limits = new AddressLimits({
      maxConnections: undefined,
      connectionsPerSecond: 2,
      burst: 3,
    });
    const attempts = (nowMs: number): number => {
      let count = 0;
      while (limits.enter('a', nowMs)) {
        count++;
        limits.leave('a');
      }
      return count;
    };
    expect(attempts(0)).toBe(3);
    expect(attempts(499)).toBe(0);
    expect(attempts(500)).toBe(1);
    expect(attempts(60_000)).toBe(3);
  });

  it('remember a bounded number of clients, and all that are connected', () => {
    const limits = new AddressLimits({
      maxConnections: 1,
      connectionsPerSecond: 0.001,
      burst: 1,
    });
    expect(limits.enter('here', 0)).toBe(true);
    for (let at = 0; at < 70_000; at++) {
      limits.enter(`10.${at >> 16}.${(at >> 8) & 255}.${at & 255}`, 0);
      limits.leave(`10.${at >> 16}.${(at >> 8) & 255}.${at & 255}`);
    }
    expect(limits.size).toBe(65_537);
    expect(limits.enter('here', 0)).toBe(false);
  });
});
