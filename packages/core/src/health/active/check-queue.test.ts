import { describe, expect, it } from 'vitest';
import { CheckQueue, type QueuedRun } from './check-queue.ts';

function setUp(limit: number) {
  const queue = new CheckQueue(limit);
  const started: string[] = [];
  const finishers = new Map<string, () => void>();
  const runOf = (name: string): QueuedRun => ({
    run: () => {
      started.push(name);
      return new Promise((resolve) => finishers.set(name, resolve));
    },
  });
  const finish = async (name: string): Promise<void> => {
    finishers.get(name)?.();
    for (let turn = 0; turn < 5; turn++) await Promise.resolve();
  };
  return { queue, started, runOf, finish };
}

describe('CheckQueue', () => {
  it('runs no more than the limit, the others in the order of arrival', async () => {
    const { queue, started, runOf, finish } = setUp(2);
    for (const name of ['a', 'b', 'c', 'd', 'e']) queue.enter(runOf(name));
    expect(started).toEqual(['a', 'b']);
    expect([queue.runningCount, queue.waitingCount]).toEqual([2, 3]);
    await finish('b');
    expect(started).toEqual(['a', 'b', 'c']);
    await finish('a');
    await finish('c');
    expect(started).toEqual(['a', 'b', 'c', 'd', 'e']);
    await finish('d');
    await finish('e');
    expect([queue.runningCount, queue.waitingCount]).toEqual([0, 0]);
  });

  it('lets one leave that still waits', async () => {
    const { queue, started, runOf, finish } = setUp(1);
    const leaving = runOf('b');
    queue.enter(runOf('a'));
    queue.enter(leaving);
    queue.enter(runOf('c'));
    queue.leave(leaving);
    await finish('a');
    expect(started).toEqual(['a', 'c']);
  });

  it('starves nobody: one that comes again stands behind those that wait', async () => {
    const { queue, started, runOf, finish } = setUp(1);
    const quick = runOf('quick');
    queue.enter(quick);
    queue.enter(runOf('patient'));
    await finish('quick');
    queue.enter(quick);
    expect(started).toEqual(['quick', 'patient']);
    await finish('patient');
    expect(started).toEqual(['quick', 'patient', 'quick']);
  });
});
