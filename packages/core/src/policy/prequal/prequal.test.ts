import { describe, expect, it } from 'vitest';
import { createLoadReport } from '../../load-report/load-report.ts';
import { Outcome } from '../../model/outcome.ts';
import { XorShift128 } from '../../runtime/random.ts';
import type { ProbeAnswer } from '../probing.ts';
import { createPolicy, type StandalonePolicy } from '../standalone.ts';
import { ScriptedProber } from '../test-support/scripted-prober.ts';
import { askAll, bench, busy, idle } from './test-support/prequal-bench.ts';

describe('prequal: the pick', () => {
  it('takes the fastest of those that are not hot', () => {
    const b = bench(5, { hotQuantile: 0.6 });
    // Latency falls with load here: the fastest of all has the most to do, and is hot.
    const answerOf = (slot: number): ProbeAnswer =>
      busy(slot * 2, (slot * 2 + 1) * (20 - 3 * slot));
    askAll(b, 5, answerOf);
    for (let request = 0; request < 128; request++) {
      b.request();
      b.answer(answerOf);
    }
    // Loads told are 0, 2, 4, 6, 8 alike: the smallest that 60 % do not exceed is about 4.
    const hotAbove = b.policy.stats()['hotAbove'] ?? NaN;
    expect([4, 6]).toContain(hotAbove);
    const explained = b.policy.explain({}, b.nowMs);
    for (const { slot, reason } of explained)
      expect(reason.startsWith(slot * 2 > hotAbove ? 'hot' : 'cold')).toBe(true);
    // Expected latencies of the cold ones are 20, 51, 70 ...: the first wins.
    expect(explained[0]).toMatchObject({ slot: 0, shareRatio: 1 });
    expect(b.policy.pick({}, b.nowMs)).toBe(0);
  });

  it('takes the least loaded when all are hot', () => {
    const b = bench(4);
    // Nobody ever told of more than 0 requests: whoever has one is hot.
    askAll(b, 4, (slot) => idle(slot === 3 ? 1 : 100));
    expect(b.policy.pick({}, b.nowMs)).toBe(3);
    const { hotPickCount = NaN, hotAbove } = b.policy.stats();
    expect(hotAbove).toBe(0);
    b.policy.load.active.set([12, 10, 11, 13]);
    expect(b.policy.pick({}, b.nowMs)).toBe(1);
    expect(b.policy.stats()['hotPickCount']).toBe(hotPickCount + 1);
    expect(b.policy.explain({}, b.nowMs)[0]).toMatchObject({
      slot: 1,
      shareRatio: 1,
      reason: 'hot, 10 in flight there, 1100.0 ms expected, told 0 ms ago',
    });
  });

  it('rescales what was told to the requests that are there now', () => {
    const b = bench(2, { hotQuantile: 1, probesPerRequest: 1 });
    // At 4 in flight 50 ms are 10 ms for each; the other needs 12 ms for each.
    askAll(b, 2, (slot) => (slot === 0 ? busy(4, 50) : busy(4, 60)));
    expect(b.policy.explain({}, b.nowMs)[0]).toMatchObject({ slot: 0 });
    expect(b.policy.explain({}, b.nowMs)[0]?.reason).toMatch(
      /4 in flight there, 50\.0 ms expected/,
    );
    // Two more of our own, after that: 7 * 10 = 70 ms against 5 * 12 = 60.
    b.policy.load.active[0] = 2;
    const [best, second] = b.policy.explain({}, b.nowMs);
    expect(best).toMatchObject({ slot: 1 });
    expect(second?.reason).toMatch(/6 in flight there, 70\.0 ms expected/);
    expect(b.policy.pick({}, b.nowMs)).toBe(1);
  });

  it('does not starve an endpoint that was slow while it was busy', () => {
    const b = bench(2, { hotQuantile: 1 });
    // It told 200 ms at 19 in flight, of which 15 were our own and have ended since.
    b.policy.load.active[0] = 15;
    askAll(b, 2, (slot) => (slot === 0 ? busy(19, 200) : busy(4, 60)));
    b.policy.load.active[0] = 0;
    // 10 ms for each of 5 are 50: better than 60.
    expect(b.policy.pick({}, b.nowMs)).toBe(0);
  });

  it('is moved by the errors that an endpoint tells', () => {
    const b = bench(2);
    askAll(b, 2, (slot) => ({
      requestsInFlight: 0,
      latencyMs: slot === 0 ? 1 : 50,
      errorRatio: slot === 0 ? 0.8 : 0,
    }));
    // 1 ms / 0.2^3 = 125 ms, and a load of 124.
    expect(b.policy.explain({}, b.nowMs)[0]).toMatchObject({ slot: 1 });
    expect(b.policy.explain({}, b.nowMs)[1]?.reason).toContain('counts 125-fold for its errors');
    expect(b.policy.pick({}, b.nowMs)).toBe(1);
  });

  it('is moved by the errors that this client has seen, whatever the endpoint tells', () => {
    const b = bench(2);
    askAll(b, 2, (slot) => idle(slot === 0 ? 1 : 50));
    expect(b.policy.pick({}, b.nowMs)).toBe(0);
    for (let failure = 0; failure < 4; failure++) {
      b.policy.start(0, b.nowMs);
      b.policy.finish(0, Outcome.serverError, 1, b.nowMs);
    }
    b.answer((slot) => idle(slot === 0 ? 1 : 50));
    expect(b.policy.pick({}, b.nowMs)).toBe(1);
  });

  it('leaves alone whoever asked for it', () => {
    const b = bench(2);
    askAll(b, 2, (slot) => idle(slot === 0 ? 1 : 50));
    b.policy.pushback(0, 2_000, b.nowMs);
    expect(b.policy.pick({}, b.nowMs)).toBe(1);
  });

  it('takes what it knows and does not exclude', () => {
    const b = bench(6);
    askAll(b, 6, (slot) => idle(10 + slot));
    expect(b.policy.pick({ exclude: [0, 1] }, b.nowMs)).toBe(2);
    // Fewer than the three answers that count are left: drawn from the rest.
    expect([4, 5]).toContain(b.policy.pick({ exclude: [0, 1, 2, 3] }, b.nowMs));
  });

  it('gives a heavier endpoint more to do before it is hot', () => {
    const prober = new ScriptedProber();
    const policy = createPolicy(
      { name: 'prequal', hotQuantile: 0 },
      {
        endpoints: [
          { address: 'a:1', weight: 1 },
          { address: 'b:1', weight: 4 },
        ],
        random: new XorShift128(5),
        createProber: () => prober,
      },
    );
    for (let request = 0; request < 20; request++) {
      policy.start(policy.pick({}, 0), 0);
      policy.load.active.fill(0);
      prober.answer(0, (slot) => busy(slot === 0 ? 2 : 6, 10));
    }
    // Mean weight 2.5: 2 requests count as 5, 6 as 3.75.
    expect(policy.pick({}, 0)).toBe(1);
  });
});

