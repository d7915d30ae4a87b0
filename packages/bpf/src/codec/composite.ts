/** Structs, arrays and raw bytes. */
import { argumentError } from '../error/bpf-error.ts';
import type { Codec } from './codec.ts';

/** A member of a struct: its codec and where it lies. */
export type Field<T> = readonly [offset: number, codec: Codec<T>];

export type Fields<T> = { readonly [K in keyof T]-?: Field<T[K]> };

/** The codec of a struct, which also tells where each member lies. */
export interface StructCodec<T extends object> extends Codec<T> {
  readonly fields: Fields<T>;
}

/** A C struct of `bytes` bytes. Members keep the order of C; padding is zero. */
export function struct<T extends object>(
  type: string,
  bytes: number,
  fields: Fields<T>,
): StructCodec<T> {
  const members = Object.entries(fields) as [keyof T & string, Field<unknown>][];
  const last = Math.max(0, ...members.map(([, [offset, codec]]) => offset + codec.bytes));
  if (last > bytes)
    throw argumentError(`struct ${type} of ${bytes} bytes has a member up to ${last}`);
  return {
    type: `struct ${type}`,
    bytes,
    fields,
    encode: (value, view, offset) => {
      if (typeof value !== 'object' || value === null) {
        throw argumentError(`struct ${type}: expected an object, got ${String(value)}`);
      }
      for (const [name, [at, codec]] of members) {
        try {
          codec.encode((value as Record<string, unknown>)[name], view, offset + at);
        } catch (error) {
          throw argumentError(`${type}.${name}: ${(error as Error).message}`);
        }
      }
    },
    decode: (view, offset) => {
      const value: Record<string, unknown> = {};
      for (const [name, [at, codec]] of members) value[name] = codec.decode(view, offset + at);
      return value as T;
    },
  };
}

/** A C array of exactly `length` elements. */
export function array<T>(element: Codec<T>, length: number): Codec<readonly T[]> {
  const type = `${element.type}[${length}]`;
  return {
    type,
    bytes: element.bytes * length,
    encode: (value, view, offset) => {
      if (value.length !== length) {
        throw argumentError(`${type}: expected ${length} elements, got ${value.length}`);
      }
      value.forEach((item, index) => element.encode(item, view, offset + index * element.bytes));
    },
    decode: (view, offset) =>
      Array.from({ length }, (_, index) => element.decode(view, offset + index * element.bytes)),
  };
}

/** Exactly `length` bytes as they are: `__u8[16]`, `char[8]`, a union. Decoding copies. */
export function bytes(length: number, type = `u8[${length}]`): Codec<Uint8Array> {
  return {
    type,
    bytes: length,
    encode: (value, view, offset) => {
      if (value.length !== length) {
        throw argumentError(`${type}: expected ${length} bytes, got ${value.length}`);
      }
      new Uint8Array(view.buffer, view.byteOffset + offset, length).set(value);
    },
    decode: (view, offset) => new Uint8Array(view.buffer, view.byteOffset + offset, length).slice(),
  };
}

type WideArray = Uint16Array | Uint32Array;

/**
 * A large C array of 16- or 32-bit numbers as a typed array, copied in one step: a table of 65 537 entries takes tens
 * of microseconds instead of milliseconds. Little-endian machines only, which x64 and arm64 Linux are.
 */
function table<T extends WideArray>(
  type: string,
  length: number,
  create: (source?: ArrayBuffer) => T,
): Codec<T> {
  const size = create().BYTES_PER_ELEMENT * length;
  return {
    type: `${type}[${length}]`,
    bytes: size,
    encode: (value, view, offset) => {
      if (value.length !== length) {
        throw argumentError(`${type}[${length}]: expected ${length} elements, got ${value.length}`);
      }
      const source = new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
      new Uint8Array(view.buffer, view.byteOffset + offset, size).set(source);
    },
    decode: (view, offset) =>
      create(new Uint8Array(view.buffer, view.byteOffset + offset, size).slice().buffer),
  };
}

/** `__u32[n]` as a Uint32Array. */
export function u32Array(length: number): Codec<Uint32Array> {
  return table('u32', length, (source) => new Uint32Array(source ?? new ArrayBuffer(0)));
}

/** `__u16[n]` as a Uint16Array. */
export function u16Array(length: number): Codec<Uint16Array> {
  return table('u16', length, (source) => new Uint16Array(source ?? new ArrayBuffer(0)));
}

/** The key of a map that has none, such as a ring buffer. */
export const nothing: Codec<undefined> = {
  type: 'void',
  bytes: 0,
  encode: () => undefined,
  decode: () => undefined,
};
