/** What clients do besides choosing: hedges, time limits, admission, and the options that a scenario gives them. */
import { describe, expect, it } from 'vitest';
import type { ScenarioOptions } from './scenario/scenario.ts';
import { simulate } from './simulate.ts';

const small: ScenarioOptions = {
  name: 'small',
  clients: 3,
  servers: [{ count: 5, cores: 1 }],
  warmUpMs: 500,
  durationMs: 8_000,
  load: 70,
};

describe('hedges', () => {
  const work = { shape: 'constant' } as const;
  const late: ScenarioOptions = {
    ...small,
    work,
    servers: [{ count: 5, cores: 4 }],
    load: 20,
    faults: [{ kind: 'slow', servers: { count: 1 }, factor: 30 }],
    hedge: { delayMs: 50 },
    retry: { attempts: 1, budgetRatio: 1 },
  };
  const run = { policy: 'round-robin', cluster: { outlierDetection: false } } as const;

  it('go to another server after their delay, and the first answer counts', () => {
    const result = simulate(late, run);
    // One request in five is at the slow server: 50 ms, and 10 ms and a round trip elsewhere.
    expect(result.hedgeCount / result.requestCount).toBeCloseTo(0.2, 1);
    expect(result.maxMs).toBeLessThan(75);
    expect(result.attemptCount).toBe(result.requestCount + result.hedgeCount);
    expect(result.outcomes.success).toBe(result.requestCount);
    expect(result.leakedCount).toBe(0);
  });

  it('are held back by the budget, and by the limit of retries', () => {
    const retry = { attempts: 1, budgetRatio: 0.1, minPerSecond: 0 };
    const poor = simulate({ ...late, retry }, run);
    expect(poor.hedgeCount / poor.requestCount).toBeLessThan(0.12);
    const admission = { thresholds: { retries: 0 } };
    const none = simulate(late, { ...run, cluster: { ...run.cluster, admission } });
    expect(none.hedgeCount).toBe(0);
    expect(none.maxMs).toBeGreaterThan(300);
  });

  it('that fail leave the first try its chance, and a retry follows when all have failed', () => {
    const faults = [
      { kind: 'slow', servers: { count: 1 }, factor: 30 },
      { kind: 'fail-fast', servers: { group: 1 } },
    ] as const;
    const servers = [
      { count: 1, cores: 4 },
      { count: 1, cores: 4 },
    ];
    const bad = simulate({ ...late, servers, faults }, { ...run, policy: 'jsq' });
    expect(bad.leakedCount).toBe(0);
    const dead = simulate(
      {
        ...late,
        faults: [{ kind: 'fail-fast', afterMs: 100 }],
        retry: { attempts: 3, budgetRatio: 10 },
      },
      run,
    );
    // A first try, its hedge, and two retries.
    expect(dead.attemptCount / dead.requestCount).toBeCloseTo(4, 1);
    expect(dead.outcomes.serverError).toBe(dead.requestCount);
    expect(dead.leakedCount).toBe(0);
  });

  it('end with the deadline', () => {
    const retry = { attempts: 1, budgetRatio: 10 };
    const hung: ScenarioOptions = {
      ...late,
      faults: [{ kind: 'black-hole' }],
      deadlineMs: 200,
      retry,
    };
    const result = simulate({ ...hung, hedge: { delayMs: 50, maxHedges: 2 } }, run);
    expect(result.hedgeCount).toBe(2 * result.requestCount);
    expect(result.outcomes.timeout).toBe(result.requestCount);
    expect(result.maxMs).toBeCloseTo(200, 6);
    expect(result.leakedCount).toBe(0);
  });
});

describe('time limits', () => {
  it('that were too short to be fair do not speak against the server', () => {
    const hung: ScenarioOptions = {
      ...small,
      load: 20,
      faults: [{ kind: 'black-hole' }],
      deadlineMs: 300,
      retry: { attempts: 2, perTryMs: 250, budgetRatio: 1 },
    };
    const result = simulate(hung, { policy: 'round-robin' });
    // Every second try has 50 ms of 250: no failure to anyone but the caller.
    const failed = result.servers.reduce((sum, { failedCount }) => sum + failedCount, 0);
    expect(failed / result.attemptCount).toBeCloseTo(0.5, 1);
    expect(result.outcomes.timeout).toBe(result.requestCount);
  });
});

describe('servers that are full', () => {
  it('say so at once', () => {
    const result = simulate(
      { ...small, servers: [{ count: 5, maxRequests: 2 }], load: 200 },
      { policy: 'round-robin', cluster: { outlierDetection: false } },
    );
    expect(result.outcomes.overloaded).toBeGreaterThan(0);
    expect(result.outcomes.success + result.outcomes.overloaded).toBe(result.requestCount);
  });
});

describe('admission', () => {
  it('refuses with its reason; who is refused is not sent', () => {
    const admission = { rateLimit: { requestsPerSecond: 50, burst: 1 } };
    const result = simulate({ ...small, load: 50 }, { cluster: { admission } });
    // 3 clients of 50 per second, of 250.
    expect(result.refusals['rate-limit'] / result.requestCount).toBeGreaterThan(0.4);
    expect(result.unsentCount).toBe(result.refusals['rate-limit']);
    expect(result.attemptCount).toBe(result.requestCount - result.unsentCount);
    expect(result.leakedCount).toBe(0);
  });

  it('of endpoints sends requests elsewhere', () => {
    const admission = { concurrency: { per: 'endpoint', initialLimit: 5, maxLimit: 5 } } as const;
    const scenario = { ...small, faults: [{ kind: 'black-hole', servers: { count: 1 } }] } as const;
    const result = simulate(scenario, {
      policy: 'round-robin',
      cluster: { outlierDetection: false, admission },
    });
    // At most 5 of each of the 3 clients hang there at a time, for the second of the deadline.
    expect(result.servers[0]?.attemptCount).toBeLessThanOrEqual(5 * 3 * 9);
    expect(result.leakedCount).toBe(0);
  });
});

describe('options of a scenario', () => {
  it('are those of the clusters, and what a run says comes before them', () => {
    const scenario = { ...small, cluster: { policy: 'random' } };
    expect(simulate(scenario).policy).toBe('random');
    expect(simulate(scenario, { cluster: { policy: 'round-robin' } }).policy).toBe('round-robin');
    expect(simulate(scenario, { policy: 'peak-ewma' }).policy).toBe('peak-ewma');
    expect(() => simulate({ ...small, cluster: { polcy: 'random' } })).toThrow(
      "did you mean 'policy'?",
    );
  });
});
