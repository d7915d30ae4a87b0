import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MurmurHash2 } from './murmur2-64a.ts';
import type { StringHasher } from './string-hasher.ts';
import { anyUtf16 } from './test-support/cases.ts';
import { referenceMurmurHash2, referenceXxHash64 } from './test-support/reference-hashes.ts';
import { toBigInt } from './uint64.ts';
import { XxHash64 } from './xxhash64.ts';

interface Implementation {
  readonly name: string;
  create(seed: bigint): StringHasher;
  reference(bytes: Uint8Array, seed: bigint): bigint;
}

const implementations: readonly Implementation[] = [
  {
    name: 'XXH64 in WebAssembly',
    create: (seed) => new XxHash64(seed),
    reference: referenceXxHash64,
  },
  {
    name: 'XXH64 on halves',
    create: (seed) => new XxHash64(seed, { wasm: false }),
    reference: referenceXxHash64,
  },
  {
    name: 'MurmurHash2-64A',
    create: (seed) => new MurmurHash2(seed),
    reference: referenceMurmurHash2,
  },
];

const anySeed = fc.oneof(
  fc.constantFrom(0n, 1n, 0xc70f_6907n),
  fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
);

describe.each(implementations)('$name equals its definition in BigInt', ({ create, reference }) => {
  it('for random bytes of every length from 0 to 200', () => {
    for (let length = 0; length <= 200; length++) {
      const bytes = fc.sample(fc.uint8Array({ minLength: length, maxLength: length }), {
        seed: length,
        numRuns: 3,
      });
      for (const [index, input] of bytes.entries()) {
        const seed = index === 0 ? 0n : 0x9e37_79b9_7f4a_7c15n;
        const hasher = create(seed);
        hasher.hashBytes(input);
        expect(toBigInt(hasher)).toBe(reference(input, seed));
      }
    }
  });

  it('for any string and seed, lone surrogates included', () => {
    const equal = fc.property(anyUtf16, anySeed, (text, seed) => {
      const hasher = create(seed);
      hasher.hashString(text);
      expect(toBigInt(hasher)).toBe(reference(Buffer.from(text, 'utf8'), seed));
    });
    fc.assert(equal, {
      seed: 1,
      numRuns: 1_000,
      examples: [
        ['\ud800', 0n],
        ['k\udfff', 1n],
      ],
    });
  });

  it('whatever was hashed before', () => {
    const independent = fc.property(fc.array(anyUtf16, { minLength: 2, maxLength: 5 }), (texts) => {
      const shared = create(5n);
      for (const text of texts) {
        shared.hashString(text);
        const fresh = create(5n);
        fresh.hashString(text);
        expect(toBigInt(shared)).toBe(toBigInt(fresh));
      }
    });
    fc.assert(independent, { seed: 2, numRuns: 200 });
  });
});
