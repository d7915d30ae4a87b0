import { createManualRuntime } from '@evenkeel/core/testing';
import { describe, expect, it } from 'vitest';
import type { FilterAnswer } from '../filter.ts';
import { type FakeRequestOptions, fakeRequest } from '../test-support/fake-request.ts';
import { faultOf, makeFilter } from '../test-support/make-filter.ts';
import type { RateLimitFilterOptions } from './schema.ts';

async function limited(options: RateLimitFilterOptions) {
  const runtime = createManualRuntime();
  const filter = await makeFilter({ rateLimit: options }, { runtime });
  const ask = (head = 'GET / HTTP/1.1', of: FakeRequestOptions = {}) => {
    const request = fakeRequest(head, of);
    const answer = filter.onRequest?.(request) as FilterAnswer | undefined;
    return { answer, fields: request.responseHeaders };
  };
  const isLetIn = (head?: string, of?: FakeRequestOptions): boolean =>
    ask(head, of).answer === undefined;
  return { filter, runtime, ask, isLetIn };
}

describe('rateLimit', () => {
  it('lets a burst in, then as many as the rate says', async () => {
    const { runtime, isLetIn } = await limited({ requestsPerSecond: 2, burst: 3 });
    const burst = Array.from({ length: 5 }, () => isLetIn());
    expect(burst).toEqual([true, true, true, false, false]);
    runtime.scheduler.advance(499);
    expect(isLetIn()).toBe(false);
    runtime.scheduler.advance(1);
    expect([isLetIn(), isLetIn()]).toEqual([true, false]);
  });

  it('tells clients how they stand', async () => {
    const { ask } = await limited({ requestsPerSecond: 1, burst: 2, name: 'api' });
    const first = ask();
    expect(first.fields.lines).toEqual([
      ['ratelimit-policy', '"api";q=2;w=2'],
      ['ratelimit', '"api";r=1;t=1'],
    ]);
    ask();
    const refused = ask();
    expect(refused.answer).toEqual({
      status: 429,
      headers: { 'retry-after': '1' },
      reason: 'rate-limited',
    });
    expect(refused.fields.get('ratelimit')).toBe('"api";r=0;t=2');
  });

  it('counts each client for itself, a host with IPv6 as one', async () => {
    const { isLetIn } = await limited({ requestsPerSecond: 1 });
    const from = (clientAddress: string): boolean => isLetIn(undefined, { clientAddress });
    expect([from('10.0.0.1'), from('10.0.0.1'), from('10.0.0.2')]).toEqual([true, false, true]);
    expect([from('2001:db8::1'), from('2001:db8::2')]).toEqual([true, false]);
    expect(from('2001:db8:0:1::1')).toBe(true);
  });

  it('counts by any parts of a request', async () => {
    const { isLetIn } = await limited({
      requestsPerSecond: 1,
      key: ['route', { header: 'X-Key' }],
    });
    const key = 'GET / HTTP/1.1\nx-key: a';
    expect([isLetIn(key), isLetIn(key)]).toEqual([true, false]);
    expect(isLetIn(key, { route: 'other' })).toBe(true);
    expect(isLetIn('GET / HTTP/1.1\nx-key: b')).toBe(true);
  });

  it('counts requests without the key as those of one client, or not at all', async () => {
    const shared = await limited({ requestsPerSecond: 1, key: [{ header: 'x-key' }] });
    expect([shared.isLetIn(), shared.isLetIn()]).toEqual([true, false]);
    const skipped = await limited({
      requestsPerSecond: 1,
      key: [{ header: 'x-key' }],
      missingKey: 'skip',
    });
    expect([skipped.isLetIn(), skipped.isLetIn(), skipped.isLetIn()]).toEqual([true, true, true]);
  });

  it('counts all together without a key', async () => {
    const { isLetIn } = await limited({ requestsPerSecond: 1, key: [] });
    expect(isLetIn(undefined, { clientAddress: '10.0.0.1' })).toBe(true);
    expect(isLetIn(undefined, { clientAddress: '10.0.0.2' })).toBe(false);
  });

  it('does not count who is exempt', async () => {
    const { ask } = await limited({ requestsPerSecond: 1, exempt: ['10.0.0.0/8'] });
    for (let turn = 0; turn < 5; turn++) {
      const { answer, fields } = ask(undefined, { clientAddress: '10.1.1.1' });
      expect(answer).toBeUndefined();
      expect(fields.lines).toEqual([]);
    }
  });

  it('on trial lets everybody in, says nothing to them, and counts', async () => {
    const { filter, ask } = await limited({ requestsPerSecond: 1, dryRun: true });
    for (let turn = 0; turn < 5; turn++) {
      const { answer, fields } = ask();
      expect(answer).toBeUndefined();
      expect(fields.lines).toEqual([]);
    }
    expect(filter.status?.()).toEqual({
      limit: 'default',
      rejectedCount: 4,
      keyCount: 1,
      dryRun: true,
    });
  });

  it('keeps a bounded number of keys, whatever clients invent', async () => {
    const { filter, isLetIn } = await limited({
      requestsPerSecond: 0.001,
      key: [{ header: 'x-key' }],
      maxKeys: 100,
    });
    for (let key = 0; key < 10_000; key++) isLetIn(`GET / HTTP/1.1\nx-key: ${key}`);
    expect(filter.status?.()['keyCount']).toBeLessThanOrEqual(100);
  });

  it('may be quiet, with another status', async () => {
    const { ask } = await limited({ requestsPerSecond: 1, headers: false, status: 503 });
    expect(ask().fields.lines).toEqual([]);
    const { answer, fields } = ask();
    expect(answer).toMatchObject({ status: 503, headers: { 'retry-after': '1' } });
    expect(fields.lines).toEqual([]);
  });

  it.each([
    [{}, 'rateLimit.requestsPerSecond'],
    [{ requestsPerSecond: 0 }, 'rateLimit.requestsPerSecond'],
    [{ requestsPerSecond: 1, key: ['nobody'] }, 'rateLimit.key[0]'],
    [{ requestsPerSecond: 1, name: 'a"b' }, 'rateLimit.name'],
    [{ requestsPerSecond: 1, brust: 5 }, "did you mean 'burst'"],
  ])('refuses %j', async (options, message) => {
    expect(await faultOf({ rateLimit: options })).toContain(message);
  });
});
