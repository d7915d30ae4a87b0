import { describe, expect, it } from 'vitest';
import { createLoadReport } from '../../load-report/load-report.ts';
import { Outcome } from '../../model/outcome.ts';
import { XorShift128 } from '../../runtime/random.ts';
import { createPolicy } from '../standalone.ts';
import { askAll, bench, busy, idle, pooled } from './test-support/prequal-bench.ts';

describe('prequal: probes', () => {
  it.for([0.5, 1, 3])('go out %d per request, to members drawn at random', (probesPerRequest) => {
    const b = bench(20, { probesPerRequest });
    for (let request = 0; request < 1_000; request++) {
      b.request();
      b.nowMs += 10;
      b.answer(() => idle(10));
    }
    const sent = b.prober.probed.length;
    // A draw that falls on an endpoint with a probe under way is lost: with 3 at once, 3 of 20 pairs in a round.
    expect(sent).toBeLessThanOrEqual(probesPerRequest * 1_000);
    expect(sent).toBeGreaterThan(probesPerRequest * 1_000 * 0.9);
    expect(new Set(b.prober.probed).size).toBe(20);
    expect(b.policy.stats()).toMatchObject({ probeCount: sent, probeAnswerCount: sent });
  });

  it('are no more per second than told', () => {
    const b = bench(20, { maxProbesPerSecond: 50 });
    for (let request = 0; request < 2_000; request++) {
      b.request();
      b.nowMs += 1;
      b.answer(() => idle(10));
    }
    // 2 s at 50, and a burst of 50 ms.
    expect(b.prober.probed.length).toBeLessThanOrEqual(104);
  });

  it('are one at a time for each endpoint: one that hangs collects none', () => {
    const b = bench(4);
    for (let request = 0; request < 100; request++) b.request();
    expect(b.prober.pending).toHaveLength(4);
    expect(b.prober.probed).toHaveLength(4);
  });

  it('are not missed when the prober declines', () => {
    const b = bench(8);
    b.prober.maxPending = 2;
    for (let request = 0; request < 100; request++) expect(b.request()).toBeGreaterThanOrEqual(0);
    const { probeCount, probeDeclinedCount } = b.policy.stats();
    expect(probeCount).toBe(2);
    expect(probeDeclinedCount).toBeGreaterThan(50);
  });

  it('leave an endpoint that does not know them alone for ten seconds', () => {
    const b = bench(1);
    const probesWithin = (ms: number): number => {
      const before = b.prober.probed.length;
      for (let at = 0; at < ms; at += 100) {
        b.request();
        b.prober.answer(b.nowMs, () => 'not-understood');
        b.nowMs += 100;
      }
      return b.prober.probed.length - before;
    };
    expect(probesWithin(10_000)).toBe(1);
    expect(probesWithin(50_000)).toBe(5);
    // It is no failure: the endpoint is as good as before.
    expect(b.policy.explain({}, b.nowMs)[0]?.reason).toBe('0 in flight from here, no fresh answer');
  });

  it('take answers that cannot be for not understood', () => {
    for (const wrong of [
      busy(-1, 5),
      busy(Number.NaN, 5),
      busy(1, -5),
      busy(1e300, 5),
      { ...idle(1), errorRatio: 2 },
    ]) {
      const b = bench(2);
      for (let request = 0; request < 20; request++) {
        b.request();
        b.answer(() => wrong);
      }
      expect(b.prober.probed).toHaveLength(2);
      expect(pooled(b)).toBe(0);
      expect(b.policy.stats()['probeFailureCount']).toBe(2);
    }
  });

  it('that fail count against an endpoint and take its answer away', () => {
    const b = bench(4);
    askAll(b, 4, () => idle(10));
    expect(pooled(b)).toBe(4);
    for (let request = 0; request < 40; request++) {
      b.request();
      b.prober.answer(b.nowMs, (slot) => (slot === 0 ? 'unreachable' : idle(10)));
    }
    expect(pooled(b)).toBe(3);
    const about = b.policy.explain({}, b.nowMs).find(({ slot }) => slot === 0);
    expect(about?.reason).toMatch(/no fresh answer, success rate 0\.\d\d$/);
  });

  it('of endpoints that have left are dropped, also when another has their slot', () => {
    const b = bench(2);
    for (let request = 0; request < 20; request++) b.request();
    expect(b.prober.pending).toHaveLength(2);
    b.policy.update(['x0:1', 'x1:1']);
    b.answer(() => idle(1));
    expect(pooled(b)).toBe(0);
    expect(b.policy.stats()['probeAnswerCount']).toBe(0);
  });

  it('are given up when the policy is closed', () => {
    const b = bench(2);
    b.request();
    b.policy.close();
    b.policy.close();
    expect(b.prober.closeCount).toBeGreaterThan(0);
    expect(b.prober.pending).toHaveLength(0);
  });

  it('are not sent without a prober, and picks go on', () => {
    const policy = createPolicy('prequal', {
      endpoints: ['a:1', 'b:1'],
      random: new XorShift128(1),
    });
    for (let request = 0; request < 50; request++) {
      const slot = policy.pick({}, request);
      expect([0, 1]).toContain(slot);
      policy.start(slot, request);
    }
    expect(policy.stats()).toMatchObject({
      probeCount: 0,
      fallbackPickCount: 50,
      pooledPickCount: 0,
    });
  });
});

