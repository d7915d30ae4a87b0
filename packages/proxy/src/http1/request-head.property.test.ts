import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RequestHead } from './request-head.ts';
import { ResponseHead } from './response-head.ts';
import { words } from './test-support/read-head.ts';
import { COMPLETE, INCOMPLETE } from './verdict.ts';

const TOKEN_LETTERS = [..."!#$%&'*+-.^_`|~0123456789abcXYZ"];
const token = fc.string({ unit: fc.constantFrom(...TOKEN_LETTERS), minLength: 1, maxLength: 20 });
const value = fc
  .array(fc.constantFrom(...'aZ09 \t,;="\xe4\xff/:()'), { maxLength: 30 })
  .map((letters) => letters.join('').trim());
const otherName = token.filter(
  (name) =>
    !['host', 'connection', 'te', 'expect', 'content-length', 'transfer-encoding'].includes(
      name.toLowerCase(),
    ),
);
const field = fc.tuple(otherName, value);
const targetLetters = [...'abcZ019-._~%!$&\'()*+,;=:@/?"<>{}|^`[]\\'];
const target = fc
  .string({ unit: fc.constantFrom(...targetLetters), maxLength: 40 })
  .map((rest) => `/${rest}`);

interface Fields {
  readonly fields: readonly (readonly [string, string])[];
}

interface GoodRequest extends Fields {
  readonly method: string;
  readonly target: string;
  readonly text: string;
}

const goodRequest: fc.Arbitrary<GoodRequest> = fc
  .record({
    method: token.filter((name) => name !== 'CONNECT'),
    target,
    fields: fc.array(field, { maxLength: 12 }),
  })
  .map(({ method, target: path, fields }) => ({
    method,
    target: path,
    fields,
    text: `${method} ${path} HTTP/1.1\r\nHost: a\r\n${fields.map(([name, text]) => `${name}: ${text}\r\n`).join('')}\r\n`,
  }));

describe('any good request head', () => {
  it('is read as it was written, and refused by no prefix of it', () => {
    fc.assert(
      fc.property(goodRequest, fc.nat(400), ({ method, target: path, fields, text }, cut) => {
        const bytes = Buffer.from(text, 'latin1');
        const head = new RequestHead();
        const before = Math.min(cut, bytes.length - 1);
        expect(words(head.read(bytes, 0, before))).toBe('incomplete');
        expect(words(head.read(bytes, 0, bytes.length))).toBe('complete');
        const slice = (from: number, to: number): string => bytes.toString('latin1', from, to);
        expect(slice(head.from, head.methodTo)).toBe(method);
        expect(slice(head.targetFrom, head.targetTo)).toBe(path);
        const read = Array.from({ length: head.fields.count }, (_, line) => [
          slice(head.fields.nameFrom(line), head.fields.nameTo(line)),
          slice(head.fields.valueFrom(line), head.fields.valueTo(line)),
        ]);
        expect(read).toEqual([['Host', 'a'], ...fields]);
        expect(head.end).toBe(bytes.length);
      }),
      { numRuns: 1_000, seed: 11 },
    );
  });
});

describe('any bytes', () => {
  it('get the same verdict however they arrive, and a refusal is never taken back', () => {
    fc.assert(
      fc.property(
        goodRequest,
        fc.array(fc.tuple(fc.nat(200), fc.nat(255)), { minLength: 1, maxLength: 3 }),
        ({ text }, mutations) => {
          const bytes = Buffer.from(text, 'latin1');
          for (const [at, byte] of mutations) if (at < bytes.length) bytes[at] = byte;
          const whole = new RequestHead().read(bytes, 0, bytes.length);
          let verdict: number = INCOMPLETE;
          const head = new RequestHead();
          for (let to = 1; to <= bytes.length && verdict === INCOMPLETE; to++)
            verdict = head.read(bytes, 0, to);
          expect(words(verdict)).toBe(words(whole));
        },
      ),
      { numRuns: 1_500, seed: 12 },
    );
  });

  it('are never taken for a head that holds a control byte or a bare line end', () => {
    fc.assert(
      fc.property(
        goodRequest,
        fc.nat(300),
        fc.constantFrom(0, 1, 10, 11, 13, 127),
        (good, at, byte) => {
          const bytes = Buffer.from(good.text, 'latin1');
          const place = at % bytes.length;
          if (bytes[place] === byte) return;
          bytes[place] = byte;
          const head = new RequestHead();
          if (head.read(bytes, 0, bytes.length) !== COMPLETE) return;
          const lines = bytes.toString('latin1', 0, head.end);
          expect(lines.replaceAll('\r\n', '')).not.toMatch(/[\0-\x08\x0a-\x1f\x7f]/);
        },
      ),
      { numRuns: 1_500, seed: 13 },
    );
  });

  it('of a response get the same verdict however they arrive', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 100, max: 999 }),
        value,
        fc.array(field, { maxLength: 8 }),
        fc.tuple(fc.nat(150), fc.nat(255)),
        (status, reason, fields, [at, byte]) => {
          const text = `HTTP/1.1 ${status} ${reason}\r\n${fields.map(([name, content]) => `${name}: ${content}\r\n`).join('')}\r\n`;
          const bytes = Buffer.from(text, 'latin1');
          expect(words(new ResponseHead().read(bytes, 0, bytes.length))).toBe('complete');
          if (at < bytes.length) bytes[at] = byte;
          const whole = new ResponseHead().read(bytes, 0, bytes.length);
          const head = new ResponseHead();
          let verdict: number = INCOMPLETE;
          for (let to = 1; to <= bytes.length && verdict === INCOMPLETE; to++)
            verdict = head.read(bytes, 0, to);
          expect(words(verdict)).toBe(words(whole));
        },
      ),
      { numRuns: 1_500, seed: 14 },
    );
  });
});
