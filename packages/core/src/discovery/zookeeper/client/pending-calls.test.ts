import { expect, it } from 'vitest';
import { createManualRuntime } from '../../../testing/manual-runtime.ts';
import { PendingCalls } from './pending-calls.ts';

function create() {
  const { clock, scheduler } = createManualRuntime();
  let lateCount = 0;
  const calls = new PendingCalls({
    ...{ timeoutMs: 500, clock, scheduler },
    onLate: () => void (lateCount += 1),
  });
  const rejected: string[] = [];
  const add = (name: string) =>
    calls.add(({ message }) => void rejected.push(`${name}: ${message}`));
  return { calls, scheduler, rejected, add, late: () => lateCount };
}

it('the oldest call decides when the answers are late', () => {
  const { calls, scheduler, add, late } = create();
  const first = add('first');
  scheduler.advance(300);
  add('second');
  calls.settled(first);
  scheduler.advance(300);
  expect(late()).toBe(0);
  scheduler.advance(199);
  expect(late()).toBe(0);
  scheduler.advance(1);
  expect(late()).toBe(1);
});

it('whoever waits is told when it is over, and no timer is left', () => {
  const { calls, scheduler, rejected, add, late } = create();
  add('first');
  calls.settled(add('second'));
  add('third');
  calls.close(new Error('gone'));
  expect(rejected).toEqual(['first: gone', 'third: gone']);
  expect(scheduler.pendingCount).toBe(0);
  scheduler.advance(10_000);
  expect(late()).toBe(0);
});

it('an hour without calls has no timer', () => {
  const { calls, scheduler, add, late } = create();
  calls.settled(add('only'));
  scheduler.advance(3_600_000);
  expect(scheduler.pendingCount).toBe(0);
  expect(late()).toBe(0);
});
