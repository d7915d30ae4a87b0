import { describe, expect, it } from 'vitest';
import { createEndpoint } from '../../model/endpoint.ts';
import { createManualRuntime } from '../../testing/manual-runtime.ts';
import { failed, passed, passedDegraded } from './check.ts';
import { EndpointChecker } from './checker.ts';
import { OpenSockets } from './open-sockets.ts';
import { tcpCheckSchema } from './tcp-config.ts';
import { setUpChecker, track } from './test-support/checker-harness.ts';

describe('rhythm', () => {
  it('checks once per interval, first within the spread', async () => {
    const { checker, advance, startsOf } = setUpChecker({ intervalMs: 1000 });
    checker.update(track('a:1'));
    await advance(10_000);
    const starts = startsOf('a:1');
    expect(starts[0]).toBeLessThan(1000);
    expect(starts).toHaveLength(10);
    for (let i = 1; i < starts.length; i++) {
      expect((starts[i] as number) - (starts[i - 1] as number)).toBeCloseTo(1000, 6);
    }
  });

  it('counts the interval from start to start, not from the end', async () => {
    const { checker, advance, startsOf } = setUpChecker({
      intervalMs: 1000,
      initialSpreadMs: 0,
      durationMs: () => 400,
    });
    checker.update(track('a:1'));
    await advance(3500);
    expect(startsOf('a:1')).toEqual([0, 1000, 2000, 3000]);
  });

  it('never lets checks of one endpoint overlap, however slow they are', async () => {
    const bench = setUpChecker({ intervalMs: 1000, initialSpreadMs: 0, durationMs: () => 2500 });
    bench.checker.update(track('a:1'));
    await bench.advance(10_000);
    expect(bench.startsOf('a:1')).toEqual([0, 2500, 5000, 7500, 10_000]);
    expect(bench.mostRunning).toBe(1);
  });

  it('goes on through failures, with the interval for unhealthy endpoints', async () => {
    const { checker, advance, startsOf, verdicts } = setUpChecker({
      intervalMs: 1000,
      unhealthyIntervalMs: 250,
      initialSpreadMs: 0,
      passes: () => false,
    });
    checker.update(track('a:1'));
    await advance(3000);
    // Unhealthy with the third failure; from then on every 250 ms.
    expect(startsOf('a:1')).toEqual([0, 1000, 2000, 2250, 2500, 2750, 3000]);
    expect(verdicts).toEqual(['0 unhealthy (broken) @2000']);
  });

  it('jitters every round', async () => {
    const { checker, advance, startsOf } = setUpChecker({ intervalMs: 1000, jitterRatio: 0.1 });
    checker.update(track('a:1'));
    await advance(50_000);
    const starts = startsOf('a:1');
    const gaps = starts.slice(1).map((start, index) => start - (starts[index] as number));
    expect(Math.min(...gaps)).toBeGreaterThanOrEqual(900);
    expect(Math.max(...gaps)).toBeLessThan(1100);
    expect(new Set(gaps.map((gap) => gap.toFixed(3))).size).toBeGreaterThan(40);
  });
});

describe('many endpoints', () => {
  it('are not checked in a stampede: no hundredth of the interval gets more than 1.5 % of the checks', async () => {
    const { checker, advance, started } = setUpChecker({ intervalMs: 10_000, jitterRatio: 0.1 });
    checker.update(
      track(
        ...Array.from({ length: 10_000 }, (_, index) => `10.0.${index >> 8}.${index & 255}:80`),
      ),
    );
    // Four intervals: beginning, and rounds that drift apart.
    await advance(39_999.999);
    expect(Math.abs(started.length - 40_000)).toBeLessThan(400);
    const slices = new Array<number>(400).fill(0);
    for (const { atMs } of started) {
      const slice = Math.floor(atMs / 100);
      slices[slice] = (slices[slice] as number) + 1;
    }
    // Mean 100, standard deviation at most 10 (binomial): five deviations.
    expect(Math.max(...slices)).toBeLessThanOrEqual(150);
    await checker.close();
  }, 60_000);

  it('share a limited number of places, first come first served', async () => {
    const bench = setUpChecker({
      intervalMs: 1000,
      initialSpreadMs: 0,
      maxConcurrentChecks: 10,
      durationMs: () => 100,
    });
    bench.checker.update(track(...Array.from({ length: 50 }, (_, index) => `a:${index + 1}`)));
    await bench.advance(499);
    expect(bench.mostRunning).toBe(10);
    // Five batches of ten: everyone had a turn before anyone had a second.
    expect(new Set(bench.started.map(({ endpoint }) => endpoint.id)).size).toBe(50);
    expect(bench.started).toHaveLength(50);
  });

  it('are all served in the end when there are too few places', async () => {
    const bench = setUpChecker({
      intervalMs: 100,
      maxConcurrentChecks: 2,
      durationMs: () => 50,
    });
    bench.checker.update(track(...Array.from({ length: 20 }, (_, index) => `a:${index + 1}`)));
    await bench.advance(10_000);
    // Two places of 50 ms each serve 40 a second: 20 for each of 20 endpoints in 10 s.
    const counts = Array.from(
      { length: 20 },
      (_, index) => bench.startsOf(`a:${index + 1}`).length,
    );
    expect(Math.min(...counts)).toBeGreaterThanOrEqual(19);
    expect(Math.max(...counts)).toBeLessThanOrEqual(21);
  });

  it('of another process have another rhythm', async () => {
    const starts = await Promise.all(
      [1, 2].map(async (seed) => {
        const { checker, advance, startsOf } = setUpChecker({ seed });
        checker.update(track('a:1'));
        await advance(5000);
        return startsOf('a:1')[0];
      }),
    );
    expect(starts[0]).not.toBe(starts[1]);
  });
});

