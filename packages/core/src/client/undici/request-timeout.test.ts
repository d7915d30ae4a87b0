import { describe, expect, it } from 'vitest';
import { incomingTimeoutMs, withTimeout } from './request-timeout.ts';

const request = (headers?: unknown) =>
  ({ path: '/', method: 'GET', headers }) as Parameters<typeof withTimeout>[0];

describe('the time that a caller has left', () => {
  it.each([
    [undefined, undefined],
    [null, undefined],
    [{ 'X-Evenkeel-Timeout-Ms': '1500' }, 1_500],
    [['x-evenkeel-timeout-ms', '1500'], 1_500],
    [new Map([['x-evenkeel-timeout-ms', '1500']]), 1_500],
    [{ 'grpc-timeout': '2S' }, 2_000],
    // Our own goes before gRPC's, and what is malformed does not let the other one in.
    [{ 'grpc-timeout': '2S', 'x-evenkeel-timeout-ms': '10' }, 10],
    [{ 'grpc-timeout': '2S', 'x-evenkeel-timeout-ms': '-1' }, undefined],
    [{ 'x-evenkeel-timeout-ms': ['1', '2'] }, undefined],
  ])('%o: %s', (headers, expected) => {
    expect(incomingTimeoutMs(request(headers))).toBe(expected);
  });
});

describe('the time that an endpoint is told', () => {
  it.each([
    [undefined, { 'x-evenkeel-timeout-ms': '250' }],
    [{ a: 'b' }, { a: 'b', 'x-evenkeel-timeout-ms': '250' }],
    [
      { 'X-EVENKEEL-TIMEOUT-MS': '9', a: 'b' },
      { a: 'b', 'x-evenkeel-timeout-ms': '250' },
    ],
    [
      ['X-Evenkeel-Timeout-Ms', '9', 'a', 'b'],
      ['a', 'b', 'x-evenkeel-timeout-ms', '250'],
    ],
    [new Map([['a', 'b']]), ['a', 'b', 'x-evenkeel-timeout-ms', '250']],
    [
      { 'content-type': 'application/grpc', 'grpc-timeout': '9S' },
      { 'content-type': 'application/grpc', 'grpc-timeout': '250m' },
    ],
  ])('%o: %o', (headers, expected) => {
    const original = request(headers);
    expect(withTimeout(original, 250.9).headers).toEqual(expected);
    // The caller's own stays as it was, for the next try.
    expect(original.headers).toBe(headers);
  });

  it('is not told when there is none to tell', () => {
    const original = request({ a: 'b' });
    expect(withTimeout(original, Number.POSITIVE_INFINITY)).toBe(original);
    expect(withTimeout(original, 0.5)).toBe(original);
  });
});
