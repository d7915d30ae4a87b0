import { describe, expect, it } from 'vitest';
import { ConfigError, configError, describeValue } from './config-error.ts';
import { EvenkeelError, isEvenkeelError, messageOf } from './evenkeel-error.ts';
import { PickError } from './pick-error.ts';

describe('EvenkeelError', () => {
  it('is known by its brand, so that a second copy of the library is no stranger', () => {
    const foreign = Object.assign(new Error('x'), {
      code: 'EVENKEEL_CONFIG',
      [Symbol.for('evenkeel.error')]: true,
    });
    expect(isEvenkeelError(foreign)).toBe(true);
    expect(isEvenkeelError(foreign, 'EVENKEEL_CONFIG')).toBe(true);
    expect(isEvenkeelError(foreign, 'EVENKEEL_CLOSED')).toBe(false);
    expect(isEvenkeelError(new Error('EVENKEEL_CONFIG'))).toBe(false);
    expect(isEvenkeelError(undefined)).toBe(false);
  });

  it('carries code, cause and whether a retry makes sense', () => {
    const cause = new Error('below');
    const error = new EvenkeelError('EVENKEEL_CONNECT', 'no', { retryable: true, cause });
    expect(error).toMatchObject({
      name: 'EvenkeelError',
      code: 'EVENKEEL_CONNECT',
      retryable: true,
      cause,
    });
    expect(new PickError('users', 'closed')).toMatchObject({
      name: 'PickError',
      retryable: false,
      cluster: 'users',
    });
    expect(new PickError('users', 'not-ready').retryable).toBe(true);
  });
});

describe('ConfigError', () => {
  it('lists every issue with path, expected and actual', () => {
    const error = new ConfigError([
      { path: 'a.b', expected: 'x', actual: '1' },
      { path: 'c', expected: 'y', actual: '2' },
    ]);
    expect(error.message).toBe('a.b: expected x, got 1; c: expected y, got 2');
    expect(configError('p', 'q', undefined).message).toBe('p: expected q, got nothing');
  });

  it('shows any value in one short line', () => {
    const circular: Record<string, unknown> = {};
    circular['self'] = circular;
    expect(describeValue('x'.repeat(1_000)).length).toBeLessThan(100);
    expect(describeValue(circular)).toBe('object');
    expect(describeValue(10n)).toBe('10n');
    expect(describeValue(Number.NaN)).toBe('NaN');
    expect(describeValue(() => 1)).toBe('a function');
    expect(messageOf('text')).toBe('text');
  });
});
