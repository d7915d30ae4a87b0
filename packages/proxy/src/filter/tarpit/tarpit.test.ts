import { createManualRuntime } from '@evenkeel/core/testing';
import { describe, expect, it } from 'vitest';
import { fakeRequest } from '../test-support/fake-request.ts';
import { fakeResponse } from '../test-support/fake-response.ts';
import { faultOf, makeFilter } from '../test-support/make-filter.ts';
import type { TarpitOptions } from './tarpit.ts';

async function pit(options: TarpitOptions) {
  const runtime = createManualRuntime();
  const filter = await makeFilter({ tarpit: options }, { runtime });
  /** A request, and how long it was held; undefined while it is. */
  const ask = (clientAddress = '192.0.2.1') => {
    const request = fakeRequest('GET / HTTP/1.1', { clientAddress });
    const startedMs = runtime.clock.nowMs();
    const asked = {
      request,
      heldMs: undefined as number | undefined,
      answer: undefined as unknown,
    };
    const result = filter.onRequest?.(request);
    void Promise.resolve(result).then((answer) => {
      asked.heldMs = runtime.clock.nowMs() - startedMs;
      asked.answer = answer;
    });
    return asked;
  };
  const refuse = (status = 401, isLocal = true, clientAddress = '192.0.2.1'): void =>
    filter.onResponse?.(
      fakeResponse(status, {}, { isLocal }),
      fakeRequest('GET /', { clientAddress }),
    );
  return { filter, runtime, ask, refuse };
}

describe('tarpit', () => {
  it('holds a client that was refused too often, then lets it go on', async () => {
    const { runtime, ask, refuse } = await pit({ refusals: 3, delayMs: 5_000 });
    refuse();
    refuse(403);
    const before = ask();
    await runtime.scheduler.advanceAsync(0);
    expect(before.heldMs).toBe(0);
    refuse(429);
    const after = ask();
    const other = ask('192.0.2.2');
    await runtime.scheduler.advanceAsync(4_999);
    expect([after.heldMs, other.heldMs]).toEqual([undefined, 0]);
    await runtime.scheduler.advanceAsync(1);
    expect(after.heldMs).toBe(5_000);
    expect(after.answer).toBeUndefined();
  });

  it('forgives with time', async () => {
    const { runtime, ask, refuse } = await pit({ refusals: 1, forgivenPerSecond: 0.1, delayMs: 1 });
    refuse();
    await runtime.scheduler.advanceAsync(10_000);
    const forgiven = ask();
    await runtime.scheduler.advanceAsync(0);
    expect(forgiven.heldMs).toBe(0);
  });

  it('does not count what endpoints answer, or other statuses', async () => {
    const { runtime, ask, refuse } = await pit({ refusals: 1 });
    refuse(401, false);
    refuse(404);
    const asked = ask();
    await runtime.scheduler.advanceAsync(0);
    expect(asked.heldMs).toBe(0);
  });

  it('holds as many as it may, and refuses the others at once', async () => {
    const { filter, runtime, ask } = await pit({
      networks: ['10.0.0.0/8'],
      maxHeld: 2,
      delayMs: 50,
    });
    const asked = Array.from({ length: 4 }, () => ask('10.0.0.1'));
    await runtime.scheduler.advanceAsync(0);
    expect(asked.map(({ heldMs }) => heldMs)).toEqual([undefined, undefined, 0, 0]);
    expect(asked[3]?.answer).toEqual({ status: 429, reason: 'tarpit-full' });
    expect(filter.status?.()).toEqual({ heldCount: 2, refusedCount: 2 });
    await runtime.scheduler.advanceAsync(50);
    expect(filter.status?.()).toEqual({ heldCount: 0, refusedCount: 2 });
    expect(runtime.scheduler.pendingCount).toBe(0);
  });

  it('does not hold who has gone', async () => {
    const { filter, runtime, ask } = await pit({ networks: ['10.0.0.0/8'] });
    const asked = ask('10.0.0.1');
    asked.request.abort();
    await runtime.scheduler.advanceAsync(0);
    expect(asked.heldMs).toBe(0);
    expect(filter.status?.()['heldCount']).toBe(0);
    expect(runtime.scheduler.pendingCount).toBe(0);
  });

  it('refuses options that are out of range', async () => {
    expect(await faultOf({ tarpit: { delayMs: 0 } })).toContain('tarpit.delayMs');
    expect(await faultOf({ tarpit: { networks: ['x'] } })).toContain('tarpit.networks[0]');
  });
});
