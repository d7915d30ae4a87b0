import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { ConfigError } from '../../error/config-error.ts';
import { decode } from '../../schema/decode.ts';
import { outlierDetectionSchema } from './config.ts';
import { enforcingPercentOf } from './enforcement.ts';

function issuesOf(raw: unknown): readonly { path: string; expected: string; actual: string }[] {
  try {
    decode(outlierDetectionSchema, raw, 'outlierDetection');
  } catch (error) {
    if (error instanceof ConfigError) return error.issues;
    throw error;
  }
  return [];
}

describe('outlierDetectionSchema', () => {
  it('has a default for everything', () => {
    expect(decode(outlierDetectionSchema, {}, 'outlierDetection')).toEqual({
      consecutive: {
        failures: 5,
        gatewayFailures: 0,
        connectFailures: 3,
        localOriginFailures: 5,
      },
      successRate: {
        stdevFactor: 1.9,
        minimumEndpoints: 5,
        minimumRequests: 100,
        minimumDifferencePercent: 5,
        falseAlarmRatio: 1e-9,
      },
      failurePercentage: false,
      splitLocalOriginErrors: false,
      intervalMs: 10_000,
      baseEjectionMs: 10_000,
      maxEjectionMs: 300_000,
      jitterRatio: 0.1,
      decayMs: 30_000,
      maxEjectionPercent: 50,
      enforcingPercent: 100,
      trialLimitMs: 10_000,
      activeCheckReturns: true,
    });
  });

  it('leaves the way of return to the cluster unless it is given', () => {
    expect(decode(outlierDetectionSchema, {}, '').returnBy).toBeUndefined();
    expect(decode(outlierDetectionSchema, { returnBy: 'time' }, '').returnBy).toBe('time');
  });

  it.each([
    ['successRate', true, 'false, or an object with options', 'true'],
    ['failurePercentage', 85, 'false, or an object with options', '85'],
    ['intervalMs', 10, 'a duration from 1000 ms to 86400000 ms', '10'],
    ['baseEjectionMs', 0, 'a duration from 1 ms to 86400000 ms', '0'],
    ['maxEjectionMs', '5m', 'a duration from 1 ms to 86400000 ms', '"5m"'],
    ['maxEjectionMs', 5_000, 'a duration of at least baseEjectionMs (10000 ms)', '5000'],
    ['maxEjectionPercent', 0, 'a number from 1 to 100', '0'],
    ['enforcingPercent', 101, 'a number from 0 to 100', '101'],
    [
      'enforcingPercent',
      'half',
      'a number from 0 to 100, or an object with one for each detector',
      '"half"',
    ],
    ['jitterRatio', 1.5, 'a number from 0 to 1', '1.5'],
    ['returnBy', 'probe', 'one of trial, time', '"probe"'],
    ['activeCheckReturns', 'yes', 'true or false', '"yes"'],
  ])('names path, range and value: %s = %j', (key, value, expected, actual) => {
    expect(issuesOf({ [key]: value })).toEqual([
      { path: `outlierDetection.${key}`, expected, actual },
    ]);
  });

  it.each([
    ['consecutive', { failures: -1 }, 'failures', 'an integer from 0 to 1000', '-1'],
    [
      'consecutive',
      { connectFailures: 2.5 },
      'connectFailures',
      'an integer from 0 to 1000',
      '2.5',
    ],
    ['successRate', { minimumEndpoints: 1 }, 'minimumEndpoints', 'an integer from 2 to 10000', '1'],
    ['successRate', { stdevFactor: 1900 }, 'stdevFactor', 'a number from 0 to 10', '1900'],
    [
      'failurePercentage',
      { thresholdPercent: 0 },
      'thresholdPercent',
      'a number from 1 to 100',
      '0',
    ],
    ['enforcingPercent', { successRate: -1 }, 'successRate', 'a number from 0 to 100', '-1'],
  ])('also within parts: %s = %j', (part, value, key, expected, actual) => {
    expect(issuesOf({ [part]: value })).toEqual([
      { path: `outlierDetection.${part}.${key}`, expected, actual },
    ]);
  });

  it('fills in the rest of a part', () => {
    const config = decode(
      outlierDetectionSchema,
      { failurePercentage: {}, enforcingPercent: { successRate: 0 } },
      '',
    );
    expect(config.failurePercentage).toEqual({
      thresholdPercent: 85,
      minimumEndpoints: 5,
      minimumRequests: 50,
    });
    expect(enforcingPercentOf(config.enforcingPercent, 'success-rate')).toBe(0);
    expect(enforcingPercentOf(config.enforcingPercent, 'local-origin-success-rate')).toBe(100);
    expect(enforcingPercentOf(30, 'failure-percentage')).toBe(30);
    expect(enforcingPercentOf(0, 'trial-failed')).toBe(100);
  });

  it('refuses options it does not know', () => {
    const [issue] = issuesOf({ baseEjectionTime: 1 });
    expect(issue?.path).toBe('outlierDetection.baseEjectionTime');
    expect(issue?.expected).toContain('no such option (known: consecutive,');
  });

  it('can be exported as JSON Schema', () => {
    const schema = z.toJSONSchema(outlierDetectionSchema, { io: 'input' });
    expect(Object.keys(schema.properties ?? {})).toHaveLength(14);
  });
});