describe('prequal: without answers', () => {
  it('takes the better of two by what this client has there', () => {
    const b = bench(3, { probesPerRequest: 0 });
    b.policy.load.active.set([5, 0, 9]);
    for (let request = 0; request < 100; request++) expect(b.policy.pick({}, b.nowMs)).not.toBe(2);
    expect(b.policy.explain({}, b.nowMs)[0]).toMatchObject({
      slot: 1,
      reason: '0 in flight from here, no fresh answer',
    });
    expect(b.policy.stats()).toMatchObject({ fallbackPickCount: 100, pooledPickCount: 0 });
  });

  it('goes on when all probes fail, and comes back when they do not', () => {
    const b = bench(4);
    const seen = new Set<number>();
    for (let request = 0; request < 200; request++) {
      seen.add(b.request());
      b.prober.answer(b.nowMs, () => 'unreachable');
      b.nowMs += 10;
    }
    expect(seen.size).toBe(4);
    expect(b.policy.stats()).toMatchObject({ pooledPickCount: 0, fallbackPickCount: 200 });
    for (let request = 0; request < 50; request++) {
      b.request();
      b.answer(() => idle(10));
      b.nowMs += 10;
    }
    expect(b.policy.stats()['pooledPickCount']).toBeGreaterThan(20);
  });

  it('remembers how fast an endpoint last said it was', () => {
    const b = bench(2, { maxAgeMs: 100 });
    askAll(b, 2, (slot) => idle(slot === 0 ? 100 : 10));
    b.nowMs += 10_000;
    for (let request = 0; request < 20; request++) expect(b.policy.pick({}, b.nowMs)).toBe(1);
  });
});

