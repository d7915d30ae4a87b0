import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MAX_TIMEOUT_MS } from './deadline-config.ts';
import {
  decodeGrpcTimeout,
  decodeTimeout,
  encodeGrpcTimeout,
  encodeTimeout,
} from './timeout-header.ts';

describe('the header of Evenkeel', () => {
  it.each<[number, string | undefined]>([
    [1, '1'],
    [1_500, '1500'],
    [1_500.9, '1500'],
    [0.99, undefined],
    [0, undefined],
    [-3, undefined],
    [Number.POSITIVE_INFINITY, undefined],
    [Number.NaN, undefined],
    [MAX_TIMEOUT_MS + 5, String(MAX_TIMEOUT_MS)],
  ])('writes %s as %s', (timeoutMs, text) => {
    expect(encodeTimeout(timeoutMs)).toBe(text);
  });

  it.each<[string | string[] | undefined, number | undefined]>([
    ['1500', 1_500],
    ['0', 0],
    ['007', 7],
    ['99999999', MAX_TIMEOUT_MS],
    [['1500'], 1_500],
    [['1500', '9'], undefined],
    [[], undefined],
    ['999999999', undefined],
    ['-1', undefined],
    ['+1', undefined],
    ['1.5', undefined],
    ['1e3', undefined],
    ['0x10', undefined],
    [' 1', undefined],
    ['1\n', undefined],
    ['1500, 1500', undefined],
    ['١٢', undefined],
    ['', undefined],
    [undefined, undefined],
  ])('reads %j as %s', (value, timeoutMs) => {
    expect(decodeTimeout(value)).toBe(timeoutMs);
  });
});

describe("gRPC's header", () => {
  it.each<[number, string | undefined]>([
    [0.001, '1u'],
    [0.5, '500u'],
    [99.999, '99999u'],
    [100, '100m'],
    [1_500.9, '1500m'],
    [MAX_TIMEOUT_MS * 2, '86400000m'],
    [0.000_9, undefined],
    [0, undefined],
    [-1, undefined],
    [Number.POSITIVE_INFINITY, undefined],
    [Number.NaN, undefined],
  ])('writes %s as %s', (timeoutMs, text) => {
    expect(encodeGrpcTimeout(timeoutMs)).toBe(text);
  });

  it.each<[string | string[] | undefined, number | undefined]>([
    ['2H', 7_200_000],
    ['2M', 120_000],
    ['2S', 2_000],
    ['2m', 2],
    ['2u', 0.002],
    ['2000n', 0.002],
    ['0n', 0],
    ['99999999H', MAX_TIMEOUT_MS],
    ['100000000m', undefined],
    ['2', undefined],
    ['m', undefined],
    ['2 m', undefined],
    ['2s', undefined],
    ['-2m', undefined],
    ['1.5S', undefined],
    [['2m', '3m'], undefined],
    [undefined, undefined],
  ])('reads %j as %s', (value, timeoutMs) => {
    expect(decodeGrpcTimeout(value)).toBe(timeoutMs);
  });
});

describe('both headers', () => {
  const anyTime = fc.double({ min: 1, max: MAX_TIMEOUT_MS, noNaN: true });

  it('survive the trip, never with more time than there was, and lose at most a millisecond or 1 %', () => {
    fc.assert(
      fc.property(anyTime, (timeoutMs) => {
        const plain = decodeTimeout(encodeTimeout(timeoutMs))!;
        const grpc = decodeGrpcTimeout(encodeGrpcTimeout(timeoutMs))!;
        expect(plain).toBeLessThanOrEqual(timeoutMs);
        expect(plain).toBeGreaterThan(timeoutMs - 1);
        expect(grpc).toBeLessThanOrEqual(timeoutMs + 1e-9);
        expect(grpc).toBeGreaterThan(timeoutMs * 0.99 - 1e-9);
      }),
      { seed: 2, numRuns: 1_000 },
    );
  });

  it('turn no text into anything but nothing or a bounded number', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.stringMatching(/^[\dHMSmun.,+-]{0,12}$/)), (text) => {
        for (const timeoutMs of [decodeTimeout(text), decodeGrpcTimeout(text)]) {
          if (timeoutMs === undefined) continue;
          expect(timeoutMs).toBeGreaterThanOrEqual(0);
          expect(timeoutMs).toBeLessThanOrEqual(MAX_TIMEOUT_MS);
        }
      }),
      { seed: 3, numRuns: 1_000 },
    );
  });
});
