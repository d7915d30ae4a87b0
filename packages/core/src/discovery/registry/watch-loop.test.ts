import { describe, expect, it } from 'vitest';
import { createManualRuntime } from '../../testing/manual-runtime.ts';
import { FakeRegistry } from '../test-support/fake-registry.ts';
import { UNCHANGED } from './registry-source.ts';
import { WatchLoop } from './watch-loop.ts';

const TIMES = {
  readTimeoutMs: 10_000,
  silenceMs: 38_000,
  pollIntervalMs: 5_000,
  minIntervalMs: 200,
  maxAgeMs: 300_000,
  maxBackoffMs: 10_000,
};

/** @param earlyMs how much too early timers fire, as those of the system may */
function create(earlyMs = 0) {
  const runtime = createManualRuntime();
  const { scheduler } = runtime;
  const registry = new FakeRegistry();
  const heard: string[] = [];
  const second = { atMs: undefined as number | undefined, throws: false };
  const loop = new WatchLoop({
    source: registry,
    times: TIMES,
    runtime: {
      ...runtime,
      scheduler: {
        after: (delayMs, task) => scheduler.after(Math.max(0, delayMs - earlyMs), task),
        soon: (task) => scheduler.soon(task),
        hold: () => scheduler.hold(),
      },
    },
    listener: {
      onReading: ({ endpoints }) => {
        if (second.throws) throw new Error('too many');
        heard.push(`${endpoints.length}`);
        return second.atMs;
      },
      onUnchanged: () => void heard.push('unchanged'),
      onFailure: (problem) => void heard.push(problem),
    },
  });
  const pass = (durationMs: number): Promise<void> => runtime.scheduler.advanceAsync(durationMs);
  return { runtime, registry, heard, second, loop, pass };
}

