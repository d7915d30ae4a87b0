import { describe, expect, it } from 'vitest';
import { DeadlineQueue } from './deadline-queue.ts';

describe('DeadlineQueue', () => {
  it('is empty at first', () => {
    expect(new DeadlineQueue().nextMs).toBe(Number.POSITIVE_INFINITY);
  });

  it('gives limits back in the order they were set, also around the end of the ring and after growing', () => {
    const queue = new DeadlineQueue();
    let put = 0;
    let taken = 0;
    // Three in, one out: the ring turns and has to grow twice.
    for (let round = 0; round < 2_000; round++) {
      for (let count = 0; count < 3; count++, put++) queue.put(put, put * 2, put * 3);
      expect(queue.nextMs).toBe(taken);
      queue.take();
      expect([queue.request, queue.serial]).toEqual([taken * 2, taken * 3]);
      taken++;
    }
    for (; taken < put; taken++) {
      expect(queue.nextMs).toBe(taken);
      queue.take();
      expect(queue.request).toBe(taken * 2);
    }
    expect(queue.nextMs).toBe(Number.POSITIVE_INFINITY);
  });
});
