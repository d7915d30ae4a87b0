import { describe, expect, it } from 'vitest';
import { Outcome } from '../model/outcome.ts';
import { outcomeOfGrpcCode } from './grpc-code.ts';
import { isIdempotentMethod } from './idempotency.ts';

describe('isIdempotentMethod', () => {
  it.each([
    ['GET', true],
    ['HEAD', true],
    ['PUT', true],
    ['DELETE', true],
    ['OPTIONS', true],
    ['TRACE', true],
    ['QUERY', true],
    ['POST', false],
    ['PATCH', false],
    ['CONNECT', false],
    // Methods are case-sensitive: some other method, of which nothing is known.
    ['get', false],
    ['', false],
  ])('%s: %s', (method, idempotent) => {
    expect(isIdempotentMethod(method)).toBe(idempotent);
  });
});

describe('outcomeOfGrpcCode', () => {
  it.each<[number, Outcome]>([
    [0, Outcome.success],
    [1, Outcome.cancelled],
    [2, Outcome.serverError],
    [3, Outcome.success],
    [4, Outcome.timeout],
    [5, Outcome.success],
    [7, Outcome.success],
    [8, Outcome.overloaded],
    [10, Outcome.success],
    [12, Outcome.success],
    [13, Outcome.serverError],
    [14, Outcome.gatewayError],
    [15, Outcome.serverError],
    [16, Outcome.success],
    [17, Outcome.serverError],
    [-1, Outcome.serverError],
  ])('%d', (code, outcome) => {
    expect(outcomeOfGrpcCode(code)).toBe(outcome);
  });
});
