import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createManualRuntime } from '../../testing/manual-runtime.ts';
import { type Limited, LimitQueue } from './limit-queue.ts';

class Entry implements Limited {
  limitNext: Limited | undefined = undefined;
  limitPrevious: Limited | undefined = undefined;
  limitDueMs: number | undefined = undefined;
  calledAtMs: number | undefined = undefined;
  readonly #clock: { nowMs(): number };

  constructor(clock: { nowMs(): number }) {
    this.#clock = clock;
  }

  onLimit(): void {
    this.calledAtMs = this.#clock.nowMs();
  }
}

function setUp(limitMs: number) {
  const { clock, scheduler } = createManualRuntime();
  const queue = new LimitQueue(limitMs, scheduler, () => clock.nowMs());
  const push = (): Entry => {
    const entry = new Entry(clock);
    queue.push(entry, clock.nowMs());
    return entry;
  };
  return { clock, scheduler, queue, push };
}

describe('LimitQueue', () => {
  it('calls each entry when its own time is over, on a single timer', () => {
    const { scheduler, push } = setUp(100);
    const first = push();
    scheduler.advance(30);
    const second = push();
    expect(scheduler.pendingCount).toBe(1);
    scheduler.advance(69);
    expect(first.calledAtMs).toBeUndefined();
    scheduler.advance(1_000);
    expect([first.calledAtMs, second.calledAtMs]).toEqual([100, 130]);
    expect(scheduler.pendingCount).toBe(0);
  });

  it('does not call what has left, wherever it stood', () => {
    const { scheduler, queue, push } = setUp(100);
    const [head, middle, other, tail] = [push(), push(), push(), push()];
    for (const entry of [head, middle, tail]) queue.remove(entry);
    queue.remove(middle);
    scheduler.advance(200);
    expect([head, middle, other, tail].map(({ calledAtMs }) => calledAtMs)).toEqual([
      undefined,
      undefined,
      100,
      undefined,
    ]);
  });

  it('takes an entry again after it was called or has left', () => {
    const { clock, scheduler, queue, push } = setUp(100);
    const entry = push();
    scheduler.advance(100);
    queue.push(entry, clock.nowMs());
    scheduler.advance(100);
    expect(entry.calledAtMs).toBe(200);
  });

  it('has no timer without a limit, and none after close', () => {
    const unlimited = setUp(Number.POSITIVE_INFINITY);
    unlimited.queue.remove(unlimited.push());
    expect(unlimited.scheduler.pendingCount).toBe(0);
    const { scheduler, queue, push } = setUp(100);
    const entry = push();
    queue.close();
    expect(scheduler.pendingCount).toBe(0);
    scheduler.advance(500);
    expect(entry.calledAtMs).toBeUndefined();
  });

  it('lets an entry leave and another join from within a call', () => {
    const { clock, scheduler, queue, push } = setUp(100);
    const late = new Entry(clock);
    const victim = new Entry(clock);
    const first = push();
    first.onLimit = () => {
      queue.remove(victim);
      queue.push(late, clock.nowMs());
    };
    queue.push(victim, clock.nowMs());
    scheduler.advance(300);
    expect([victim.calledAtMs, late.calledAtMs]).toEqual([undefined, 200]);
  });

  it('calls exactly those that have not left in time, at their time', () => {
    const step = fc.oneof(
      fc.record({ kind: fc.constant('wait' as const), ms: fc.integer({ min: 1, max: 60 }) }),
      fc.record({ kind: fc.constant('push' as const), ms: fc.constant(0) }),
      fc.record({ kind: fc.constant('leave' as const), ms: fc.nat(30) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
        const { clock, scheduler, queue, push } = setUp(100);
        const entries: { entry: Entry; dueMs: number; leftAtMs: number | undefined }[] = [];
        for (const { kind, ms } of steps) {
          if (kind === 'wait') scheduler.advance(ms);
          else if (kind === 'push')
            entries.push({ entry: push(), dueMs: clock.nowMs() + 100, leftAtMs: undefined });
          else {
            const chosen = entries[ms];
            if (chosen === undefined) continue;
            queue.remove(chosen.entry);
            chosen.leftAtMs ??= clock.nowMs();
          }
        }
        scheduler.advance(1_000);
        for (const { entry, dueMs, leftAtMs } of entries) {
          expect(entry.calledAtMs).toBe(
            leftAtMs === undefined || leftAtMs >= dueMs ? dueMs : undefined,
          );
        }
        expect(scheduler.pendingCount).toBe(0);
      }),
      { seed: 3, numRuns: 300 },
    );
  });
});
