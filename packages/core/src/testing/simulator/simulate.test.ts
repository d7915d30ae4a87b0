import { describe, expect, it } from 'vitest';
import { createLoadReport, type LoadReport, Metric } from '../../load-report/load-report.ts';
import type { Endpoint } from '../../model/endpoint.ts';
import { NO_SLOT } from '../../model/pick-context.ts';
import { definePolicy, type Policy } from '../../policy/policy.ts';
import type { ProbeAnswer } from '../../policy/probing.ts';
import type { SimulationResult } from './result.ts';
import type { ScenarioOptions } from './scenario/scenario.ts';
import { simulate } from './simulate.ts';

/** Small enough for a unit test: some 3,000 requests. */
const small: ScenarioOptions = {
  name: 'small',
  clients: 3,
  servers: [{ count: 5, cores: 1 }],
  warmUpMs: 500,
  durationMs: 8_000,
  load: 70,
};

/** Everything that tells runs apart. */
function numbersOf({ p50Ms, p99Ms, meanMs, requestCount, servers }: SimulationResult): unknown {
  return {
    p50Ms,
    p99Ms,
    meanMs,
    requestCount,
    attempts: servers.map((server) => server.attemptCount),
  };
}

describe('a run', () => {
  it('repeats to the last digit with the same seed, and differs with another', () => {
    const first = numbersOf(simulate(small, { seed: 5 }));
    expect(numbersOf(simulate(small, { seed: 5 }))).toEqual(first);
    expect(numbersOf(simulate(small, { seed: 6 }))).not.toEqual(first);
  });

  it('offers every policy the same requests', () => {
    const offered = ['round-robin', 'peak-ewma', 'jsq'].map(
      (policy) => simulate(small, { policy }).timeline.offeredPerSecond,
    );
    expect(offered[1]).toEqual(offered[0]);
    expect(offered[2]).toEqual(offered[0]);
  });

  it('offers the load that was asked for', () => {
    const { requestCount, capacityPerSecond } = simulate(small, { loadPercent: 50 });
    expect(capacityPerSecond).toBe(500);
    // 250 per second for 8 s, Poisson.
    expect(Math.abs(requestCount - 2_000)).toBeLessThan(5 * Math.sqrt(2_000));
  });

  it('uses the servers as much as the load says', () => {
    const { servers } = simulate({ ...small, durationMs: 60_000 }, { policy: 'round-robin' });
    const mean = servers.reduce((sum, { utilization }) => sum + utilization, 0) / servers.length;
    expect(mean).toBeCloseTo(0.7, 1);
    // Little's law: 70 requests per second and server, each there for the mean time less the network.
    for (const { meanRunning } of servers) expect(meanRunning).toBeGreaterThan(0.7);
  });

  it('counts requests for which there is no endpoint as failed', () => {
    const result = simulate({ ...small, servers: [{ count: 5, weight: 0 }] });
    expect(result.unsentCount).toBe(result.requestCount);
    expect(result.errorPercent).toBe(100);
    expect(result.attemptCount).toBe(0);
  });

  it('takes options of the clusters, the same for all or for each client', () => {
    const seen: number[] = [];
    const result = simulate(small, {
      cluster: ({ client, world }) => {
        seen.push(client);
        expect(world.servers).toHaveLength(5);
        return { policy: client === 0 ? 'round-robin' : 'random' };
      },
      label: 'mixed',
    });
    expect(seen).toEqual([0, 1, 2]);
    expect([result.label, result.policy]).toEqual(['mixed', 'round-robin']);
  });

  it('refuses policies that do not exist', () => {
    expect(() => simulate(small, { policy: 'best' })).toThrow(/expected one of .*jsq, sed/);
  });
});

describe('the network', () => {
  it('adds a round trip', () => {
    const idle: ScenarioOptions = { ...small, work: { shape: 'constant' }, load: 1 };
    const { p50Ms } = simulate({ ...idle, network: { delayMs: 7 } });
    expect(p50Ms).toBeCloseTo(10 + 2 * 7, 9);
    expect(simulate({ ...idle, network: { delayMs: 0 } }).p50Ms).toBeCloseTo(10, 9);
  });

  it('is longer between zones, to which clients are dealt out in turn', () => {
    const result = simulate(
      {
        ...small,
        clients: 2,
        servers: [{ count: 2, zone: ['a', 'b'] }],
        work: { shape: 'constant', meanMs: 1 },
        network: { delayMs: 1, crossZoneDelayMs: 50 },
        load: 1,
      },
      { policy: 'round-robin' },
    );
    // Each client sends every other request to the other zone: 1 + 2 * 1 and 1 + 2 * 50 ms.
    expect(result.p99Ms).toBeCloseTo(101, 6);
    expect(result.meanMs).toBeCloseTo((3 + 101) / 2, -1);
  });
});

