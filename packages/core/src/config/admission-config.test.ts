import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { ConfigError } from '../error/config-error.ts';
import { decodeClusterOptions } from './cluster-config.ts';
import { decodeClusterFile } from './cluster-file.ts';

const base = { name: 'users', discovery: ['10.0.0.1:80'] };

describe('the option admission', () => {
  it('leaves everything off when it is left out, and each part that is left out', () => {
    expect(decodeClusterOptions(base).admission).toBeUndefined();
    expect(decodeClusterOptions({ ...base, admission: {} }).admission).toEqual({});
  });

  it('is written in a file as in code, but for durations', () => {
    const file = parse(`
      name: users
      discovery: [10.0.0.1:80]
      admission:
        thresholds: { requests: 500 }
        circuitBreaker:
          cluster: { open: 10s }
          endpoint: { minRequests: 5, window: 30s }
        loadShedding: { hold: 5s }
        clientThrottle: { window: 30s }
        concurrency: { per: endpoint, algorithm: aimd, aimd: { timeout: 2s } }
        rateLimit: { requestsPerSecond: 200 }
    `) as unknown;
    const { admission } = decodeClusterOptions(decodeClusterFile(file));
    expect(admission).toMatchObject({
      thresholds: { connections: 1_024, pending: 1_024, requests: 500, retries: 3 },
      circuitBreaker: {
        cluster: { openMs: 10_000, minRequests: 20 },
        endpoint: { minRequests: 5, windowMs: 30_000 },
      },
      loadShedding: { low: 0.7, holdMs: 5_000 },
      clientThrottle: { acceptMultiplier: 2, windowMs: 30_000 },
      concurrency: {
        per: 'endpoint',
        algorithm: 'aimd',
        initialLimit: 20,
        aimd: { timeoutMs: 2_000 },
      },
      rateLimit: { requestsPerSecond: 200, burst: 200 },
    });
  });

  it.each([
    [
      { circuitBreaker: { cluster: { callTimeout: '5s' } } },
      'admission.circuitBreaker.cluster.callTimeout: expected no such option',
    ],
    [
      { concurrency: { per: 'host' } },
      'admission.concurrency.per: expected one of cluster, endpoint',
    ],
    [{ rateLimit: {} }, 'admission.rateLimit.requestsPerSecond: expected a number'],
    [
      { loadShedding: { low: 0.9, normal: 0.8 }, thresholds: {} },
      'admission.loadShedding.low: expected lines in order: low <= normal <= high <= critical',
    ],
    [
      { loadShedding: {} },
      'admission.loadShedding: expected thresholds or concurrency beside it, which say how much is full',
    ],
    [{ bulkhead: {} }, 'admission.bulkhead: expected no such option'],
  ])('refuses %j in a file', (admission, message) => {
    expect(() => decodeClusterFile({ ...base, admission })).toThrow(ConfigError);
    expect(() => decodeClusterFile({ ...base, admission })).toThrow(message);
  });
});
