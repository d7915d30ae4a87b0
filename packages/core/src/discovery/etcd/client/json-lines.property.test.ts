import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isEvenkeelError } from '../../../error/evenkeel-error.ts';
import { JsonLines } from './json-lines.ts';

const SEED = 20_261;

/** Cuts bytes at places that have nothing to do with what they say. */
function cutAt(bytes: Buffer, places: readonly number[]): Buffer[] {
  const sorted = [...new Set(places.map((place) => place % (bytes.length + 1)))].sort(
    (left, right) => left - right,
  );
  return [0, ...sorted].map((start, index) => bytes.subarray(start, sorted[index] ?? bytes.length));
}

describe('JsonLines', () => {
  it('puts messages together however they were cut, within a character, too', () => {
    fc.assert(
      fc.property(
        fc.array(fc.jsonValue(), { maxLength: 12 }),
        fc.array(fc.nat(5_000), { maxLength: 40 }),
        (messages, places) => {
          const bytes = Buffer.from(messages.map((one) => `${JSON.stringify(one)}\n`).join(''));
          const lines = new JsonLines();
          const heard = cutAt(bytes, places).flatMap((chunk) => lines.push(chunk));
          expect(JSON.stringify(heard)).toBe(JSON.stringify(messages));
        },
      ),
      { seed: SEED, numRuns: 500 },
    );
  });

  it('passes over empty lines and carriage returns', () => {
    expect(new JsonLines().push(Buffer.from('\n{"a":1}\r\n\n\r\n[2]\n'))).toEqual([{ a: 1 }, [2]]);
  });

  it('refuses what is no JSON, without telling what it was', () => {
    expect(() => new JsonLines().push(Buffer.from('secret=7\n'))).toThrow(
      /^the answer is no JSON$/u,
    );
  });

  it('refuses a line that has no end, whatever pieces it comes in', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1 }), (sizes) => {
        const limit = 100;
        const lines = new JsonLines(limit);
        let length = 0;
        for (const size of sizes) {
          length += size;
          const push = (): unknown[] => lines.push(Buffer.alloc(size, 'x'));
          if (length <= limit) {
            expect(push()).toEqual([]);
          } else {
            expect(push).toThrow(/more than 100 bytes/u);
            return;
          }
        }
      }),
      { seed: SEED, numRuns: 200 },
    );
  });

  it('throws nothing but errors of ours for any bytes', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 60 }), { maxLength: 10 }), (chunks) => {
        const lines = new JsonLines(200);
        try {
          for (const chunk of chunks) lines.push(Buffer.from(chunk));
        } catch (error) {
          expect(isEvenkeelError(error)).toBe(true);
        }
      }),
      { seed: SEED, numRuns: 300 },
    );
  });
});