describe('what can happen to a request', () => {
  it('the deadline: the client gives up, the server stops', () => {
    const result = simulate(
      { ...small, faults: [{ kind: 'black-hole' }], deadlineMs: 200 },
      { cluster: { outlierDetection: false } },
    );
    expect(result.errorPercent).toBe(100);
    expect(result.outcomes.timeout).toBe(result.requestCount);
    expect(result.p50Ms).toBeCloseTo(200, 6);
    expect(result.maxMs).toBeCloseTo(200, 6);
    expect(result.leakedCount).toBe(0);
  });

  it('an error at once', () => {
    const result = simulate({ ...small, faults: [{ kind: 'fail-fast', afterMs: 3 }] });
    expect(result.outcomes.serverError).toBe(result.requestCount);
    expect(result.p99Ms).toBeCloseTo(3.5, 9);
  });

  it('an error after the work', () => {
    const result = simulate(
      { ...small, faults: [{ kind: 'errors', ratio: 0.25 }] },
      { policy: 'round-robin', cluster: { outlierDetection: false } },
    );
    expect(result.errorPercent).toBeGreaterThan(20);
    expect(result.errorPercent).toBeLessThan(30);
    expect(result.p50Ms).toBeGreaterThan(5);
  });

  it('nobody listening, and connections that break when a server dies', () => {
    const result = simulate(
      { ...small, faults: [{ kind: 'refuse', fromMs: 4_000, untilMs: 5_000 }] },
      { cluster: { outlierDetection: false } },
    );
    expect(result.outcomes.reset).toBeGreaterThan(0);
    expect(result.outcomes.connectFailure).toBeGreaterThan(200);
    expect(result.leakedCount).toBe(0);
  });
});

describe('retries', () => {
  const flaky: ScenarioOptions = {
    ...small,
    servers: [{ count: 5, cores: 4 }],
    load: 30,
    faults: [{ kind: 'fail-fast', servers: { count: 1 } }],
  };
  const run = { policy: 'round-robin', cluster: { outlierDetection: false } } as const;

  it('go to another server', () => {
    const once = simulate(flaky, run);
    expect(once.errorPercent).toBeCloseTo(20, 0);
    const twice = simulate({ ...flaky, retry: { attempts: 2, budgetRatio: 1 } }, run);
    expect(twice.errorPercent).toBe(0);
    expect(twice.attemptCount / twice.requestCount).toBeCloseTo(1.2, 1);
  });

  it('are held back by the budget', () => {
    const retry = { attempts: 3, budgetRatio: 0.1, minPerSecond: 0 };
    const outage = { ...flaky, faults: [{ kind: 'fail-fast' } as const], retry };
    const { attemptCount, requestCount } = simulate(outage, run);
    expect(attemptCount / requestCount).toBeGreaterThan(1.05);
    expect(attemptCount / requestCount).toBeLessThan(1.12);
  });

  it('come after the time limit of an attempt, and leave nothing behind', () => {
    const hung: ScenarioOptions = {
      ...flaky,
      faults: [{ kind: 'black-hole', servers: { count: 1 } }],
      retry: { attempts: 2, perTryMs: 100, budgetRatio: 1 },
    };
    const result = simulate(hung, run);
    // A second server may be so busy that 100 ms are not enough, but hardly ever.
    expect(result.errorPercent).toBeLessThan(0.5);
    expect(result.p99Ms).toBeGreaterThan(100);
    expect(result.leakedCount).toBe(0);
  });
});

describe('members', () => {
  it('leave and join in a deploy wave without a failed request', () => {
    const result = simulate({
      ...small,
      servers: [{ count: 5, cores: 4 }],
      load: 40,
      discoveryDelayMs: 50,
      faults: [{ kind: 'deploy', fromMs: 2_000, everyMs: 1_000, drainMs: 400, downMs: 300 }],
    });
    expect(result.errorPercent).toBe(0);
    // While it is away a server gets nothing.
    const { stepMs, attempts } = result.timeline;
    const away = attempts[0]?.slice(Math.ceil(2_100 / stepMs), Math.floor(2_700 / stepMs));
    expect(away?.every((count) => count === 0)).toBe(true);
    expect(result.leakedCount).toBe(0);
  });
});

describe('affinity keys', () => {
  it('reach keyed policies', () => {
    const { servers } = simulate({ ...small, keyCount: 1, load: 10 }, { policy: 'maglev' });
    expect(servers.filter(({ attemptCount }) => attemptCount > 0)).toHaveLength(1);
  });
});

