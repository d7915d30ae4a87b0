import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { EventQueue } from './event-queue.ts';

function drain(queue: EventQueue): { timeMs: number; code: number; tag: number }[] {
  const taken: { timeMs: number; code: number; tag: number }[] = [];
  while (queue.size > 0) {
    const timeMs = queue.nextMs;
    queue.take();
    taken.push({ timeMs, code: queue.code, tag: queue.tag });
  }
  return taken;
}

describe('EventQueue', () => {
  it('gives events back in order of time, and those of one time in the order they came', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 20 }), { maxLength: 3_000 }),
        fc.integer({ min: 0, max: 10 }),
        (times, takeEvery) => {
          const queue = new EventQueue();
          const expected = times.map((timeMs, code) => ({ timeMs, code, tag: code * 2 }));
          const early: { timeMs: number; code: number }[] = [];
          const waiting: { timeMs: number; code: number; tag: number }[] = [];
          for (const event of expected) {
            queue.put(event.timeMs, event.code, event.tag);
            waiting.push(event);
            if (takeEvery === 0 || event.code % takeEvery !== 0) continue;
            const nextMs = queue.nextMs;
            queue.take();
            early.push({ timeMs: nextMs, code: queue.code });
            const first = waiting.reduce((a, b) => (b.timeMs < a.timeMs ? b : a));
            expect(early.at(-1)).toEqual({ timeMs: first.timeMs, code: first.code });
            waiting.splice(waiting.indexOf(first), 1);
          }
          // Array.sort is stable: equal times stay in the order of arrival.
          expect(drain(queue)).toEqual(waiting.sort((a, b) => a.timeMs - b.timeMs));
          expect(queue.nextMs).toBe(Number.POSITIVE_INFINITY);
        },
      ),
      { seed: 1, numRuns: 100 },
    );
  });
});
