import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { anyUtf16 } from './test-support/cases.ts';
import { WordBuffer, packBytes, packUtf8, wordsFor } from './utf8.ts';

/** The packed bytes, and those that pad the last word. */
function unpack(words: Int32Array, length: number): { bytes: Buffer; padding: Buffer } {
  const all = Buffer.alloc((Math.floor(length / 4) + 1) * 4);
  for (let word = 0; word * 4 < all.length; word++) all.writeInt32LE(words[word]!, word * 4);
  return { bytes: all.subarray(0, length), padding: all.subarray(length) };
}

/** A buffer full of rubbish, as after an earlier key. */
function usedWords(units: number): Int32Array {
  return new Int32Array(wordsFor(units)).fill(-1);
}

describe('packUtf8', () => {
  it('gives the bytes of Buffer.from, lone surrogates replaced alike', () => {
    const sameBytes = fc.property(anyUtf16, (text) => {
      const words = usedWords(text.length);
      const { bytes, padding } = unpack(words, packUtf8(text, words));
      expect(bytes).toEqual(Buffer.from(text, 'utf8'));
      expect(padding.every((byte) => byte === 0)).toBe(true);
    });
    fc.assert(sameBytes, {
      seed: 1,
      numRuns: 2_000,
      examples: [
        [''],
        ['é'],
        ['a\ud800'],
        ['\udc00\ud800'],
        ['\ud83d\ude00'],
        ['ab\ud83d\ude00c'],
        ['\uffff'],
      ],
    });
  });

  it('takes ASCII of every length', () => {
    for (let length = 0; length <= 70; length++) {
      const text = 'abcdefghijklmnopqrstuvwxyz~!0123456789'.repeat(2).slice(0, length);
      const words = usedWords(length);
      expect(unpack(words, packUtf8(text, words)).bytes.toString('latin1')).toBe(text);
    }
  });

  it('never needs more words than wordsFor says', () => {
    const text = '\uffff'.repeat(1_000); // three bytes a unit, the worst case
    const words = usedWords(text.length);
    expect(packUtf8(text, words)).toBe(3_000);
    expect(words.length).toBe(751);
  });
});

describe('packBytes', () => {
  it('gives the bytes back', () => {
    const sameBytes = fc.property(fc.uint8Array({ maxLength: 70 }), (input) => {
      const words = usedWords(input.length);
      const { bytes, padding } = unpack(words, packBytes(input, words, input.length));
      expect(bytes).toEqual(Buffer.from(input));
      expect(padding.every((byte) => byte === 0)).toBe(true);
    });
    fc.assert(sameBytes, { seed: 2, numRuns: 500 });
  });

  it('packs a prefix', () => {
    const words = usedWords(5);
    expect(packBytes(Uint8Array.of(1, 2, 3, 4, 5), words, 3)).toBe(3);
    expect(words[0]).toBe(0x030201);
  });
});

describe('WordBuffer', () => {
  it('is reused until a key does not fit, and does not keep a giant', () => {
    const buffer = new WordBuffer();
    const small = buffer.reserve(10);
    expect(buffer.reserve(60)).toBe(small);
    const large = buffer.reserve(10_000);
    expect(large.length).toBeGreaterThanOrEqual(wordsFor(10_000));
    expect(buffer.reserve(10)).toBe(large);
    const giant = buffer.reserve(1_000_000);
    expect(giant.length).toBeGreaterThanOrEqual(wordsFor(1_000_000));
    expect(buffer.reserve(10).length).toBe(small.length);
  });
});
