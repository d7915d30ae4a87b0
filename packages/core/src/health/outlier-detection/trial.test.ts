import { describe, expect, it } from 'vitest';
import { NO_SLOT } from '../../model/pick-context.ts';
import { TrialQueue } from './trial.ts';

function queueOf(...slots: number[]): TrialQueue {
  const queue = new TrialQueue();
  for (const slot of slots) queue.add(slot);
  return queue;
}

/** Takes until nobody waits. */
function drain(queue: TrialQueue): number[] {
  const slots: number[] = [];
  for (let slot = queue.take(); slot !== NO_SLOT; slot = queue.take()) slots.push(slot);
  return slots;
}

describe('TrialQueue', () => {
  it('has nobody at first', () => {
    const queue = new TrialQueue();
    expect(queue.head).toBe(NO_SLOT);
    expect(queue.take()).toBe(NO_SLOT);
  });

  it('serves in the order of arrival', () => {
    expect(drain(queueOf(7, 3, 9))).toEqual([7, 3, 9]);
  });

  it('moves its head on when one is taken', () => {
    const queue = queueOf(7, 3);
    expect(queue.head).toBe(7);
    queue.take();
    expect(queue.head).toBe(3);
    queue.take();
    expect(queue.head).toBe(NO_SLOT);
  });

  it('puts one that comes again at the end', () => {
    const queue = queueOf(7, 3, 9);
    queue.add(queue.take());
    expect(drain(queue)).toEqual([3, 9, 7]);
  });

  it('does not count one twice', () => {
    const queue = queueOf(7, 3, 7);
    expect(queue.size).toBe(2);
    expect(drain(queue)).toEqual([7, 3]);
  });

  it.each([
    { removed: 7, left: [3, 9] },
    { removed: 3, left: [7, 9] },
    { removed: 9, left: [7, 3] },
    { removed: 4, left: [7, 3, 9] },
  ])('lets $removed leave from where it stands', ({ removed, left }) => {
    const queue = queueOf(7, 3, 9);
    queue.remove(removed);
    expect(queue.head).toBe(left[0]);
    expect(drain(queue)).toEqual(left);
  });

  it('is empty after clearing', () => {
    const queue = queueOf(7, 3);
    queue.clear();
    expect([queue.head, queue.size]).toEqual([NO_SLOT, 0]);
  });
});