describe('verdicts', () => {
  it('are told when they change, the first one included', async () => {
    let healthy = true;
    const { checker, advance, verdicts } = setUpChecker({
      intervalMs: 1000,
      initialSpreadMs: 0,
      passes: () => healthy,
    });
    checker.update(track('a:1'));
    await advance(2500);
    healthy = false;
    await advance(4000);
    healthy = true;
    await advance(4000);
    expect(verdicts).toEqual([
      '0 healthy (fine) @0',
      '0 unhealthy (broken) @5000',
      '0 healthy (fine) @8000',
    ]);
  });

  it('stand in the status with their counts', async () => {
    const { checker, advance } = setUpChecker({
      intervalMs: 1000,
      initialSpreadMs: 0,
      durationMs: () => 30,
      passes: ({ id }) => id === 'a:1',
    });
    checker.update(track('a:1', 'b:1'));
    expect(checker.status(0)).toEqual({
      healthy: undefined,
      reason: 'not checked yet',
      consecutiveSuccesses: 0,
      consecutiveFailures: 0,
      checkCount: 0,
      failureCount: 0,
      lastDurationMs: undefined,
    });
    await advance(1500);
    expect(checker.status(0)).toEqual({
      healthy: true,
      reason: 'fine',
      consecutiveSuccesses: 2,
      consecutiveFailures: 0,
      checkCount: 2,
      failureCount: 0,
      lastDurationMs: 30,
    });
    expect(checker.status(1)).toMatchObject({
      healthy: undefined,
      reason: 'broken',
      failureCount: 2,
    });
    expect(checker.status(2)).toBeUndefined();
  });

  it('of endpoints that wait come with the first result', async () => {
    const { checker, advance, verdicts } = setUpChecker({
      initial: 'unchecked',
      initialSpreadMs: 0,
      passes: ({ id }) => id === 'a:1',
    });
    checker.update(track('a:1', 'b:1'));
    await advance(1);
    expect(verdicts).toEqual(['0 healthy (fine) @0', '1 unhealthy (broken) @0']);
  });

  it('survive a check that breaks its promise', async () => {
    const runtime = createManualRuntime();
    const verdicts: string[] = [];
    const checker = new EndpointChecker({
      config: tcpCheckSchema.parse({ initialSpreadMs: 0, fall: 1 }),
      environment: { cluster: 'test', runtime },
      sockets: new OpenSockets(),
      listener: { onActiveHealth: (slot, { reason }) => void verdicts.push(`${slot} ${reason}`) },
      createCheck: () => ({
        run: (signal) =>
          signal.aborted ? Promise.resolve(failed('')) : Promise.reject(new Error('oops')),
        close: () => undefined,
      }),
    });
    checker.update(track('a:1'));
    await runtime.scheduler.advanceAsync(20_000);
    expect(verdicts).toEqual(['0 oops']);
    expect(checker.status(0)?.checkCount).toBeGreaterThan(2);
  });
});

describe('degraded endpoints', () => {
  it('are told when they begin and cease to ask for it, and stay so while a check fails', async () => {
    const runtime = createManualRuntime();
    const verdicts: string[] = [];
    const results = [
      passed('fine'),
      passedDegraded('fine'),
      passedDegraded('fine'),
      failed('broken'),
      passed('fine'),
    ];
    const checker = new EndpointChecker({
      config: tcpCheckSchema.parse({ initialSpreadMs: 0, fall: 3 }),
      environment: { cluster: 'test', runtime },
      sockets: new OpenSockets(),
      listener: {
        onActiveHealth: (slot, { healthy, degraded = false, reason }) =>
          void verdicts.push(`${slot} ${healthy} ${degraded} ${reason}`),
      },
      createCheck: () => ({
        run: () => Promise.resolve(results.shift() ?? passed('fine')),
        close: () => undefined,
      }),
    });
    checker.update(track('a:1'));
    await runtime.scheduler.advanceAsync(60_000);
    expect(verdicts).toEqual([
      '0 true false fine',
      '0 true true fine, degraded',
      '0 true false fine',
    ]);
    await checker.close();
  });
});

