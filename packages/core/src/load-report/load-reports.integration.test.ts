/**
 * From the server to the pick: real servers with the reporter, real requests through the dispatcher, a cluster that weighs
 * by what it hears. Only the clock is the test's, so that rates are exact.
 */
import { afterEach, describe, expect, it } from 'vitest';
import { createDispatcher } from '../client/undici/index.ts';
import { createCluster } from '../cluster/create-cluster.ts';
import {
  eventually,
  listenHttp,
  type TestServer,
} from '../health/active/test-support/check-bench.ts';
import { ManualClock } from '../testing/manual-runtime.ts';
import { createLoadReporter, type Handler } from './server/load-reporter.ts';
import type { LoadReporterOptions } from './server/config.ts';
import { ScriptedMeter } from './test-support/scripted-meter.ts';

const closers: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

interface Backend {
  readonly server: TestServer;
  /** Requests since this was asked last. */
  take(): number;
  /** What else keeps it busy, as a share of its capacity. */
  backgroundRatio: number;
}

interface BackendOptions {
  readonly clock: ManualClock;
  /** Requests per second that it could serve. */
  readonly capacity: number;
  readonly options?: LoadReporterOptions;
  readonly answer?: Handler;
}

const inOne: Handler = (_request, response) => response.end('ok');
const inParts: Handler = (_request, response) => {
  response.write('o');
  response.end('k');
};

async function startBackend(parts: BackendOptions): Promise<Backend> {
  const { clock, capacity, options, answer = inOne } = parts;
  let servedCount = 0;
  let taken = 0;
  let lastCount = 0;
  let lastMs = clock.nowMs();
  let utilization = 0;
  const reporter = createLoadReporter({
    clock,
    meter: new ScriptedMeter(),
    utilization: () => {
      const nowMs = clock.nowMs();
      if (nowMs > lastMs) {
        const perSecond = ((servedCount - lastCount) * 1_000) / (nowMs - lastMs);
        utilization = perSecond / capacity + backend.backgroundRatio;
        [lastCount, lastMs] = [servedCount, nowMs];
      }
      return utilization;
    },
    ...options,
  });
  const application = reporter.wrap(answer);
  const backend: Backend = {
    server: await listenHttp((request, response) => {
      application(request, response);
      // After the report of a new second has been made, so that the request counts in that second.
      servedCount++;
      taken++;
    }),
    take: () => {
      const count = taken;
      taken = 0;
      return count;
    },
    backgroundRatio: 0,
  };
  closers.push(() => backend.server.close());
  return backend;
}

interface Client {
  /** Requests of one second, one after the other. @returns how many each backend got */
  second(count: number): Promise<number[]>;
  readonly cluster: ReturnType<typeof createCluster>;
}

function connect(clock: ManualClock, backends: readonly Backend[]): Client {
  const cluster = createCluster(
    {
      name: 'users',
      discovery: backends.map(({ server }) => `127.0.0.1:${server.port}`),
      policy: { name: 'orca-weighted', blackoutMs: 0, updateMs: 1_000 },
    },
    { clock },
  );
  const dispatcher = createDispatcher({ clusters: [cluster] });
  closers.push(async () => {
    await dispatcher.close();
    await cluster.close();
  });
  return {
    cluster,
    async second(count) {
      for (let request = 0; request < count; request++) {
        const response = await fetch('http://users/', { dispatcher } as RequestInit);
        expect(await response.text()).toBe('ok');
      }
      clock.set(clock.nowMs() + 1_000);
      return backends.map((backend) => backend.take());
    },
  };
}

/** Earliest deadline first is within 4 picks of its shares, and a request may count in the second after its own. */
const TOLERANCE = 6;

function expectNear(actual: readonly number[], expected: readonly number[]): void {
  expected.forEach((count, index) =>
    expect(Math.abs((actual[index] ?? NaN) - count)).toBeLessThanOrEqual(TOLERANCE),
  );
}

describe('load reports from server to pick', () => {
  it('give each server what it can bear, and less to one that is busy with something else', async () => {
    const clock = new ManualClock();
    const backends = [
      await startBackend({ clock, capacity: 100 }),
      await startBackend({ clock, capacity: 100 }),
      await startBackend({ clock, capacity: 400 }),
    ];
    const [first] = backends;
    const { cluster, second } = connect(clock, backends);
    expect(cluster.usesLoadReports).toBe(true);
    expectNear(await second(120), [40, 40, 40]);
    // In this second the rates of the one before are told, and from the next one on they decide.
    await second(120);
    for (let round = 0; round < 3; round++) expectNear(await second(120), [20, 20, 80]);
    expect(cluster.snapshot().policyStats).toMatchObject({
      weightedEndpoints: 3,
      unweightedEndpoints: 0,
    });
    expect(cluster.explain().candidates[0]?.reason).toMatch(/^bears \d+\/s: reports 0\.2\d? busy/);

    if (first !== undefined) first.backgroundRatio = 0.6;
    await second(120);
    await second(120);
    const [busy = NaN, idle = NaN, strong = NaN] = await second(120);
    expect(busy).toBeLessThan(10);
    expect(idle).toBeGreaterThan(15);
    expect(strong).toBeGreaterThan(3 * idle);
  });

  it('are read from trailers as well, in every form', async () => {
    const clock = new ManualClock();
    const backends = [
      await startBackend({
        clock,
        capacity: 100,
        answer: inParts,
        options: { placement: 'trailer', format: 'binary' },
      }),
      await startBackend({ clock, capacity: 300, options: { format: 'json' } }),
    ];
    const { cluster, second } = connect(clock, backends);
    await second(80);
    await second(80);
    await second(80);
    expectNear(await second(80), [20, 60]);
    await eventually(() => cluster.snapshot().policyStats['weightedEndpoints']).toBe(2);
  });

  it('cost no answer when they are nonsense', async () => {
    const clock = new ManualClock();
    const lying: Handler = (_request, response) => {
      response.setHeader('endpoint-load-metrics', 'TEXT rps_fractional=1e308, cpu_utilization=NaN');
      response.end('ok');
    };
    const server = await listenHttp((request, response) => void lying(request, response));
    closers.push(() => server.close());
    const liar: Backend = { server, take: () => 0, backgroundRatio: 0 };
    const honest = await startBackend({ clock, capacity: 100 });
    const { cluster, second } = connect(clock, [liar, honest]);
    for (let round = 0; round < 3; round++) expectNear(await second(20), [0, 10]);
    expect(cluster.snapshot().totals.outcomes).toMatchObject({ success: 60 });
  });
});
