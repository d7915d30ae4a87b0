import { describe, expect, it } from 'vitest';
import { type Codec, decodeValue, encodeValue } from './codec.ts';
import { array, bytes, nothing, struct, u16Array, u32Array } from './composite.ts';
import { be16, be32, be64, bool, s16, s32, s64, s8, u16, u32, u64, u8 } from './number.ts';

const hex = (data: Uint8Array): string => Buffer.from(data).toString('hex');

describe('numbers', () => {
  const cases: readonly [string, Codec<unknown>, unknown, string][] = [
    ['u8', u8, 0xab, 'ab'],
    ['s8', s8, -1, 'ff'],
    ['u16', u16, 0x1234, '3412'],
    ['s16', s16, -2, 'feff'],
    ['u32', u32, 0xdead_beef, 'efbeadde'],
    ['s32', s32, -1, 'ffffffff'],
    ['u64', u64, 0x0102_0304_0506_0708n, '0807060504030201'],
    ['s64', s64, -1n, 'ffffffffffffffff'],
    ['be16', be16, 80, '0050'],
    ['be32', be32, 0x7f00_0001, '7f000001'],
    ['be64', be64, 1n, '0000000000000001'],
    ['bool', bool, true, '01'],
  ];

  it.each(cases)('%s', (_name, codec, value, expected) => {
    const encoded = encodeValue(codec, value);
    expect(hex(encoded)).toBe(expected);
    expect(decodeValue(codec, encoded)).toBe(value);
  });

  it.each([
    [u8, 256, 'u8: expected an integer from 0 to 255, got 256'],
    [u8, -1, 'u8: expected an integer from 0 to 255, got -1'],
    [s16, 32_768, 's16: expected an integer from -32768 to 32767, got 32768'],
    [be16, 65_536, 'be16: expected an integer from 0 to 65535, got 65536'],
    [u32, 1.5, 'got 1.5'],
    [u32, Number.NaN, 'got NaN'],
  ])('nothing is cut off silently: %#', (codec, value, message) => {
    expect(() => encodeValue(codec, value)).toThrow(message);
  });

  it('64-bit numbers are bigint and stay in range', () => {
    expect(() => encodeValue(u64, -1n)).toThrow(
      'u64: expected a bigint from 0 to 18446744073709551615',
    );
    expect(() => encodeValue(s64, 1n << 63n)).toThrow('s64');
    expect(() => encodeValue(u64, 1 as never)).toThrow('u64');
  });
});

describe('composites', () => {
  interface Key {
    readonly ip4: number;
    readonly port: number;
    readonly tag: Uint8Array;
  }
  const key = struct<Key>('key', 12, { ip4: [0, be32], port: [4, be16], tag: [8, bytes(3)] });

  it('members lie where C puts them, padding is zero', () => {
    const value = { ip4: 0x0a00_0001, port: 443, tag: Uint8Array.of(1, 2, 3) };
    const encoded = encodeValue(key, value);
    expect(hex(encoded)).toBe('0a00000101bb000001020300');
    expect(decodeValue(key, encoded)).toEqual(value);
  });

  it('an error names the member', () => {
    expect(() => encodeValue(key, { ip4: -1, port: 1, tag: new Uint8Array(3) })).toThrow(
      'key.ip4: be32: expected',
    );
    expect(() => encodeValue(key, { ip4: 1, port: 1, tag: new Uint8Array(4) })).toThrow(
      'key.tag: u8[3]: expected 3 bytes, got 4',
    );
    expect(() => encodeValue(key, undefined as never)).toThrow('struct key: expected an object');
    const outer = struct<{ k: Key }>('outer', 12, { k: [0, key] });
    expect(() => encodeValue(outer, { k: { ip4: 1, port: -1, tag: new Uint8Array(3) } })).toThrow(
      'outer.k: key.port:',
    );
  });

  it('a member beyond the end is a mistake of the generator', () => {
    expect(() => struct<{ a: bigint }>('short', 4, { a: [0, u64] })).toThrow(
      'has a member up to 8',
    );
  });

  it('arrays have exactly their length', () => {
    const codec = array(s16, 3);
    expect(hex(encodeValue(codec, [1, -1, 2]))).toBe('0100ffff0200');
    expect(decodeValue(codec, Uint8Array.of(1, 0, 255, 255, 2, 0))).toEqual([1, -1, 2]);
    expect(() => encodeValue(codec, [1])).toThrow('s16[3]: expected 3 elements, got 1');
  });

  it('tables of numbers are typed arrays with memory of their own', () => {
    const codec = u32Array(3);
    const encoded = encodeValue(codec, Uint32Array.of(1, 2, 3));
    expect(hex(encoded)).toBe('010000000200000003000000');
    const decoded = decodeValue(codec, encoded);
    encoded.fill(0);
    expect(decoded).toEqual(Uint32Array.of(1, 2, 3));
    expect(decodeValue(u16Array(2), Uint8Array.of(9, 1, 0, 2, 0).subarray(1))).toEqual(
      Uint16Array.of(1, 2),
    );
    expect(() => encodeValue(codec, new Uint32Array(2))).toThrow('expected 3 elements, got 2');
  });

  it('too few bytes are refused', () => {
    expect(() => decodeValue(key, new Uint8Array(11))).toThrow('struct key takes 12 bytes, got 11');
    expect(encodeValue(nothing, undefined)).toHaveLength(0);
    expect(decodeValue(nothing, new Uint8Array(0))).toBeUndefined();
  });
});