describe('membership', () => {
  it('keeps state and rhythm of those that stay', async () => {
    const { checker, advance, startsOf } = setUpChecker({ intervalMs: 1000, initialSpreadMs: 0 });
    checker.update(track('a:1', 'b:1'));
    await advance(1500);
    checker.update(track('a:1', { address: 'b:1', weight: 9 }, 'c:1'));
    await advance(1000);
    expect(startsOf('a:1')).toEqual([0, 1000, 2000]);
    expect(startsOf('b:1')).toEqual([0, 1000, 2000]);
    expect(startsOf('c:1')).toEqual([1500, 2500]);
    expect(checker.status(1)?.checkCount).toBe(3);
  });

  it('stops checking those that leave, also in the middle of a check', async () => {
    const bench = setUpChecker({ intervalMs: 1000, initialSpreadMs: 0, durationMs: () => 500 });
    bench.checker.update(track('a:1', 'b:1'));
    await bench.advance(100);
    expect(bench.runningCount).toBe(2);
    bench.checker.update(track('a:1'));
    expect(bench.runningCount).toBe(1);
    expect(bench.closedChecks).toEqual(['b:1']);
    await bench.advance(5000);
    expect(bench.startsOf('b:1')).toEqual([0]);
    expect(bench.verdicts).toEqual(['0 healthy (fine) @500']);
    expect(bench.checker.status(1)).toBeUndefined();
  });

  it('begins anew when a slot passes to another endpoint', async () => {
    const { checker, advance, startsOf } = setUpChecker({ intervalMs: 1000, initialSpreadMs: 0 });
    checker.update(track('a:1'));
    await advance(1500);
    checker.update(track('b:1'));
    expect(checker.status(0)?.checkCount).toBe(0);
    await advance(1000);
    expect(startsOf('a:1')).toEqual([0, 1000]);
    expect(startsOf('b:1')).toEqual([1500, 2500]);
  });

  it('goes to the new address of an endpoint that moves, and keeps what is known', async () => {
    const bench = setUpChecker({ intervalMs: 1000, initialSpreadMs: 0, durationMs: () => 500 });
    bench.checker.update(track({ id: 'a', address: 'old:1' }));
    await bench.advance(1200);
    expect(bench.runningCount).toBe(1);
    bench.checker.update(track({ id: 'a', address: 'new:1' }));
    expect(bench.runningCount).toBe(0);
    await bench.advance(3000);
    const hosts = bench.started.map(({ endpoint, atMs }) =>
      endpoint.address.kind === 'unix' ? '' : `${endpoint.address.host} @${atMs}`,
    );
    // The check begun at 1,000 was dropped; its result counts nowhere.
    expect(hosts).toEqual([
      'old @0',
      'old @1000',
      'new @1200',
      'new @2200',
      'new @3200',
      'new @4200',
    ]);
    expect(bench.checker.status(0)).toMatchObject({ healthy: true, checkCount: 4 });
    expect(bench.verdicts).toHaveLength(1);
  });

  it('may be changed by the listener', async () => {
    const runtime = createManualRuntime();
    const seen: string[] = [];
    const checker: EndpointChecker = new EndpointChecker({
      config: tcpCheckSchema.parse({ initialSpreadMs: 0, intervalMs: 1000, jitterRatio: 0 }),
      environment: { cluster: 'test', runtime },
      sockets: new OpenSockets(),
      listener: {
        onActiveHealth: (slot, { healthy }) => {
          seen.push(`${slot} ${healthy}`);
          checker.update([{ slot, endpoint: createEndpoint({ id: 'a', address: 'elsewhere:1' }) }]);
        },
      },
      createCheck: (endpoint) => ({
        run: () => {
          seen.push(endpoint.address.kind === 'unix' ? '' : endpoint.address.host);
          return Promise.resolve({ passed: true, reason: 'fine' });
        },
        close: () => undefined,
      }),
    });
    checker.update(track({ id: 'a', address: 'here:1' }));
    await runtime.scheduler.advanceAsync(1500);
    expect(seen).toEqual(['here', '0 true', 'elsewhere', 'elsewhere']);
    expect(runtime.scheduler.pendingCount).toBe(1);
  });
});

describe('closing', () => {
  it('ends running, waiting and planned checks, and says nothing more', async () => {
    const bench = setUpChecker({
      intervalMs: 1000,
      initialSpreadMs: 0,
      maxConcurrentChecks: 1,
      durationMs: () => 500,
    });
    bench.checker.update(track('a:1', 'b:1', 'c:1'));
    await bench.advance(700);
    const closing = bench.checker.close();
    expect(bench.checker.close()).toBe(closing);
    await closing;
    expect(bench.runningCount).toBe(0);
    expect(bench.runtime.scheduler.pendingCount).toBe(0);
    const startedCount = bench.started.length;
    bench.checker.update(track('d:1'));
    await bench.advance(10_000);
    expect(bench.started).toHaveLength(startedCount);
    expect(bench.verdicts).toEqual(['0 healthy (fine) @500']);
  });
});
