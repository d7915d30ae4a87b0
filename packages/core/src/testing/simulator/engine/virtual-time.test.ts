import { describe, expect, it } from 'vitest';
import { EventQueue } from './event-queue.ts';
import { VirtualTime } from './virtual-time.ts';

function create(): { time: VirtualTime; runAll: () => void } {
  const queue = new EventQueue();
  const time = new VirtualTime({ putTask: (timeMs, task) => queue.put(timeMs, task, 0) });
  return {
    time,
    runAll: () => {
      time.runSoon();
      while (queue.size > 0) {
        time.timeMs = queue.nextMs;
        queue.take();
        time.run(queue.code);
        time.runSoon();
      }
    },
  };
}

describe('VirtualTime', () => {
  it('runs timers at their time, in order', () => {
    const { time, runAll } = create();
    const log: string[] = [];
    time.after(20, () => log.push(`b ${time.nowMs()}`));
    time.after(10, () => {
      log.push(`a ${time.nowMs()}`);
      time.after(5, () => log.push(`c ${time.nowMs()}`));
    });
    runAll();
    expect(log).toEqual(['a 10', 'c 15', 'b 20']);
  });

  it('does not run what was cancelled, though the place is used again', () => {
    const { time, runAll } = create();
    const log: string[] = [];
    const first = time.after(10, () => log.push('first'));
    first.cancel();
    first.cancel();
    runAll();
    const second = time.after(10, () => log.push('second'));
    first.cancel();
    runAll();
    second.cancel();
    expect(log).toEqual(['second']);
  });

  it('runs what is to be soon before the time moves on', () => {
    const { time, runAll } = create();
    const log: string[] = [];
    time.after(10, () => {
      time.soon(() => {
        log.push(`soon ${time.nowMs()}`);
        time.soon(() => log.push(`sooner ${time.nowMs()}`));
      });
    });
    time.after(11, () => log.push('later'));
    runAll();
    expect(log).toEqual(['soon 10', 'sooner 10', 'later']);
  });

  it('has a date that moves with the time', () => {
    const { time } = create();
    const startMs = time.wallMs();
    expect(new Date(startMs).toISOString()).toBe('2030-01-01T00:00:00.000Z');
    time.timeMs = 1_500;
    expect(time.wallMs() - startMs).toBe(1_500);
  });
});
