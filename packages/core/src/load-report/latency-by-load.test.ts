import { describe, expect, it } from 'vitest';
import { LatencyByLoad } from './latency-by-load.ts';

describe('the estimate of a latency', () => {
  it('is unknown before the first answer', () => {
    expect(new LatencyByLoad().estimateMs(5)).toBe(0);
  });

  it('grows and shrinks with the requests that are there now', () => {
    const latency = new LatencyByLoad();
    // 40 ms with 3 others: 10 ms for each request in the server.
    latency.record(40, 3);
    expect(latency.estimateMs(0)).toBe(10);
    expect(latency.estimateMs(3)).toBe(40);
    expect(latency.estimateMs(9)).toBe(100);
  });

  it('does not remember as slow a server that has become idle', () => {
    const latency = new LatencyByLoad();
    // Processor sharing at 10 ms of work: busy with 20 at a time, then nobody comes.
    for (let answer = 0; answer < 64; answer++) latency.record(200, 19);
    expect(latency.estimateMs(0)).toBe(10);
  });

  it('is the median: a few outliers change nothing', () => {
    const latency = new LatencyByLoad();
    for (let answer = 0; answer < 21; answer++) latency.record(answer % 3 === 0 ? 5_000 : 10, 0);
    expect(latency.estimateMs(0)).toBe(10);
  });

  it('forgets after 64 answers', () => {
    const latency = new LatencyByLoad();
    for (let answer = 0; answer < 64; answer++) latency.record(100, 0);
    // 33 of 64 are a majority.
    for (let answer = 0; answer < 32; answer++) latency.record(10, 0);
    expect(latency.estimateMs(0)).toBe(100);
    latency.record(10, 0);
    expect(latency.estimateMs(0)).toBe(10);
  });
});
