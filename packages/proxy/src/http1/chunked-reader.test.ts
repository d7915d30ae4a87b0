import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ChunkedReader } from './chunked-reader.ts';
import { readBody } from './test-support/read-body.ts';

describe('a chunked body', () => {
  it.each([
    ['0\r\n\r\n', ''],
    ['3\r\nabc\r\n0\r\n\r\n', 'abc'],
    ['3;x=y\r\nabc\r\n00A\r\n0123456789\r\n0;"q"\r\n\r\n', 'abc0123456789'],
    ['1\r\n\r\r\n0\r\n\r\n', '\r'],
  ])('%j holds %j', (wire, body) => {
    expect(readBody(wire)).toEqual({ body, rest: '', verdict: 'end', trailers: [] });
  });

  it('ends where it ends', () => {
    expect(readBody('0\r\n\r\nGET /').rest).toBe('GET /');
    expect(readBody('0\r\na: b\r\n\r\nGET /').rest).toBe('GET /');
  });

  it('has trailers', () => {
    expect(readBody('1\r\nx\r\n0\r\na: b\r\nc:d\r\n\r\n')).toEqual({
      body: 'x',
      rest: '',
      verdict: 'end',
      trailers: ['a=b', 'c=d'],
    });
  });

  it.each([
    ['', 'more'],
    ['3', 'more'],
    ['3\r\nab', 'more'],
    ['0\r\n', 'more'],
    ['0\r\na: b\r\n', 'more'],
  ])('%j wants more', (wire, verdict) => {
    expect(readBody(wire).verdict).toBe(verdict);
  });

  it.each([
    '\r\n',
    'g\r\n',
    '-1\r\n',
    '+1\r\n',
    '0x1\r\n',
    ' 1\r\n',
    '1 \r\n',
    '1\n',
    '1\rx',
    '1;a\nb\r\n',
    '1;a\0b\r\n',
    `1;${'x'.repeat(300)}`,
    '11111111111111\r\n',
    '1\r\nxy',
    '1\r\nx\n',
    '1\r\nx\ry',
    '0\r\n\n',
    '0\r\n\rx',
    '0\r\na b: c\r\n\r\n',
    '0\r\n a: c\r\n\r\n',
    `0\r\na: ${'x'.repeat(8_192)}`,
    `0\r\n${'a: b\r\n'.repeat(33)}\r\n`,
  ])('%j is refused', (wire) => {
    expect(readBody(wire).verdict).toMatch(/^4(00|31): /);
  });

  it('reads the same however its bytes arrive', () => {
    const wire = '3;x\r\nabc\r\n10\r\n0123456789abcdef\r\n0\r\na: b\r\nc: d\r\n\r\nrest';
    const whole = readBody(wire);
    for (let at = 0; at <= wire.length; at++)
      expect(readBody(wire, [at])).toEqual({ ...whole, rest: expect.anything() as unknown });
    expect(
      readBody(
        wire,
        [...wire].map((_, at) => at),
      ).body,
    ).toBe(whole.body);
  });

  it('can be used again', () => {
    const reader = new ChunkedReader();
    expect(readBody('1\r\nx\r\n0\r\na: b\r\n\r\n', [], reader).body).toBe('x');
    reader.reset();
    expect(readBody('1\r\ny\r\n0\r\n\r\n', [], reader)).toEqual({
      body: 'y',
      rest: '',
      verdict: 'end',
      trailers: [],
    });
  });

  it('survives whatever arrives', () => {
    const alphabet = [...'0123fF;\r\n:ab \0'];
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom(...alphabet), { maxLength: 60 }),
        fc.array(fc.nat(60), { maxLength: 4 }),
        (letters, cuts) => {
          const wire = letters.join('');
          const whole = readBody(wire);
          const pieces = readBody(wire, cuts);
          expect(pieces.body).toBe(whole.body);
          expect(pieces.verdict).toBe(whole.verdict);
        },
      ),
      { numRuns: 2_000, seed: 7 },
    );
  });
});
