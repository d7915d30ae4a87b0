import { describe, expect, it } from 'vitest';
import { createManualRuntime } from '../../testing/manual-runtime.ts';
import { type Attempt, attempt } from './attempt.ts';
import { failed, passed } from './check.ts';

function setUp(timeoutMs = 1000) {
  const runtime = createManualRuntime();
  const controller = new AbortController();
  let releasedCount = 0;
  let current: Attempt | undefined;
  const run = (onStart: (started: Attempt) => void = () => undefined) =>
    attempt({ runtime, timeoutMs, signal: controller.signal }, (started) => {
      current = started;
      onStart(started);
      return () => void releasedCount++;
    });
  return {
    runtime,
    controller,
    run,
    current: () => current,
    released: () => releasedCount,
  };
}

describe('attempt', () => {
  it('settles with the first result and releases once', async () => {
    const { runtime, run, current, released } = setUp();
    const result = run();
    current()?.settle(passed('first'));
    current()?.settle(failed('second'));
    expect(await result).toEqual(passed('first'));
    expect(released()).toBe(1);
    expect(current()?.settled).toBe(true);
    expect(runtime.scheduler.pendingCount).toBe(0);
  });

  it('settles at the deadline and names the step', async () => {
    const { runtime, run, current, released } = setUp();
    const result = run();
    const started = current();
    if (started !== undefined) started.step = 'reading the answer';
    runtime.scheduler.advance(999);
    expect(released()).toBe(0);
    runtime.scheduler.advance(1);
    expect(await result).toEqual(failed('timed out after 1000 ms (reading the answer)'));
    expect(released()).toBe(1);
  });

  it('settles when it is aborted, before or while it runs', async () => {
    const { runtime, run, controller, current, released } = setUp();
    const running = run();
    controller.abort();
    expect(await running).toEqual(failed('aborted'));
    expect(released()).toBe(1);
    const before = current();
    expect(await run()).toEqual(failed('aborted'));
    expect(current()).toBe(before);
    expect(runtime.scheduler.pendingCount).toBe(0);
  });

  it('releases also what settled while it started', async () => {
    const { run, released } = setUp();
    expect(await run((started) => started.settle(passed('at once')))).toEqual(passed('at once'));
    expect(released()).toBe(1);
  });

  it('takes what start throws for a failure', async () => {
    const { runtime, run, released } = setUp();
    const result = await run(() => {
      throw new Error('invalid argument');
    });
    expect(result).toEqual(failed('invalid argument'));
    expect(released()).toBe(0);
    expect(runtime.scheduler.pendingCount).toBe(0);
  });

  describe('when this process was blocked at the deadline', () => {
    it('waits once more, for the time lost, so that an answer that came can be read', async () => {
      const { runtime, run, current } = setUp();
      const result = run();
      // The timer was due at 1,000 and could run only at 1,400.
      runtime.clock.set(1400);
      runtime.scheduler.advance(0);
      runtime.scheduler.advance(399);
      current()?.settle(passed('was there all the time'));
      expect(await result).toEqual(passed('was there all the time'));
    });

    it('does not wait for ever', async () => {
      const { runtime, run } = setUp();
      const result = run();
      runtime.clock.set(60_000);
      runtime.scheduler.advance(0);
      // At most one more timeout, although 59 seconds were lost.
      runtime.scheduler.advance(1000);
      expect((await result).reason).toBe('timed out after 1000 ms (connecting)');
      expect(runtime.scheduler.pendingCount).toBe(0);
    });
  });
});
