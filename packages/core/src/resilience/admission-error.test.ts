import { describe, expect, it } from 'vitest';
import { isEvenkeelError } from '../error/evenkeel-error.ts';
import { AdmissionError, type AdmissionReason } from './admission-error.ts';

describe('AdmissionError', () => {
  it.each<[AdmissionReason, string, boolean]>([
    ['threshold', 'EVENKEEL_OVERLOADED', true],
    ['concurrency-limit', 'EVENKEEL_OVERLOADED', true],
    ['rate-limit', 'EVENKEEL_RATE_LIMITED', true],
    ['circuit-open', 'EVENKEEL_CIRCUIT_OPEN', true],
    // Their point is to have fewer requests.
    ['load-shedding', 'EVENKEEL_OVERLOADED', false],
    ['client-throttle', 'EVENKEEL_OVERLOADED', false],
  ])('%s: %s, retryable %s', (reason, code, retryable) => {
    const error = new AdmissionError(reason);
    expect(isEvenkeelError(error)).toBe(true);
    expect(error).toMatchObject({ name: 'AdmissionError', reason, code, retryable });
  });

  it('says where, why, and for how long', () => {
    const error = new AdmissionError('rate-limit', {
      cluster: 'users',
      subject: "key '10.0.0.1'",
      retryAfterMs: 250,
    });
    expect(error.message).toBe("cluster 'users', key '10.0.0.1': the rate limit is reached");
    expect(error).toMatchObject({ cluster: 'users', retryAfterMs: 250 });
    expect(new AdmissionError('threshold').message).toBe('too much is open already');
  });
});
