import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Codec, decodeValue, encodeValue } from './codec.ts';
import { array, bytes, struct } from './composite.ts';
import { be16, be32, be64, s16, s32, s64, s8, u16, u32, u64, u8 } from './number.ts';

const SEED = { seed: 20_260_101, numRuns: 300 };

/** A codec with values of its type. */
interface Sample {
  readonly codec: Codec<unknown>;
  readonly values: fc.Arbitrary<unknown>;
}

const integers: readonly Sample[] = (
  [
    [u8, 0, 8],
    [s8, 1, 8],
    [u16, 0, 16],
    [s16, 1, 16],
    [u32, 0, 32],
    [s32, 1, 32],
    [be16, 0, 16],
    [be32, 0, 32],
  ] as const
).map(([codec, signed, bits]) => {
  const min = signed === 1 ? -(2 ** (bits - 1)) : 0;
  return { codec: codec as Codec<unknown>, values: fc.integer({ min, max: min + 2 ** bits - 1 }) };
});
const wide: readonly Sample[] = [
  { codec: u64 as Codec<unknown>, values: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }) },
  { codec: be64 as Codec<unknown>, values: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }) },
  { codec: s64 as Codec<unknown>, values: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }) },
];
const leaf: fc.Arbitrary<Sample> = fc.constantFrom(...integers, ...wide);

/** A struct of random members at random offsets, with gaps. */
const composite: fc.Arbitrary<Sample> = fc
  .array(fc.tuple(leaf, fc.integer({ min: 0, max: 7 }), fc.integer({ min: 0, max: 3 })), {
    minLength: 1,
    maxLength: 6,
  })
  .map((members) => {
    let offset = 0;
    const fields: Record<string, readonly [number, Codec<unknown>]> = {};
    const values: Record<string, fc.Arbitrary<unknown>> = {};
    members.forEach(([sample, gap, repeat], index) => {
      offset += gap;
      const isArray = repeat > 0;
      const codec = isArray ? (array(sample.codec, repeat) as Codec<unknown>) : sample.codec;
      fields[`m${index}`] = [offset, codec];
      values[`m${index}`] = isArray
        ? fc.array(sample.values, { minLength: repeat, maxLength: repeat })
        : sample.values;
      offset += codec.bytes;
    });
    return { codec: struct('random', offset, fields) as Codec<unknown>, values: fc.record(values) };
  });

describe('codecs', () => {
  it('give back every value', () => {
    const pair = fc
      .oneof(leaf, composite)
      .chain(({ codec, values }) => values.map((value) => ({ codec, value })));
    fc.assert(
      fc.property(pair, ({ codec, value }) => {
        const encoded = encodeValue(codec, value);
        expect(encoded).toHaveLength(codec.bytes);
        expect(decodeValue(codec, encoded)).toEqual(value);
      }),
      SEED,
    );
  });

  it('write the same bytes wherever they write', () => {
    const pair = composite.chain(({ codec, values }) => values.map((value) => ({ codec, value })));
    fc.assert(
      fc.property(pair, fc.integer({ min: 0, max: 32 }), ({ codec, value }, offset) => {
        const buffer = new Uint8Array(offset + codec.bytes + 8);
        codec.encode(value, new DataView(buffer.buffer), offset);
        expect(buffer.subarray(offset, offset + codec.bytes)).toEqual(encodeValue(codec, value));
        expect(buffer.subarray(offset + codec.bytes)).toEqual(new Uint8Array(8));
      }),
      SEED,
    );
  });

  it('decode any bytes, and encode them again as they were where no byte is padding', () => {
    const codec = struct<{ a: number; b: bigint; c: Uint8Array }>('full', 16, {
      a: [0, u32],
      b: [4, be64],
      c: [12, bytes(4)],
    });
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 16, maxLength: 16 }), (raw) => {
        expect(encodeValue(codec, decodeValue(codec, raw))).toEqual(new Uint8Array(raw));
      }),
      SEED,
    );
  });
});