describe('prequal: load reports', () => {
  const report = (
    requestsInFlight: number,
    latencyMs: number,
  ): Parameters<StandalonePolicy['report']>[1] =>
    createLoadReport({
      namedMetrics: new Map([
        ['rif', requestsInFlight],
        ['latency_ms', latencyMs],
      ]),
    });

  it('are answers too, and save half of the probes', () => {
    const b = bench(4);
    for (let request = 0; request < 1_000; request++) {
      const slot = b.policy.pick({}, b.nowMs);
      b.policy.start(slot, b.nowMs);
      b.answer(() => idle(10));
      b.policy.report(slot, report(0, 10), b.nowMs);
      b.policy.finish(slot, Outcome.success, 1, b.nowMs);
      b.nowMs++;
    }
    expect(Math.abs(b.prober.probed.length - 500)).toBeLessThan(10);
    expect(b.policy.stats()).toMatchObject({ usedReportCount: 1_000, unusedReportCount: 0 });
  });

  it('do without probes', () => {
    const b = bench(4, { probesPerRequest: 0 });
    const picked = [0, 0, 0, 0];
    for (let request = 0; request < 400; request++) {
      const slot = b.policy.pick({}, b.nowMs);
      picked[slot] = (picked[slot] ?? 0) + 1;
      b.policy.start(slot, b.nowMs);
      b.policy.report(slot, report(0, slot === 2 ? 500 : 10), b.nowMs);
      b.policy.finish(slot, Outcome.success, 1, b.nowMs);
      b.nowMs++;
    }
    expect(b.prober.probed).toHaveLength(0);
    expect(picked[2]).toBeLessThan(40);
    expect(b.policy.stats()['pooledPickCount']).toBeGreaterThan(200);
  });

  it('say nothing without the requests in flight, or with numbers that cannot be', () => {
    const b = bench(2);
    const slot = b.request();
    for (const useless of [
      createLoadReport({ cpuUtilization: 0.5 }),
      report(-1, 5),
      report(1, -5),
      report(1e300, 5),
    ])
      b.policy.report(slot, useless, b.nowMs);
    // Of an endpoint that no request went to.
    b.policy.report(1 - slot, report(1, 1), b.nowMs);
    expect(b.policy.stats()).toMatchObject({
      usedReportCount: 0,
      unusedReportCount: 5,
      pooledAnswers: 0,
    });
  });
});

it.for([
  [{ probesPerRequest: 17 }, 'policy.probesPerRequest'],
  [{ maxProbesPerSecond: 0 }, 'policy.maxProbesPerSecond'],
  [{ poolSize: 1 }, 'policy.poolSize'],
  [{ maxAgeMs: 9 }, 'policy.maxAgeMs'],
  [{ removalRatio: 1.1 }, 'policy.removalRatio'],
  [{ hotQuantile: -0.1 }, 'policy.hotQuantile'],
  [{ probe: { path: 'no-slash' } }, 'policy.probe.path'],
  [{ probe: { path: '/a b' } }, 'policy.probe.path'],
  [{ probe: { port: 0 } }, 'policy.probe.port'],
  [{ probe: { timeoutMs: 0 } }, 'policy.probe.timeoutMs'],
  [{ probe: { maxConcurrent: 0 } }, 'policy.probe.maxConcurrent'],
] as const)('prequal refuses %j', ([options, path]) => {
  expect(() => bench(1, options)).toThrow(path);
});
