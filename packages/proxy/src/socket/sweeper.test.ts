import { describe, expect, it } from 'vitest';
import { createManualRuntime } from '@evenkeel/core/testing';
import { Sweeper, type Timed } from './sweeper.ts';

function timed(dueAtMs: number, log: string[], name: string): Timed {
  const one: Timed = {
    dueAtMs,
    sweepIndex: -1,
    onDue: (nowMs) => {
      log.push(`${name}@${nowMs}`);
      one.dueAtMs = Number.POSITIVE_INFINITY;
    },
  };
  return one;
}

describe('the sweeper', () => {
  it('calls whoever is due, at the next tick', () => {
    const runtime = createManualRuntime();
    const sweeper = new Sweeper(runtime);
    const log: string[] = [];
    sweeper.add(timed(150, log, 'a'));
    sweeper.add(timed(Number.POSITIVE_INFINITY, log, 'never'));
    sweeper.add(timed(350, log, 'b'));
    runtime.scheduler.advance(1_000);
    expect(log).toEqual(['a@200', 'b@400']);
  });

  it('lets anyone leave, also while it looks', () => {
    const runtime = createManualRuntime();
    const sweeper = new Sweeper(runtime);
    const log: string[] = [];
    const all = Array.from({ length: 20 }, (_, index) => timed(50, log, String(index)));
    for (const one of all) {
      const { onDue } = one;
      one.onDue = (nowMs) => {
        onDue(nowMs);
        sweeper.remove(one);
      };
      sweeper.add(one);
    }
    sweeper.remove(all[7]!);
    sweeper.remove(all[7]!);
    runtime.scheduler.advance(100);
    expect(log).toHaveLength(19);
    expect(log).not.toContain('7@100');
    expect(sweeper.size).toBe(0);
  });

  it('knows a limit that is never early, without a look at the clock', () => {
    const runtime = createManualRuntime();
    const sweeper = new Sweeper(runtime);
    const log: string[] = [];
    const one = timed(Number.POSITIVE_INFINITY, log, 'x');
    sweeper.add(one);
    runtime.scheduler.advance(199);
    const beganMs = runtime.clock.nowMs();
    one.dueAtMs = sweeper.dueAfter(150);
    runtime.scheduler.advance(1_000);
    const [, at] = (log[0] ?? '').split('@').map(Number);
    expect(at).toBeGreaterThanOrEqual(beganMs + 150);
    expect(at).toBeLessThanOrEqual(beganMs + 350);
  });

  it('has no timer while nobody is in it', () => {
    const runtime = createManualRuntime();
    const sweeper = new Sweeper(runtime);
    const one = timed(Number.POSITIVE_INFINITY, [], 'x');
    sweeper.add(one);
    sweeper.remove(one);
    runtime.scheduler.advance(200);
    expect(runtime.scheduler.pendingCount).toBe(0);
    sweeper.add(one);
    expect(runtime.scheduler.pendingCount).toBe(1);
    sweeper.close();
    expect(runtime.scheduler.pendingCount).toBe(0);
  });
});
