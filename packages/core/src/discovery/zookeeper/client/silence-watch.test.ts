import { describe, expect, it } from 'vitest';
import { createManualRuntime } from '../../../testing/manual-runtime.ts';
import { SilenceWatch } from './silence-watch.ts';

function create() {
  const runtime = createManualRuntime();
  const { clock, scheduler } = runtime;
  const asked: number[] = [];
  const silent: number[] = [];
  let lastReceivedMs = clock.nowMs();
  const watch = new SilenceWatch({
    ...{ intervalMs: 1_000, clock, scheduler, lastReceivedMs: () => lastReceivedMs },
    ask: () => void asked.push(clock.nowMs()),
    onSilent: (quietMs) => void silent.push(quietMs),
  });
  return {
    ...{ watch, scheduler, asked, silent, startMs: clock.nowMs() },
    receive: (): void => void (lastReceivedMs = clock.nowMs()),
  };
}

describe('SilenceWatch', () => {
  it('asks after an interval without a byte, and gives up after one and a half more', () => {
    const { scheduler, asked, silent, startMs } = create();
    scheduler.advance(999);
    expect(asked).toEqual([]);
    scheduler.advance(1);
    expect(asked).toEqual([startMs + 1_000]);
    scheduler.advance(1_499);
    expect(silent).toEqual([]);
    scheduler.advance(1);
    expect(silent).toEqual([2_500]);
    scheduler.advance(10_000);
    expect([asked.length, silent.length]).toEqual([1, 1]);
    expect(scheduler.pendingCount).toBe(0);
  });

  it('takes any byte for an answer, and asks nothing while bytes come', () => {
    const { scheduler, asked, silent, receive, watch } = create();
    for (let count = 0; count < 20; count += 1) {
      scheduler.advance(900);
      receive();
    }
    expect(asked).toEqual([]);
    scheduler.advance(1_100);
    expect(asked).toHaveLength(1);
    receive();
    scheduler.advance(900);
    expect(asked).toHaveLength(1);
    scheduler.advance(600);
    expect(asked).toHaveLength(2);
    expect(silent).toEqual([]);
    watch.close();
    expect(scheduler.pendingCount).toBe(0);
  });
});
