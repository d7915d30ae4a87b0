import { createManualRuntime } from '@evenkeel/core/testing';
import { describe, expect, it } from 'vitest';
import { type FakeRequestOptions, fakeRequest } from '../test-support/fake-request.ts';
import { fakeResponse } from '../test-support/fake-response.ts';
import { faultOf, makeFilter } from '../test-support/make-filter.ts';
import type { BandwidthOptions } from './bandwidth.ts';

async function paced(options: BandwidthOptions) {
  const runtime = createManualRuntime();
  const filter = await makeFilter({ bandwidth: options }, { runtime });
  const download = (of: FakeRequestOptions = {}) =>
    filter.responseBody!(fakeResponse(), fakeRequest('GET / HTTP/1.1', of))!;
  return { runtime, filter, download };
}

/** What became of a chunk. */
function sent(result: Buffer | Promise<Buffer>): { bytes: number | undefined } {
  const state = { bytes: undefined as number | undefined };
  if (Buffer.isBuffer(result)) state.bytes = result.length;
  else void result.then((chunk) => (state.bytes = chunk.length));
  return state;
}

describe('bandwidth', () => {
  it('lets a burst through at once, and holds back what is over it, with one timer a chunk', async () => {
    const { runtime, download } = await paced({
      responseBytesPerSecond: 10_000,
      burstBytes: 5_000,
    });
    const body = download();
    expect(sent(body.transform(Buffer.alloc(5_000))).bytes).toBe(5_000);
    const late = sent(body.transform(Buffer.alloc(20_000)));
    expect(runtime.scheduler.pendingCount).toBe(1);
    await runtime.scheduler.advanceAsync(1_999);
    expect(late.bytes).toBeUndefined();
    await runtime.scheduler.advanceAsync(1);
    expect(late.bytes).toBe(20_000);
    expect(body.keepsLength).toBe(true);
  });

  it('does not wait for a few bytes, but remembers them', async () => {
    const { runtime, download } = await paced({ responseBytesPerSecond: 100_000, burstBytes: 0 });
    const body = download();
    for (let turn = 0; turn < 4; turn++)
      expect(sent(body.transform(Buffer.alloc(100))).bytes).toBe(100);
    const fifth = sent(body.transform(Buffer.alloc(100)));
    expect(fifth.bytes).toBeUndefined();
    await runtime.scheduler.advanceAsync(5);
    expect(fifth.bytes).toBe(100);
  });

  it('is for each request alone, or shared by key', async () => {
    const alone = await paced({ responseBytesPerSecond: 4_096, burstBytes: 1_000 });
    expect(sent(alone.download().transform(Buffer.alloc(1_000))).bytes).toBe(1_000);
    expect(sent(alone.download().transform(Buffer.alloc(1_000))).bytes).toBe(1_000);
    const shared = await paced({
      responseBytesPerSecond: 4_096,
      burstBytes: 1_000,
      key: ['client'],
    });
    expect(sent(shared.download().transform(Buffer.alloc(1_000))).bytes).toBe(1_000);
    expect(sent(shared.download().transform(Buffer.alloc(1_000))).bytes).toBeUndefined();
    const other = shared.download({ clientAddress: '10.0.0.9' });
    expect(sent(other.transform(Buffer.alloc(1_000))).bytes).toBe(1_000);
  });

  it('leaves no timer behind when the body breaks off', async () => {
    const { runtime, download } = await paced({ responseBytesPerSecond: 4_096, burstBytes: 0 });
    const body = download();
    const waiting = body.transform(Buffer.alloc(10_000));
    body.close?.();
    await waiting;
    expect(runtime.scheduler.pendingCount).toBe(0);
  });

  it('has a hook only for the direction that it limits', async () => {
    expect((await paced({ requestBytesPerSecond: 4_096 })).filter).not.toHaveProperty(
      'responseBody',
    );
    expect((await paced({ responseBytesPerSecond: 4_096 })).filter).not.toHaveProperty(
      'requestBody',
    );
    expect(await faultOf({ bandwidth: {} })).toContain('at least one of requestBytesPerSecond');
    expect(await faultOf({ bandwidth: { requestBytesPerSecond: 10 } })).toContain('from 4096');
  });
});
