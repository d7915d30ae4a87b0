import { afterEach, describe, expect, it } from 'vitest';
import { ConfigError } from '../../error/config-error.ts';
import { Outcome } from '../../model/outcome.ts';
import type { AdmissionOptions } from '../../resilience/admission-config.ts';
import { Criticality } from '../../resilience/load-shedder.ts';
import { createCluster } from '../create-cluster.ts';
import type { Lease } from '../face.ts';
import {
  activeCounts,
  admissionBench,
  closeAll,
  thrownBy,
} from '../test-support/admission-bench.ts';

afterEach(closeAll);

describe('a cluster', () => {
  it('without the option has no admission', () => {
    for (const admission of [undefined, {}, { circuitBreaker: {} }]) {
      const { cluster } = admissionBench(admission);
      expect(cluster.admission).toBeUndefined();
      expect(cluster.snapshot().admission).toBeUndefined();
      expect(cluster.explain().path.map(({ step }) => step)).not.toContain('admission');
    }
  });

  it.each<[string, AdmissionOptions, string]>([
    [
      'a circuit breaker without the port',
      { circuitBreaker: { cluster: {} } },
      "admission.circuitBreaker: expected the port 'createCircuitBreakers' of '@evenkeel/core/opossum', passed to createCluster, got nothing",
    ],
    [
      'load shedding without a measure',
      { loadShedding: {} },
      'admission.loadShedding: expected thresholds or concurrency beside it, which say how much is full, got {}',
    ],
    [
      'a rate limit without a rate',
      { rateLimit: {} as never },
      'admission.rateLimit.requestsPerSecond: expected a number',
    ],
    [
      'a minimum above the maximum',
      { concurrency: { minLimit: 9, maxLimit: 8 } },
      'admission.concurrency.minLimit: expected a limit of at most maxLimit, got 9',
    ],
  ])('refuses %s', (_name, admission, message) => {
    const error = thrownBy(() =>
      createCluster({ name: 'users', discovery: ['10.0.0.1:80'], admission }),
    );
    expect(error).toBeInstanceOf(ConfigError);
    expect((error as ConfigError).message).toContain(message);
  });
});

describe('acquire', () => {
  it('refuses what is above a threshold, and admits again when a lease has ended', () => {
    const { cluster, refusal } = admissionBench({ thresholds: { requests: 2 } });
    const leases = [cluster.acquire(), cluster.acquire()];
    const error = thrownBy(() => cluster.acquire());
    expect(error).toMatchObject({ reason: 'threshold', code: 'EVENKEEL_OVERLOADED' });
    leases[0]?.finish(Outcome.success);
    leases[0]?.finish(Outcome.success);
    expect(refusal()).toBeUndefined();
    leases[1]?.finish(Outcome.success);
    expect(cluster.snapshot().admission).toMatchObject({
      activeCount: 0,
      admittedCount: 3,
      refused: { threshold: 1, 'rate-limit': 0 },
    });
  });

  it('holds nothing when a later gate refuses', () => {
    const { cluster, refusal } = admissionBench({
      thresholds: {},
      concurrency: {},
      circuitBreaker: { cluster: {} },
      rateLimit: { requestsPerSecond: 1, burst: 1 },
    });
    expect([refusal(), refusal()]).toEqual([undefined, 'rate-limit']);
    expect(thrownBy(() => cluster.acquire())).toMatchObject({ retryAfterMs: 1_000 });
    expect(activeCounts(cluster)).toEqual({
      requests: 0,
      thresholds: [0, 0, 0, 0],
      concurrency: 0,
      endpoints: [0, 0, 0],
      tries: 0,
    });
  });

  it('holds nothing when there is nobody to pick, and says so', () => {
    const { cluster, deliver } = admissionBench({ thresholds: {}, concurrency: {} });
    deliver();
    expect(thrownBy(() => cluster.acquire())).toMatchObject({ failure: 'no-endpoints' });
    expect(cluster.snapshot().admission?.activeCount).toBe(0);
  });

  it('says of a closed cluster that it is closed', async () => {
    const { cluster } = admissionBench({
      circuitBreaker: { cluster: {}, endpoint: {} },
      thresholds: {},
    });
    await cluster.close();
    expect(thrownBy(() => cluster.acquire())).toMatchObject({ failure: 'closed' });
  });

  it('sends less critical requests away first', () => {
    const { cluster, refusal, advance } = admissionBench({
      thresholds: { requests: 10 },
      loadShedding: { holdMs: 0, raiseMs: 0 },
    });
    const leases = Array.from({ length: 7 }, () => cluster.acquire());
    expect(refusal(Criticality.low)).toBe('load-shedding');
    expect(refusal(Criticality.normal)).toBeUndefined();
    leases.push(cluster.acquire());
    expect(refusal(Criticality.normal)).toBe('load-shedding');
    expect(refusal(Criticality.high)).toBeUndefined();
    expect(cluster.snapshot().admission).toMatchObject({ utilisation: 0.8, shedLevel: 2 });
    for (const lease of leases) lease.finish(Outcome.success);
    advance(1);
    for (let turn = 0; turn < 2; turn++) refusal(Criticality.critical);
    expect(refusal(Criticality.low)).toBeUndefined();
  });

  it('throttles itself when most is refused: overloaded counts, an error page does not', () => {
    const failing = (outcome: Outcome): number => {
      const { cluster, refusal, advance } = admissionBench({
        clientThrottle: { minRequestsPerSecond: 0 },
      });
      let refusedCount = 0;
      for (let turn = 0; turn < 400; turn++) {
        advance(10);
        try {
          cluster.acquire().finish(outcome);
        } catch (error) {
          expect(error).toMatchObject({ reason: 'client-throttle', retryable: false });
          refusedCount++;
        }
      }
      refusal();
      return refusedCount;
    };
    expect(failing(Outcome.serverError)).toBe(0);
    // Nearly all of the time at the largest ratio, 0.75 of 400.
    expect(failing(Outcome.overloaded)).toBeGreaterThan(240);
  });
});

