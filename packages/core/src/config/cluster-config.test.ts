import { describe, expect, it } from 'vitest';
import type { Discovery } from '../discovery/resolver.ts';
import { ConfigError } from '../error/config-error.ts';
import { decodeClusterOptions } from './cluster-config.ts';

const base = { name: 'users', discovery: ['10.0.0.1:80'] };

function issuesOf(
  raw: unknown,
  path = '',
): readonly { path: string; expected: string; actual: string }[] {
  try {
    decodeClusterOptions(raw, path);
  } catch (error) {
    if (error instanceof ConfigError) return error.issues;
    throw error;
  }
  throw new Error('accepted');
}

describe('decodeClusterOptions', () => {
  it('fills in the defaults', () => {
    const config = decodeClusterOptions(base);
    expect(config).toMatchObject({
      name: 'users',
      policy: 'peak-ewma',
      health: undefined,
      panic: { thresholdPercent: 50 },
      drain: { timeoutMs: 30_000 },
    });
    expect(config.outlierDetection).toMatchObject({ consecutive: { failures: 5 } });
    expect(config.discovery.kind).toBe('static');
  });

  it('takes a discovery made in code as it is', () => {
    const discovery: Discovery = {
      kind: 'mine',
      create: () => {
        throw new Error('not created by decoding');
      },
    };
    expect(decodeClusterOptions({ ...base, discovery }).discovery).toBe(discovery);
  });

  it('switches outlier detection off by false only', () => {
    expect(decodeClusterOptions({ ...base, outlierDetection: false }).outlierDetection).toBe(false);
    expect(issuesOf({ ...base, outlierDetection: true })).toEqual([
      { path: 'outlierDetection', expected: 'false, or an object with options', actual: 'true' },
    ]);
  });

  it('leaves the options of a policy to the registry', () => {
    const policy = { name: 'mine', anything: { goes: true } };
    expect(decodeClusterOptions({ ...base, policy }).policy).toEqual(policy);
  });

  it.each([
    [{ policy: 7 }, 'policy', 'the name of a policy, or an object with its name and options', '7'],
    [{ policy: {} }, 'policy.name', 'a text of 1 to 128 characters', 'nothing'],
    [
      { panic: { thresholdPercent: 101 } },
      'panic.thresholdPercent',
      'a percentage from 0 to 100',
      '101',
    ],
    [
      { panic: { thresholdPercent: '50%' } },
      'panic.thresholdPercent',
      'a percentage from 0 to 100',
      '"50%"',
    ],
    [{ panic: 50 }, 'panic', 'an object with thresholdPercent', '50'],
    [{ drain: { timeoutMs: -1 } }, 'drain.timeoutMs', 'a duration from 0 ms to 86400000 ms', '-1'],
    [
      { drain: { timeoutMs: Number.NaN } },
      'drain.timeoutMs',
      'a duration from 0 ms to 86400000 ms',
      'NaN',
    ],
    [
      { drain: { timeoutMs: Infinity } },
      'drain.timeoutMs',
      'a duration from 0 ms to 86400000 ms',
      'Infinity',
    ],
    [
      { drain: { timeoutMs: '5s' } },
      'drain.timeoutMs',
      'a duration from 0 ms to 86400000 ms',
      '"5s"',
    ],
    [
      { drain: { timeout: 5 } },
      'drain.timeout',
      "no such option; did you mean 'timeoutMs'? (known: timeoutMs)",
      '5',
    ],
    [
      { health: { http: { intervalMs: 0 } } },
      'health.http.intervalMs',
      'a duration from 10 ms to 86400000 ms',
      '0',
    ],
    [{ health: true }, 'health', 'an object with http, tcp', 'true'],
    [
      { outlierDetection: { consecutive: { failures: 1.5 } } },
      'outlierDetection.consecutive.failures',
      'an integer from 0 to 1000',
      '1.5',
    ],
    [
      { discovery: ['10.0.0.1:80', '10.0.0.1'] },
      'discovery[1]',
      "'host:port', '[ipv6]:port' or 'unix:/path'",
      '"10.0.0.1"',
    ],
    [
      { discovery: [{ host: 'a', port: 0 }] },
      'discovery[0].port',
      'an integer from 1 to 65535',
      '0',
    ],
  ])('says of %j: %s: expected %s, got %s', (options, ...told) => {
    const [path, expected, actual] = told;
    expect(issuesOf({ ...base, ...options })).toEqual([{ path, expected, actual }]);
  });

  it('names unknown options, and all issues of all parts at once', () => {
    const issues = issuesOf(
      { polcy: 'random', name: 'Users', discovery: 7, drain: { timeoutMs: 'x' } },
      'clusters.u',
    );
    expect(issues.map(({ path }) => path).sort()).toEqual([
      'clusters.u.discovery',
      'clusters.u.drain.timeoutMs',
      'clusters.u.name',
      'clusters.u.polcy',
    ]);
    expect(issues.find(({ path }) => path.endsWith('polcy'))?.expected).toContain(
      "did you mean 'policy'?",
    );
  });

  it('suggests the option that was meant', () => {
    expect(issuesOf({ ...base, health: { htp: {} } })[0]).toEqual({
      path: 'health.htp',
      expected: "no such option; did you mean 'http'? (known: http, tcp)",
      actual: 'a value',
    });
  });

  it.each([undefined, null, 'users', 7, []])('refuses %j in the place of options', (raw) => {
    expect(issuesOf(raw)[0]?.path).toBe('config');
  });

  it.each([
    ['health', { http: { headers: { authorization: 'Bearer s3cr3t', 'x-a': 'b\ns3cr3t' } } }],
    ['health', { http: { headers: { 'x-weird': 's3cr3t\n' } } }],
    ['health', { http: { headers: 's3cr3t' } }],
    ['health', { http: { headers: { authorization: 'Bearer s3cr3t' } }, tcp: {} }],
    ['health', { http: { tls: { cert: 's3cr3t', key: 's3cr3t' } } }],
    ['health', { http: { tls: { key: 's3cr3t' } } }],
    ['health', { http: { tls: { key: ['s3cr3t'] } } }],
    ['health', { http: { tls: { privateKey: 's3cr3t' } } }],
    ['health', { tcp: { send: { text: 's3cr3t' } } }],
    ['health', [{ token: 's3cr3t' }]],
    ['token', 's3cr3t'],
    ['apiKey', 's3cr3t'],
    ['discovery', { consul: { token: 's3cr3t' } }],
    ['discovery', 'http://user:s3cr3t@registry/'],
    ['discovery', { file: { path: 'a.yaml', pasword: 's3cr3t', auth: { password: 's3cr3t' } } }],
  ])('never shows a secret in %s: %j', (key, value) => {
    for (const { path, expected, actual } of issuesOf({ ...base, [key]: value })) {
      expect(`${path} ${expected} ${actual}`).not.toContain('s3cr3t');
    }
  });
});
