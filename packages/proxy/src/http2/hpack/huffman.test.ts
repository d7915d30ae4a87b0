import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { codedLength, decodeHuffman, encodeHuffman, maxDecodedLength } from './huffman.ts';
import { CODE_BITS, EOS } from './huffman-code.ts';

function decode(coded: Uint8Array): Buffer | undefined {
  const bytes = Buffer.alloc(maxDecodedLength(coded.length) + 3);
  const end = decodeHuffman(coded, 0, coded.length, { bytes, tail: 3 });
  return end === -1 ? undefined : bytes.subarray(3, end);
}

function encode(text: Uint8Array): Buffer {
  const bytes = Buffer.alloc(codedLength(text, 0, text.length) + 2);
  const end = encodeHuffman(text, 0, text.length, { bytes, tail: 2 });
  expect(end).toBe(bytes.length);
  return bytes.subarray(2, end);
}

describe('the code', () => {
  it('uses up all bit patterns', () => {
    expect(CODE_BITS.reduce((sum, bits) => sum + 2 ** -bits, 0)).toBe(1);
    expect(CODE_BITS[EOS]).toBe(30);
  });

  it.each([
    // RFC 7541 appendix C.4 and C.6.
    ['www.example.com', 'f1e3c2e5f23a6ba0ab90f4ff'],
    ['no-cache', 'a8eb10649cbf'],
    ['custom-value', '25a849e95bb8e8b4bf'],
    ['302', '6402'],
    ['Mon, 21 Oct 2013 20:13:21 GMT', 'd07abe941054d444a8200595040b8166e082a62d1bff'],
    [
      'foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1',
      '94e7821dd7f2e6c7b335dfdfcd5b3960d5af27087f3672c1ab270fb5291f9587316065c003ed4ee5b1063d5007',
    ],
  ])('has "%s" as the RFC has it', (text, hex) => {
    expect(encode(Buffer.from(text)).toString('hex')).toBe(hex);
    expect(decode(Buffer.from(hex, 'hex'))?.toString()).toBe(text);
  });

  it('gives back any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        expect(decode(encode(bytes))).toEqual(Buffer.from(bytes));
      }),
      { seed: 1, numRuns: 500 },
    );
  });

  it('takes no padding but up to 7 ones, and no EOS', () => {
    expect(decode(Buffer.from('6402', 'hex'))?.toString()).toBe('302');
    // A whole byte of ones, zeros at the end, EOS, and EOS after text.
    for (const hex of ['6402ff', 'ff', '3c', '1c', 'fffffffc', 'ffffffff', '1fffffffff'])
      expect(decode(Buffer.from(hex, 'hex')), hex).toBeUndefined();
    expect(decode(Buffer.from('1f', 'hex'))?.toString()).toBe('a');
    expect(decode(Buffer.alloc(0))?.length).toBe(0);
  });

  it('never reads or writes out of bounds, whatever comes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (coded) => {
        const text = decode(coded);
        // What is taken is the only way to say it.
        if (text !== undefined) expect(encode(text)).toEqual(Buffer.from(coded));
      }),
      { seed: 2, numRuns: 2_000 },
    );
  });
});