describe('WatchLoop', () => {
  it('reads, then watches from the position of each answer', async () => {
    const { registry, heard, loop, pass } = create();
    registry.list(['10.0.0.1:80']);
    loop.start();
    await pass(200);
    expect(registry.history).toEqual(['read', 'watch 1']);
    registry.list(['10.0.0.1:80', '10.0.0.2:80']);
    await pass(200);
    expect(registry.history).toEqual(['read', 'watch 1', 'watch 2']);
    expect(heard).toEqual(['1', '2']);
    loop.close();
  });

  it('takes a change after a quiet time at once, and a storm of them at the minimum interval', async () => {
    const { registry, heard, loop, pass } = create();
    registry.list([]);
    loop.start();
    await pass(1_000);
    registry.list(['10.0.0.1:80']);
    await pass(0);
    expect(heard).toEqual(['0', '1']);
    const before = registry.calls.length;
    for (let change = 0; change < 1_000; change += 1) {
      registry.list([`10.0.1.${change % 250}:80`]);
      await pass(1);
    }
    // One second of changes: five intervals of 200 ms.
    expect(registry.calls.length - before).toBeLessThanOrEqual(5);
    expect(registry.calls.length - before).toBeGreaterThanOrEqual(4);
    loop.close();
  });

  it('rests ten times as long as an answer kept the thread busy', async () => {
    const { registry, loop, pass } = create();
    registry.list([]);
    registry.automatic = () => ({ ...registry.reading(), busyMs: 80 });
    loop.start();
    await pass(799);
    expect(registry.history).toEqual(['read']);
    await pass(1);
    expect(registry.history).toEqual(['read', 'watch 1']);
    loop.close();
  });

  it('goes on from the same position after a sign of life', async () => {
    const { registry, heard, loop, pass } = create();
    registry.list([]);
    loop.start();
    await pass(200);
    registry.last?.resolve(UNCHANGED);
    await pass(200);
    expect(registry.history).toEqual(['read', 'watch 1', 'watch 1']);
    expect(heard).toEqual(['0', 'unchanged']);
    loop.close();
  });

  it('does not spin when a registry has nothing to say all the time', async () => {
    const { registry, loop, pass } = create();
    registry.list([]);
    loop.start();
    await pass(200);
    const before = registry.calls.length;
    for (let step = 0; step < 100; step += 1) {
      registry.last?.resolve(UNCHANGED);
      await pass(20);
    }
    expect(registry.calls.length - before).toBeLessThanOrEqual(10);
    loop.close();
  });

  it('gives a silent watch up, counts it, and reads everything', async () => {
    const { registry, heard, loop, pass } = create();
    registry.list([]);
    loop.start();
    await pass(200);
    const silent = registry.last;
    await pass(37_999);
    expect(heard).toEqual(['0']);
    await pass(1);
    expect(silent?.look.signal.aborted).toBe(true);
    expect(heard).toEqual(['0', 'silent for 38000 ms']);
    expect(loop.silenceCount).toBe(1);
    await pass(250);
    expect(heard).toEqual(['0', 'silent for 38000 ms', '0']);
    expect(loop.resyncCount).toBe(1);
    loop.close();
  });

  it('ignores what a call that was given up says later', async () => {
    const { registry, heard, loop, pass } = create();
    registry.list([]);
    loop.start();
    await pass(200);
    const silent = registry.last;
    await pass(38_250);
    const before = heard.length;
    silent?.resolve(registry.reading());
    await pass(0);
    expect(heard).toHaveLength(before);
    loop.close();
  });

  it('gives a reading up after its time', async () => {
    const { registry, heard, loop, pass } = create();
    loop.start();
    await pass(10_000);
    expect(heard).toEqual(['no answer within 10000 ms']);
    expect(registry.last?.look.signal.aborted).toBe(true);
    loop.close();
  });

  it('waits longer and longer after failures, with jitter and a ceiling, and starts over after a success', async () => {
    const { runtime, registry, heard, loop, pass } = create();
    registry.broken = true;
    loop.start();
    const waits: number[] = [];
    for (let failure = 0; failure < 60; failure += 1) {
      await pass(0);
      const waitMs = (runtime.scheduler.nextDueMs ?? 0) - runtime.clock.nowMs();
      waits.push(waitMs);
      await pass(waitMs);
    }
    for (const [index, waitMs] of waits.entries()) {
      expect(waitMs).toBeLessThan(Math.min(10_000, 250 * 2 ** index));
    }
    expect(Math.max(...waits)).toBeGreaterThan(8_000);
    expect(new Set(waits.map(Math.round)).size).toBeGreaterThan(50);
    registry.list([]);
    await pass(10_000);
    expect(heard.at(-1)).toBe('0');
    registry.fail();
    await pass(0);
    expect((runtime.scheduler.nextDueMs ?? 0) - runtime.clock.nowMs()).toBeLessThan(250);
    loop.close();
  });

  it('reads everything after a failed watch', async () => {
    const { registry, loop, pass } = create();
    registry.list([]);
    loop.start();
    await pass(200);
    registry.last?.reject(new Error('position too old'));
    await pass(500);
    expect(registry.history).toEqual(['read', 'watch 1', 'read', 'watch 1']);
    loop.close();
  });

  it('reads everything when the last reading is too old, although the watch lives', async () => {
    const { registry, heard, loop, pass } = create();
    registry.list([]);
    loop.start();
    for (let round = 0; round < 30; round += 1) {
      await pass(10_000);
      registry.last?.resolve(UNCHANGED);
    }
    await pass(10_000);
    expect(registry.history.filter((call) => call === 'read')).toHaveLength(2);
    expect(loop.resyncCount).toBe(1);
    expect(heard.filter((entry) => entry !== 'unchanged')).toEqual(['0', '0']);
    loop.close();
  });

  it('takes a careful second look at the time the listener names, also in the middle of a watch', async () => {
    const { registry, second, loop, pass } = create();
    registry.list([]);
    second.atMs = 7_000;
    loop.start();
    await pass(6_999);
    expect(registry.history).toEqual(['read', 'watch 1']);
    second.atMs = undefined;
    await pass(1);
    expect(registry.history).toEqual(['read', 'watch 1', 'read careful']);
    await pass(200);
    expect(registry.history.at(-1)).toBe('watch 1');
    loop.close();
  });

  it('does not take a watch that gives way a little early for a silence', async () => {
    const { registry, second, loop, heard, pass } = create(0.5);
    registry.list([]);
    second.atMs = 7_000;
    loop.start();
    await pass(6_000);
    second.atMs = undefined;
    await pass(1_010);
    expect(registry.history.at(-1)).toBe('read careful');
    expect(heard).toEqual(['0', '0']);
    expect(loop.silenceCount).toBe(0);
    loop.close();
  });

  it('reads again and again what cannot be watched', async () => {
    const { registry, loop, pass } = create();
    registry.watchable = false;
    registry.list([]);
    loop.start();
    await pass(5_500);
    expect(registry.history).toEqual(['read', 'read']);
    await pass(4_999);
    expect(registry.history).toHaveLength(2);
    await pass(600);
    expect(registry.history).toHaveLength(3);
    expect(loop.resyncCount).toBe(0);
    loop.close();
  });

  it('treats an answer that its listener refuses as a failure', async () => {
    const { registry, heard, second, loop, pass } = create();
    registry.list([]);
    second.throws = true;
    loop.start();
    await pass(0);
    expect(heard).toEqual(['too many']);
    second.throws = false;
    await pass(250);
    expect(heard).toEqual(['too many', '0']);
    loop.close();
  });

  describe('refresh()', () => {
    it('cuts a watch short, at most once a second', async () => {
      const { registry, loop, pass } = create();
      registry.list([]);
      loop.start();
      await pass(20_000);
      loop.refresh();
      loop.refresh();
      await pass(0);
      expect(registry.history).toEqual(['read', 'watch 1', 'read']);
      for (let call = 0; call < 50; call += 1) {
        loop.refresh();
        await pass(20);
      }
      expect(registry.history.filter((entry) => entry === 'read')).toHaveLength(3);
      loop.close();
    });

    it('is followed by a reading that began after it', async () => {
      const { registry, loop, pass } = create();
      loop.start();
      loop.refresh();
      registry.last?.resolve(registry.reading());
      await pass(1_000);
      expect(registry.history).toEqual(['read', 'read']);
      loop.close();
    });

    it('does not cut a wait after a failure short', async () => {
      const { registry, loop, pass } = create();
      registry.broken = true;
      loop.start();
      for (let round = 0; round < 10; round += 1) await pass(10_000);
      const before = registry.calls.length;
      loop.refresh();
      await pass(0);
      expect(registry.calls.length).toBe(before);
      loop.close();
    });
  });

  it('leaves no timer and no call behind when closed', async () => {
    for (const atMs of [0, 100, 300, 50_000]) {
      const { runtime, registry, loop, pass } = create();
      registry.list([]);
      loop.start();
      await pass(atMs);
      loop.close();
      loop.refresh();
      await pass(100_000);
      expect(runtime.scheduler.pendingCount).toBe(0);
      for (const { look } of registry.calls.slice(-1)) expect(look.signal.aborted).toBe(true);
    }
  });
});