describe('what servers tell of their load', () => {
  it('comes with answers to policies that listen, before the end of the request', () => {
    const reports: LoadReport[] = [];
    const log: string[] = [];
    const listening = (): readonly Policy[] => [
      definePolicy({
        name: 'listening',
        keyed: false,
        create: () => ({
          onLoadReport: (_slot, report) => {
            reports.push(report);
            log.push('report');
          },
          onFinish: () => log.push('finish'),
          update: ({ slots }) => ({
            pick: () => slots[0] ?? NO_SLOT,
            explain: () => [],
          }),
        }),
      }),
    ];
    const result = simulate(
      { ...small, load: 5, faults: [{ kind: 'errors', ratio: 0.5 }], work: { shape: 'constant' } },
      { policy: 'listening', policies: listening, cluster: { outlierDetection: false } },
    );
    expect(reports.length).toBeGreaterThan(result.requestCount * 0.99);
    expect(log.slice(0, 4)).toEqual(['report', 'finish', 'report', 'finish']);
    // Everything goes to one of five servers: 5 % of the whole is 25 requests per second, a quarter of its time.
    const mean = (valueOf: (report: LoadReport) => number): number =>
      reports.reduce((sum, report) => sum + valueOf(report), 0) / reports.length;
    expect(mean((report) => report.requestsPerSecond)).toBeGreaterThan(20);
    expect(mean((report) => report.requestsPerSecond)).toBeLessThan(32);
    expect(mean((report) => report.errorsPerSecond / report.requestsPerSecond)).toBeCloseTo(0.5, 1);
    expect(mean((report) => report.cpuUtilization)).toBeCloseTo(0.25, 1);
    expect(mean((report) => report.requestCost.get('service_ms') ?? 0)).toBeGreaterThanOrEqual(10);
    expect(mean((report) => report.namedMetrics.get(Metric.requestsInFlight) ?? 9)).toBeLessThan(1);
    expect(Object.keys(reports[0]!)).toEqual(Object.keys(createLoadReport({})));
  });

  /** A policy that probes every server at every start, and takes down what it hears. */
  function probing(heard: string[], answers: ProbeAnswer[]): () => readonly Policy[] {
    return () => [
      definePolicy({
        name: 'probing',
        keyed: false,
        create: (_config, { createProber }) => {
          const prober = createProber?.({ path: '/load', timeoutMs: 50, maxConcurrent: 2 });
          let endpoints: readonly Endpoint[] = [];
          return {
            onStart: (_slot, startMs) => {
              const accepted = endpoints.map((endpoint, slot) =>
                prober?.probe(slot, endpoint, {
                  onProbeAnswer: (answered, _endpoint, answer, nowMs) => {
                    answers.push({ ...answer });
                    heard.push(`${answered} answers after ${Math.round(nowMs - startMs)}`);
                  },
                  onProbeFailure: (failed, _endpoint, _failure, nowMs) =>
                    heard.push(`${failed} fails after ${Math.round(nowMs - startMs)}`),
                }),
              );
              heard.push(accepted.join());
            },
            update: (members) => {
              endpoints = members.endpoints;
              return { pick: () => members.slots[0] ?? NO_SLOT, explain: () => [] };
            },
            close: () => prober?.close(),
          };
        },
      }),
    ];
  }

  const probed: ScenarioOptions = {
    ...small,
    clients: 1,
    network: { delayMs: 5 },
    work: { shape: 'constant' },
    servers: [{ count: 2, cores: 1 }],
    load: 1,
  };

  it('answers probes after a round trip; more than allowed at a time are declined', () => {
    const heard: string[] = [];
    const answers: ProbeAnswer[] = [];
    simulate(
      { ...probed, servers: [{ count: 3, cores: 1 }] },
      { policy: 'probing', policies: probing(heard, answers) },
    );
    expect(heard.slice(0, 3)).toEqual([
      'true,true,false',
      '0 answers after 10',
      '1 answers after 10',
    ]);
    // The probe was sent before the request and overtakes it. Nothing has been measured yet.
    expect(answers[0]).toEqual({ requestsInFlight: 0, latencyMs: 0, errorRatio: 0 });
    // 10 ms alone, twice that beside another request.
    for (const { latencyMs, requestsInFlight } of answers.slice(-20))
      expect([0, 10 * (requestsInFlight + 1)]).toContainEqual(Math.round(latencyMs));
  });

  it('fails probes at servers that are gone after a round trip, at servers that hang after the time limit', () => {
    for (const [kind, afterMs] of [
      ['refuse', 10],
      ['black-hole', 50],
    ] as const) {
      const heard: string[] = [];
      const faults = [{ kind, servers: { count: 1 } } as const];
      simulate(
        { ...probed, faults },
        { policy: 'probing', policies: probing(heard, []), cluster: { outlierDetection: false } },
      );
      expect(heard.slice(0, 3)).toContain(`1 answers after 10`);
      expect(heard).toContain(`0 fails after ${afterMs}`);
    }
  });
});
