import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BodyRefusal } from '../filter.ts';
import { fakeRequest } from '../test-support/fake-request.ts';
import { faultOf, makeFilter } from '../test-support/make-filter.ts';

const sized = (bodyBytes: number | undefined) => fakeRequest('POST / HTTP/1.1', { bodyBytes });

describe('bodyLimit', () => {
  it('refuses bodies that announce more than the limit', async () => {
    const filter = await makeFilter({ bodyLimit: { maxBytes: 10 } });
    expect(filter.onRequest?.(sized(10))).toBeUndefined();
    expect(filter.onRequest?.(sized(11))).toEqual({ status: 413, reason: 'body-too-large' });
    expect(filter.onRequest?.(sized(undefined))).toBeUndefined();
    expect(filter.requestBody?.(sized(10))).toBeUndefined();
  });

  it('refuses others with the byte that is one too many', async () => {
    const filter = await makeFilter({ bodyLimit: { maxBytes: 1_000 } });
    fc.assert(
      fc.property(fc.array(fc.nat(400), { maxLength: 10 }), (sizes) => {
        const body = filter.requestBody?.(sized(undefined));
        let sum = 0;
        for (const size of sizes) {
          const chunk = Buffer.alloc(size);
          sum += size;
          if (sum <= 1_000) expect(body?.transform(chunk)).toBe(chunk);
          else {
            expect(() => body?.transform(chunk)).toThrow(BodyRefusal);
            return;
          }
        }
      }),
      { seed: 20_235 },
    );
  });

  it('refuses options that are out of range', async () => {
    expect(await faultOf({ bodyLimit: { maxBytes: -1 } })).toContain('bodyLimit.maxBytes');
    expect(await faultOf({ bodyLimit: {} })).toContain('bodyLimit.maxBytes');
  });
});
