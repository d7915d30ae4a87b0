import { describe, expect, it } from 'vitest';
import { BpfError, errnoName, isBpfError } from './bpf-error.ts';

describe('BpfError', () => {
  it('names the error number, and says whether a retry makes sense', () => {
    expect(new BpfError('EVENKEEL_BPF_KERNEL', 'x', { errno: 11 })).toMatchObject({
      errnoName: 'EAGAIN',
      retryable: true,
    });
    expect(new BpfError('EVENKEEL_BPF_KERNEL', 'x', { errno: 22 })).toMatchObject({
      errnoName: 'EINVAL',
      retryable: false,
    });
    expect(errnoName(524)).toBe('ENOTSUPP');
    expect(errnoName(4711)).toBe('errno 4711');
  });

  it('is known by its brand, so that a second copy of the package is no stranger', () => {
    const foreign = Object.assign(new Error('x'), {
      name: 'BpfError',
      code: 'EVENKEEL_BPF_LIMIT',
      [Symbol.for('evenkeel.error')]: true,
    });
    expect(isBpfError(foreign)).toBe(true);
    expect(isBpfError(foreign, 'EVENKEEL_BPF_LIMIT')).toBe(true);
    expect(isBpfError(foreign, 'EVENKEEL_BPF_CLOSED')).toBe(false);
    expect(isBpfError(new Error('x'))).toBe(false);
    expect(isBpfError(undefined)).toBe(false);
  });

  it('keeps the cause', () => {
    const cause = new Error('below');
    expect(new BpfError('EVENKEEL_BPF_BUILD', 'x', { cause }).cause).toBe(cause);
  });
});
