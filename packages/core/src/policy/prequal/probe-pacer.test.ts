import { describe, expect, it } from 'vitest';
import { ProbePacer } from './probe-pacer.ts';

function total(pacer: ProbePacer, requests: number, everyMs: number, fromMs = 0): number {
  let sum = 0;
  for (let request = 0; request < requests; request++)
    sum += pacer.take(fromMs + request * everyMs);
  return sum;
}

describe('the pace of probes', () => {
  it.for([0, 0.25, 1, 2.5, 3])('is %d per request on average', (perRequest) => {
    expect(total(new ProbePacer(perRequest, 100_000), 1_000, 10)).toBe(perRequest * 1_000);
  });

  it('is at most so many per second, with a burst of 50 ms', () => {
    // 3,000 wanted in a second: 100 allowed, and what 50 ms are worth.
    const sent = total(new ProbePacer(3, 100), 1_000, 1);
    expect(sent).toBeGreaterThanOrEqual(100);
    expect(sent).toBeLessThanOrEqual(106);
  });

  it('does not save up over a pause', () => {
    const pacer = new ProbePacer(1, 100);
    total(pacer, 10, 10);
    // 50 ms are worth 5 probes, however long the pause.
    expect(total(pacer, 100, 0, 60_000)).toBeLessThanOrEqual(6);
  });

  it('does not stop when the time goes back', () => {
    const pacer = new ProbePacer(1, 1_000);
    total(pacer, 100, 1, 1_000_000);
    expect(total(pacer, 100, 1, 500)).toBeGreaterThanOrEqual(100);
  });

  it('spares half of the probes for every load report that comes unasked, never more', () => {
    const pacer = new ProbePacer(1, 100_000);
    let sent = 0;
    for (let request = 0; request < 1_000; request++) {
      sent += pacer.take(request * 10);
      pacer.spare();
    }
    expect(sent).toBeGreaterThanOrEqual(499);
    expect(sent).toBeLessThanOrEqual(501);
    // Reports beyond that do not add up to a long silence.
    for (let report = 0; report < 1_000; report++) pacer.spare();
    expect(total(pacer, 10, 10, 20_000)).toBeGreaterThanOrEqual(8);
  });
});
