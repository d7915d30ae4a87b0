import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { ConfigError } from '../error/config-error.ts';
import { definePolicy } from '../policy/policy.ts';
import { durationMs, object } from '../schema/fields.ts';
import { decodeClusterFile } from './cluster-file.ts';

const base = { name: 'users', discovery: ['10.0.0.1:80'] };

function messageOf(raw: unknown, path = 'clusters.users'): string {
  try {
    decodeClusterFile(raw, { path });
  } catch (error) {
    if (error instanceof ConfigError) return error.message;
    throw error;
  }
  throw new Error('accepted');
}

describe('decodeClusterFile', () => {
  it('reads the words of the code with durations that say their unit', () => {
    const raw = parse(`
      name: users
      discovery: { file: { path: users.yaml, pollInterval: 2s } }
      policy: { name: peak-ewma, decay: 5s }
      health: { http: { path: /healthz, interval: 5s, timeout: 500ms } }
      outlierDetection: { baseEjection: 1m30s }
      panic: { thresholdPercent: 30 }
      drain: { timeout: 0s }
    `) as unknown;
    expect(decodeClusterFile(raw)).toEqual({
      name: 'users',
      discovery: { file: { path: 'users.yaml', pollIntervalMs: 2000 } },
      policy: { name: 'peak-ewma', decayMs: 5000 },
      health: { http: { path: '/healthz', intervalMs: 5000, timeoutMs: 500 } },
      outlierDetection: { baseEjectionMs: 90_000 },
      panic: { thresholdPercent: 30 },
      drain: { timeoutMs: 0 },
    });
  });

  it('takes the name from the key where the file has several clusters', () => {
    const { name, ...rest } = base;
    expect(decodeClusterFile(rest, { name, path: 'clusters.users' })).toEqual(base);
    expect(() => decodeClusterFile(base, { name, path: 'clusters.users' })).toThrow(
      /^clusters\.users\.name: expected no such option/,
    );
    expect(() => decodeClusterFile(rest, { name: 'Users', path: 'clusters.Users' })).toThrow(
      /^clusters\.Users: expected a host name in lower case/,
    );
  });

  it('reads a policy within a policy', () => {
    const policy = { name: 'bounded-load', policy: { name: 'peak-ewma', decay: '5s' } };
    expect(decodeClusterFile({ ...base, policy }).policy).toEqual({
      name: 'bounded-load',
      policy: { name: 'peak-ewma', decayMs: 5000 },
    });
  });

  it('knows policies of the user', () => {
    const mine = definePolicy({
      name: 'mine',
      keyed: false,
      schema: object({ waitMs: durationMs({ min: 1, max: 10 }) }),
      create: () => {
        throw new Error('not created');
      },
    });
    const policies = [mine as never];
    expect(
      decodeClusterFile({ ...base, policy: { name: 'mine', wait: '5ms' } }, { policies }).policy,
    ).toEqual({
      name: 'mine',
      waitMs: 5,
    });
    expect(() =>
      decodeClusterFile({ ...base, policy: { name: 'mine', wait: '5s' } }, { policies }),
    ).toThrow('policy.wait: expected a duration such as 5s or 100ms, from 1ms to 10ms, got "5s"');
    expect(() => decodeClusterFile({ ...base, policy: 'mine' })).toThrow(
      /^policy: expected one of peak-ewma, /,
    );
  });

  it.each([
    [
      { health: { http: { interval: '5 parsecs' } } },
      'clusters.users.health.http.interval: expected a duration such as 5s or 100ms, from 10ms to 24h, got "5 parsecs"',
    ],
    [
      { health: { http: { intervalMs: 5 } } },
      /^clusters\.users\.health\.http\.intervalMs: expected no such option; did you mean 'interval'\?/,
    ],
    [
      { discovery: { file: { path: 'a.yaml', pollIntervalMs: 1 } } },
      /^clusters\.users\.discovery\.file\.pollIntervalMs: expected no such option; did you mean 'pollInterval'\?/,
    ],
    [
      { policy: { name: 'peak-ewma', decayMs: 1 } },
      /^clusters\.users\.policy\.decayMs: expected no such option; did you mean 'decay'\?/,
    ],
    [
      { policy: { name: 'peak-ewme' } },
      /^clusters\.users\.policy\.name: expected one of peak-ewma, .*, got "peak-ewme"$/,
    ],
    [
      { policy: 'peak-ewme' },
      /^clusters\.users\.policy: expected one of peak-ewma, .*, got "peak-ewme"$/,
    ],
    [
      { outlierDetection: { baseEjection: '10m', maxEjection: '5m' } },
      'clusters.users.outlierDetection.maxEjection: expected a duration of at least baseEjection (600000 ms), got "5m"',
    ],
    [
      {
        policy: {
          name: 'bounded-load',
          hashKey: { header: 'a' },
          policy: { name: 'maglev', hashKey: { header: 'b' } },
        },
      },
      /^clusters\.users\.policy\.hashKey: expected one hash key source/,
    ],
    [
      { policy: { name: 'bounded-load', policy: { name: 'maglev', tableSize: 4 } } },
      /^clusters\.users\.policy\.policy\.tableSize: expected a prime number/,
    ],
    [
      { discovery: ['10.0.0.1:80', '10.0.0.1:80'] },
      /^clusters\.users\.discovery\[1\]: expected an id not used before/,
    ],
    [
      { discovery: { file: { path: 'a.txt' } } },
      /^clusters\.users\.discovery\.file\.format: expected/,
    ],
    [
      { drain: { timeout: 30 } },
      'clusters.users.drain.timeout: expected a duration such as 5s or 100ms, from 0s to 24h, got 30',
    ],
  ])('says of %j: %s', (options, message) => {
    expect(messageOf({ ...base, ...options })).toMatch(message);
  });

  it.each([undefined, null, 7, 'x', [], () => undefined])(
    'refuses %s in the place of options',
    (raw) => {
      expect(messageOf(raw)).toMatch(
        /^clusters\.users: expected an object with name, discovery, policy/,
      );
    },
  );

  it('refuses what only code can hold', () => {
    const discovery = { kind: 'mine', create: () => undefined };
    expect(messageOf({ ...base, discovery })).toContain('clusters.users.discovery');
  });
});