describe('the circuit of the cluster', () => {
  const options = { circuitBreaker: { cluster: { minRequests: 4, openMs: 1_000 } } };

  it('opens, lets one trial through after a while, and closes when that succeeds', () => {
    const { cluster, request, advance, refusal, events } = admissionBench(options);
    for (let count = 0; count < 4; count++) request(Outcome.timeout);
    const error = thrownBy(() => cluster.acquire());
    expect(error).toMatchObject({ reason: 'circuit-open', code: 'EVENKEEL_CIRCUIT_OPEN' });
    expect(error).toMatchObject({
      retryAfterMs: 1_000,
      message: "cluster 'users': the circuit is open",
    });
    advance(1_000);
    const trial = cluster.acquire();
    expect(refusal()).toBe('circuit-open');
    trial.finish(Outcome.success);
    expect(refusal()).toBeUndefined();
    expect(
      events.flatMap((event) =>
        event.type === 'circuit-changed' ? [`${event.to}: ${event.reason}`] : [],
      ),
    ).toEqual(['open: failures', 'half-open: time', 'closed: trial-succeeded']);
    expect(cluster.snapshot().admission?.circuit).toMatchObject({
      state: 'closed',
      openedCount: 1,
    });
  });

  it('is not decided by requests from before it opened', () => {
    const { cluster, request, advance } = admissionBench(options);
    const early: readonly Lease[] = [cluster.acquire(), cluster.acquire()];
    for (let count = 0; count < 4; count++) request(Outcome.timeout);
    advance(1_000);
    for (const lease of early) lease.finish(Outcome.success);
    expect(cluster.snapshot().admission?.circuit?.state).toBe('half-open');
  });

  it('takes requests of which only the latency is told to have begun that long ago', () => {
    const { cluster, request, advance, runtime } = admissionBench(options);
    const { admission } = cluster;
    const stateOf = (): unknown => cluster.snapshot().admission?.circuit?.state;
    admission?.admit(runtime.clock.nowMs());
    for (let count = 0; count < 4; count++) request(Outcome.timeout);
    advance(1_000);
    admission?.admit(runtime.clock.nowMs());
    admission?.complete(Outcome.success, 1_004, runtime.clock.nowMs());
    expect(stateOf()).toBe('half-open');
    advance(0.3);
    admission?.complete(Outcome.success, 0.3, runtime.clock.nowMs());
    expect(stateOf()).toBe('closed');
  });

  it('keeps its trial for the next one when a later gate refuses', () => {
    const { cluster, request, advance, refusal } = admissionBench({
      ...options,
      rateLimit: { requestsPerSecond: 2, burst: 4 },
    });
    for (let count = 0; count < 4; count++) request(Outcome.timeout);
    advance(996);
    // 1,000 ms after the first: two tokens are back. Nobody is admitted before the circuit is half-open.
    advance(4);
    for (let count = 0; count < 2; count++) cluster.admission?.admit(cluster.nowMs());
    expect(refusal()).toBe('circuit-open');
    cluster.admission?.complete(Outcome.success, 0, cluster.nowMs());
    expect(cluster.snapshot().admission?.circuit?.state).toBe('closed');
  });
});

describe('further tries, waits and connections', () => {
  it.each(['Extra', 'Pending', 'Connection'] as const)('%s: up to its threshold', (kind) => {
    const { cluster } = admissionBench({ thresholds: { retries: 2, pending: 2, connections: 2 } });
    const { admission } = cluster;
    const take = (): boolean | undefined => admission?.[`try${kind}`]();
    expect([take(), take(), take()]).toEqual([true, true, false]);
    admission?.[`end${kind}`]();
    expect(take()).toBe(true);
    expect(cluster.snapshot().admission?.triesRefused.threshold).toBe(1);
  });

  it('are not limited without thresholds', () => {
    const { cluster } = admissionBench({ clientThrottle: {} });
    for (let count = 0; count < 10_000; count++) expect(cluster.admission?.tryExtra()).toBe(true);
  });
});
