import { describe, expect, it } from 'vitest';
import { BodyPace } from './body-pace.ts';

const LIMITS = { bodyGraceMs: 500, minBodyBytesPerSecond: 100 };

describe('the pace of a body', () => {
  it('gives each byte its time, and the grace once', () => {
    const pace = new BodyPace();
    pace.begin(1_000);
    expect(pace.dueAtMs(0, LIMITS)).toBe(1_500);
    // 250 bytes at 100 a second take 2.5 s.
    expect(pace.dueAtMs(250, LIMITS)).toBe(4_000);
  });

  it('does not count time in which nobody reads', () => {
    const pace = new BodyPace();
    pace.begin(0);
    pace.pause(100);
    pace.pause(200);
    pace.resume(400);
    pace.resume(450);
    expect(pace.dueAtMs(0, LIMITS)).toBe(800);
    pace.begin(1_000);
    expect(pace.dueAtMs(0, LIMITS)).toBe(1_500);
  });
});
