/** Integers and floats. 64-bit integers are bigint, all others are number; nothing is cut off silently. */
import { argumentError } from '../error/bpf-error.ts';
import type { Codec } from './codec.ts';

interface NumberFormat {
  readonly type: string;
  readonly bytes: 1 | 2 | 4;
  readonly signed: boolean;
  readonly littleEndian: boolean;
}

function integer({ type, bytes, signed, littleEndian }: NumberFormat): Codec<number> {
  const values = 2 ** (8 * bytes);
  const least = signed ? -values / 2 : 0;
  const most = least + values - 1;
  const check = (value: number): void => {
    if (Number.isInteger(value) && value >= least && value <= most) return;
    throw argumentError(`${type}: expected an integer from ${least} to ${most}, got ${value}`);
  };
  const methods = {
    1: {
      encode: (value: number, view: DataView, offset: number) => {
        check(value);
        view.setInt8(offset, value);
      },
      decode: (view: DataView, offset: number) =>
        signed ? view.getInt8(offset) : view.getUint8(offset),
    },
    2: {
      encode: (value: number, view: DataView, offset: number) => {
        check(value);
        view.setInt16(offset, value, littleEndian);
      },
      decode: (view: DataView, offset: number) =>
        signed ? view.getInt16(offset, littleEndian) : view.getUint16(offset, littleEndian),
    },
    4: {
      encode: (value: number, view: DataView, offset: number) => {
        check(value);
        view.setInt32(offset, value, littleEndian);
      },
      decode: (view: DataView, offset: number) =>
        signed ? view.getInt32(offset, littleEndian) : view.getUint32(offset, littleEndian),
    },
  };
  return { type, bytes, ...methods[bytes] };
}

function wide(type: string, signed: boolean, littleEndian: boolean): Codec<bigint> {
  const least = signed ? -(1n << 63n) : 0n;
  const most = least + (1n << 64n) - 1n;
  return {
    type,
    bytes: 8,
    encode: (value, view, offset) => {
      if (typeof value !== 'bigint' || value < least || value > most) {
        throw argumentError(`${type}: expected a bigint from ${least} to ${most}, got ${value}`);
      }
      view.setBigInt64(offset, BigInt.asIntN(64, value), littleEndian);
    },
    decode: (view, offset) =>
      signed ? view.getBigInt64(offset, littleEndian) : view.getBigUint64(offset, littleEndian),
  };
}

export const u8: Codec<number> = integer({
  type: 'u8',
  bytes: 1,
  signed: false,
  littleEndian: true,
});
export const s8: Codec<number> = integer({
  type: 's8',
  bytes: 1,
  signed: true,
  littleEndian: true,
});
export const u16: Codec<number> = integer({
  type: 'u16',
  bytes: 2,
  signed: false,
  littleEndian: true,
});
export const s16: Codec<number> = integer({
  type: 's16',
  bytes: 2,
  signed: true,
  littleEndian: true,
});
export const u32: Codec<number> = integer({
  type: 'u32',
  bytes: 4,
  signed: false,
  littleEndian: true,
});
export const s32: Codec<number> = integer({
  type: 's32',
  bytes: 4,
  signed: true,
  littleEndian: true,
});
export const u64: Codec<bigint> = wide('u64', false, true);
export const s64: Codec<bigint> = wide('s64', true, true);

/** `__be16`, `__be32`, `__be64`: network byte order in the kernel, an ordinary number here. */
export const be16: Codec<number> = integer({
  type: 'be16',
  bytes: 2,
  signed: false,
  littleEndian: false,
});
export const be32: Codec<number> = integer({
  type: 'be32',
  bytes: 4,
  signed: false,
  littleEndian: false,
});
export const be64: Codec<bigint> = wide('be64', false, false);

export const bool: Codec<boolean> = {
  type: 'bool',
  bytes: 1,
  encode: (value, view, offset) => view.setUint8(offset, value ? 1 : 0),
  decode: (view, offset) => view.getUint8(offset) !== 0,
};