describe('prequal: the pool', () => {
  it('holds as many answers as it is told, the latest of each endpoint', () => {
    const b = bench(50, { poolSize: 8, probesPerRequest: 3 });
    for (let request = 0; request < 300; request++) {
      b.request();
      b.nowMs++;
      b.answer(() => idle(10));
      expect(pooled(b)).toBeLessThanOrEqual(8);
    }
    expect(pooled(b)).toBeGreaterThan(4);
  });

  it('forgets answers by age', () => {
    const b = bench(4, { maxAgeMs: 500 });
    askAll(b, 4, () => idle(10));
    b.nowMs += 499;
    expect(b.policy.explain({}, b.nowMs)[0]?.reason).toContain('told 499 ms ago');
    b.nowMs += 1;
    // A pick does not look at it any more; the next request throws it away.
    expect(b.policy.explain({}, b.nowMs)[0]?.reason).toContain('no fresh answer');
    b.request();
    expect(pooled(b)).toBe(0);
  });

  it('uses an answer only so often', () => {
    // 100 members, no new answers after the first ones: each is used up after at most 8 picks.
    const b = bench(100, { probesPerRequest: 1 });
    for (let request = 0; request < 64; request++) {
      b.request();
      b.answer(() => idle(10));
    }
    const left = pooled(b);
    expect(left).toBeGreaterThan(0);
    for (let request = 0; request < 8 * left; request++) b.request();
    // Below the four answers that a pick needs nothing is used any more.
    expect(pooled(b)).toBeLessThan(4);
  });

  it('removes the worst and the oldest in turn, one for so many that come in', () => {
    const b = bench(4, { removalRatio: 0.25, probesPerRequest: 0, hotQuantile: 1 });
    b.policy.pick({}, b.nowMs);
    const tell = (slot: number, latencyMs: number): void => {
      const namedMetrics = new Map([
        ['rif', 0],
        ['latency_ms', latencyMs],
      ]);
      b.policy.start(slot, b.nowMs);
      b.policy.report(slot, createLoadReport({ namedMetrics }), b.nowMs);
      b.policy.finish(slot, Outcome.success, 1, b.nowMs);
      b.nowMs++;
    };
    const missing = (): number[] =>
      b.policy
        .explain({}, b.nowMs)
        .filter(({ reason }) => reason.includes('no fresh answer'))
        .map(({ slot }) => slot);
    for (const [slot, latencyMs] of [10, 90, 20].entries()) tell(slot, latencyMs);
    expect(missing()).toEqual([3]);
    tell(3, 30);
    expect(missing()).toEqual([1]);
    for (const slot of [0, 2, 1]) tell(slot, slot === 1 ? 90 : 20);
    expect(missing()).toEqual([]);
    tell(2, 20);
    expect(missing()).toEqual([3]);
  });
});
