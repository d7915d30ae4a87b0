import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { ConfigError } from '../../error/config-error.ts';
import { decode } from '../../schema/decode.ts';
import { outlierDetectionSchema } from './config.ts';

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
      consecutiveFailures: 5,
      consecutiveConnectFailures: 3,
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
    ['consecutiveFailures', -1, 'an integer from 0 to 1000', '-1'],
    ['consecutiveConnectFailures', 2.5, 'an integer from 0 to 1000', '2.5'],
    ['baseEjectionMs', 0, 'a duration from 1 ms to 86400000 ms', '0'],
    ['maxEjectionMs', '5m', 'a duration from 1 ms to 86400000 ms', '"5m"'],
    ['maxEjectionMs', 5_000, 'a duration of at least baseEjectionMs (10000 ms)', '5000'],
    ['maxEjectionPercent', 0, 'a number from 1 to 100', '0'],
    ['enforcingPercent', 101, 'a number from 0 to 100', '101'],
    ['jitterRatio', 1.5, 'a number from 0 to 1', '1.5'],
    ['returnBy', 'probe', 'one of trial, time', '"probe"'],
    ['activeCheckReturns', 'yes', 'true or false', '"yes"'],
  ])('names path, range and value: %s = %j', (key, value, expected, actual) => {
    expect(issuesOf({ [key]: value })).toEqual([
      { path: `outlierDetection.${key}`, expected, actual },
    ]);
  });

  it('refuses options it does not know', () => {
    const [issue] = issuesOf({ baseEjectionTime: 1 });
    expect(issue?.path).toBe('outlierDetection.baseEjectionTime');
    expect(issue?.expected).toContain('no such option (known: consecutiveFailures,');
  });

  it('can be exported as JSON Schema', () => {
    const schema = z.toJSONSchema(outlierDetectionSchema, { io: 'input' });
    expect(Object.keys(schema.properties ?? {})).toHaveLength(11);
  });
});
