import { describe, expect, it } from 'vitest';
import { referenceXxHash64 } from './test-support/reference-hashes.ts';
import { toBigInt } from './uint64.ts';
import { compileXxHash64 } from './xxhash64-wasm.ts';
import { XxHash64, xxhash64 } from './xxhash64.ts';

describe.each([{ wasm: true }, { wasm: false }])('XxHash64 with %o', (options) => {
  // Envoy's hash_test.cc; the one with seed 1 follows from the definition (see the property tests).
  it.each([
    ['', 0, 17_241_709_254_077_376_921n],
    ['foo', 0, 3_728_699_739_546_630_719n],
    ['bar', 0, 5_234_164_152_756_840_025n],
    ['', 1, 0xd5af_ba13_36a3_be4bn],
  ])('hashes %j with seed %d', (text, seed, expected) => {
    const hasher = new XxHash64(seed, options);
    hasher.hashString(text);
    expect(toBigInt(hasher)).toBe(expected);
  });

  it('hashes the bytes of a string as the string', () => {
    const hasher = new XxHash64(7, options);
    for (const text of ['', 'a', 'naïve', '日本語の鍵', 'x'.repeat(33)]) {
      hasher.hashString(text);
      const ofString = toBigInt(hasher);
      hasher.hashBytes(Buffer.from(text));
      expect(toBigInt(hasher)).toBe(ofString);
    }
  });

  it('hashes a prefix of bytes', () => {
    const hasher = new XxHash64(0, options);
    hasher.hashBytes(Buffer.from('foobar'), 3);
    expect(toBigInt(hasher)).toBe(3_728_699_739_546_630_719n);
  });

  it.each([21_838, 21_839, 21_840, 65_520, 100_003])(
    'hashes %d characters and a short key after it',
    (length) => {
      const hasher = new XxHash64(0, options);
      const text = 'k'.repeat(length);
      hasher.hashString(text);
      expect(toBigInt(hasher)).toBe(referenceXxHash64(Buffer.from(text), 0n));
      hasher.hashString('foo');
      expect(toBigInt(hasher)).toBe(3_728_699_739_546_630_719n);
    },
  );

  it('fills its buffer with three-byte characters', () => {
    const hasher = new XxHash64(0, options);
    const text = '\uffff'.repeat(21_839);
    hasher.hashString(text);
    expect(toBigInt(hasher)).toBe(referenceXxHash64(Buffer.from(text), 0n));
  });

  it('keeps the results of several hashers apart', () => {
    const first = new XxHash64(0, options);
    const second = new XxHash64(1, options);
    first.hashString('foo');
    second.hashString('another, longer key that fills the same buffer');
    expect(toBigInt(first)).toBe(3_728_699_739_546_630_719n);
  });
});

describe('xxhash64', () => {
  it('returns a BigInt for strings and bytes', () => {
    expect(xxhash64('foo')).toBe(3_728_699_739_546_630_719n);
    expect(xxhash64(Buffer.from('foo'))).toBe(3_728_699_739_546_630_719n);
    expect(xxhash64('', 1n)).toBe(0xd5af_ba13_36a3_be4bn);
  });
});

describe('compileXxHash64', () => {
  it('makes a valid module wherever tests run', () => {
    expect(compileXxHash64()?.words.length).toBe(16_380);
  });

  it('gives up quietly without WebAssembly or when it is forbidden', () => {
    const forbidden = {
      Module: class {
        constructor() {
          throw new Error('code generation is not allowed');
        }
      },
    };
    expect(compileXxHash64(null)).toBeUndefined();
    expect(compileXxHash64(forbidden)).toBeUndefined();
  });
});
