import { Readable } from 'node:stream';
import type { Dispatcher } from 'undici';
import { describe, expect, it } from 'vitest';
import { Outcome } from '../../model/outcome.ts';
import { type FailedTry, isRepeatable, mayRetry } from './retry-rules.ts';

const request = (
  method: string,
  parts: Partial<Dispatcher.DispatchOptions> = {},
): Dispatcher.DispatchOptions => ({
  path: '/',
  method,
  ...parts,
});

const REFUSED: FailedTry = { outcome: Outcome.connectFailure, started: false };
const QUEUED_TOO_LONG: FailedTry = { outcome: Outcome.timeout, started: false };
const RESET: FailedTry = { outcome: Outcome.reset, started: true };
const TOO_SLOW: FailedTry = { outcome: Outcome.timeout, started: true };
const CANCELLED: FailedTry = { outcome: Outcome.cancelled, started: true };

describe('isRepeatable', () => {
  it.each(['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE', 'TRACE', 'QUERY'])('%s is', (method) => {
    expect(isRepeatable(request(method))).toBe(true);
  });

  it.each(['POST', 'PATCH', 'CONNECT', 'get', 'PROPFIND'])('%s is not', (method) => {
    expect(isRepeatable(request(method))).toBe(false);
  });

  it('needs a body that can be sent again', () => {
    expect(isRepeatable(request('PUT', { body: 'x' }))).toBe(true);
    expect(isRepeatable(request('PUT', { body: Readable.from(['x']) }))).toBe(false);
  });

  it('believes the caller who says so, or denies it', () => {
    expect(isRepeatable(request('POST', { idempotent: true }))).toBe(true);
    expect(isRepeatable(request('GET', { idempotent: false }))).toBe(false);
  });

  it('is false of an upgrade', () => {
    expect(isRepeatable(request('GET', { upgrade: 'websocket' }))).toBe(false);
    expect(isRepeatable(request('GET', { upgrade: null }))).toBe(true);
  });
});

describe('mayRetry', () => {
  it.each([
    // method and body, refused, queued too long, reset, too slow
    ['GET', undefined, true, true, true, true],
    ['POST', undefined, true, true, false, false],
    ['POST', 'text', true, true, false, false],
    ['PUT', 'text', true, true, true, true],
  ] as const)('%s with body %s', (method, body, refused, queued, reset, slow) => {
    const given = request(method, body === undefined ? {} : { body });
    expect(
      [REFUSED, QUEUED_TOO_LONG, RESET, TOO_SLOW].map((failed) => mayRetry(failed, given)),
    ).toEqual([refused, queued, reset, slow]);
  });

  it('sends a stream again only while nobody has read from it', () => {
    const fresh = Readable.from(['x']);
    expect(mayRetry(REFUSED, request('POST', { body: fresh }))).toBe(true);
    expect(mayRetry(RESET, request('PUT', { body: fresh }))).toBe(false);
    fresh.destroy();
    expect(mayRetry(REFUSED, request('POST', { body: fresh }))).toBe(false);
  });

  it('never retries what the caller ended', () => {
    expect(mayRetry(CANCELLED, request('GET'))).toBe(false);
  });
});
