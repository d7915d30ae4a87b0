/**
 * BTF, the compact type information that compilers leave in BPF objects (Linux, Documentation/bpf/btf.rst).
 *
 * Parsing trusts nothing: every offset, count and reference is checked, so that any sequence of bytes gives either
 * types or a {@link BpfError} with code `EVENKEEL_BPF_FORMAT`.
 */
import { type BpfError, formatError } from '../error/bpf-error.ts';

export interface BtfMember {
  readonly name: string;
  readonly type: number;
  readonly bitOffset: number;
  /** Width of a bit field; 0 for an ordinary member. */
  readonly bitSize: number;
}

export interface BtfVariable {
  readonly type: number;
  readonly offset: number;
  readonly bytes: number;
}

export interface BtfEnumerator {
  readonly name: string;
  readonly value: bigint;
}

/** A type. References to others are ids; id 0 is `void`. */
export type BtfType =
  | { readonly kind: 'void' }
  | {
      readonly kind: 'int';
      readonly name: string;
      readonly bytes: number;
      readonly signed: boolean;
      readonly isBool: boolean;
      /** Differs from `8 * bytes` in bit fields of old compilers only. */
      readonly bits: number;
    }
  | { readonly kind: 'float'; readonly name: string; readonly bytes: number }
  | { readonly kind: 'array'; readonly element: number; readonly length: number }
  | {
      readonly kind: 'struct' | 'union';
      readonly name: string;
      readonly bytes: number;
      readonly members: readonly BtfMember[];
    }
  | {
      readonly kind: 'enum';
      readonly name: string;
      readonly bytes: number;
      readonly signed: boolean;
      readonly values: readonly BtfEnumerator[];
    }
  | { readonly kind: 'datasec'; readonly name: string; readonly variables: readonly BtfVariable[] }
  | { readonly kind: BtfWrapper; readonly name: string; readonly type: number }
  | {
      readonly kind: 'variable';
      readonly name: string;
      readonly type: number;
      /** `static` variables are not. */
      readonly isGlobal: boolean;
    }
  | { readonly kind: 'forward' | 'function-type'; readonly name: string };

/** Kinds that stand for another type, or point to one. */
export type BtfWrapper =
  'pointer' | 'typedef' | 'volatile' | 'const' | 'restrict' | 'function' | 'tag';

const MAGIC = 0xeb9f;
const HEADER_BYTES = 24;
/** The kernel's own limit (`BTF_MAX_TYPE`). */
const MAX_TYPES = 0x000f_ffff;

/** Decodes a `.BTF` section. Types are by id. */
export function parseBtf(bytes: Uint8Array): readonly BtfType[] {
  return new Parser(bytes).parse();
}

class Parser {
  readonly #view: DataView;
  readonly #bytes: Uint8Array;
  #position = 0;
  #end = 0;
  #strings: Uint8Array = new Uint8Array(0);

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  }

  parse(): readonly BtfType[] {
    this.#readHeader();
    const types: BtfType[] = [{ kind: 'void' }];
    while (this.#position < this.#end) {
      if (types.length > MAX_TYPES) throw malformed(`more than ${MAX_TYPES} types`);
      types.push(this.#readType(types.length));
    }
    return types;
  }

  #readHeader(): void {
    if (this.#bytes.length < HEADER_BYTES) throw malformed('shorter than its header');
    const view = this.#view;
    if (view.getUint16(0, true) !== MAGIC) throw malformed('no BTF magic number (or big-endian)');
    if (view.getUint8(2) !== 1) throw malformed(`version ${view.getUint8(2)} instead of 1`);
    const header = view.getUint32(4, true);
    const types = { start: view.getUint32(8, true), bytes: view.getUint32(12, true) };
    const strings = { start: view.getUint32(16, true), bytes: view.getUint32(20, true) };
    for (const { start, bytes } of [types, strings]) {
      // Sums of 32-bit numbers stay exact in a double.
      if (header < HEADER_BYTES || header + start + bytes > this.#bytes.length) {
        throw malformed('a part lies outside of the section');
      }
    }
    this.#position = header + types.start;
    this.#end = this.#position + types.bytes;
    const stringsAt = header + strings.start;
    this.#strings = this.#bytes.subarray(stringsAt, stringsAt + strings.bytes);
  }

  #readType(id: number): BtfType {
    const name = this.#string(this.#u32());
    const info = this.#u32();
    const sizeOrType = this.#u32();
    const count = info & 0xffff;
    const kind = (info >>> 24) & 0x1f;
    const flag = info >>> 31 === 1;
    switch (kind) {
      case 1:
        return this.#readInt(name, sizeOrType);
      case 3:
        return this.#readArray();
      case 4:
      case 5: {
        const members = this.#list(count, () => this.#readMember(flag));
        return { kind: kind === 4 ? 'struct' : 'union', name, bytes: sizeOrType, members };
      }
      case 6: {
        const values = this.#list(count, () => this.#readEnumerator(flag));
        return { kind: 'enum', name, bytes: sizeOrType, signed: flag, values };
      }
      case 19: {
        const values = this.#list(count, () => this.#readEnumerator64(flag));
        return { kind: 'enum', name, bytes: sizeOrType, signed: flag, values };
      }
      case 7:
        return { kind: 'forward', name };
      case 13:
        // Parameters: a name and a type each.
        this.#list(count, () => [this.#u32(), this.#u32()]);
        return { kind: 'function-type', name };
      case 14:
        return { kind: 'variable', name, type: sizeOrType, isGlobal: this.#u32() === 1 };
      case 15: {
        const variables = this.#list(count, () => ({
          type: this.#u32(),
          offset: this.#u32(),
          bytes: this.#u32(),
        }));
        return { kind: 'datasec', name, variables };
      }
      case 16:
        return { kind: 'float', name, bytes: sizeOrType };
      case 17:
        this.#u32();
        return { kind: 'tag', name, type: sizeOrType };
      default: {
        const wrapper = WRAPPERS[kind];
        if (wrapper === undefined) throw malformed(`type ${id} is of unknown kind ${kind}`);
        return { kind: wrapper, name, type: sizeOrType };
      }
    }
  }

  #readInt(name: string, bytes: number): BtfType {
    const encoding = this.#u32();
    if (![1, 2, 4, 8, 16].includes(bytes)) throw malformed(`integer ${name} of ${bytes} bytes`);
    const flags = (encoding >>> 24) & 0xf;
    return {
      kind: 'int',
      name,
      bytes,
      signed: (flags & 1) !== 0,
      isBool: (flags & 4) !== 0,
      bits: encoding & 0xff,
    };
  }

  #readArray(): BtfType {
    const element = this.#u32();
    this.#u32();
    return { kind: 'array', element, length: this.#u32() };
  }

  #readMember(hasBitFields: boolean): BtfMember {
    const name = this.#string(this.#u32());
    const type = this.#u32();
    const offset = this.#u32();
    if (!hasBitFields) return { name, type, bitOffset: offset, bitSize: 0 };
    return { name, type, bitOffset: offset & 0xff_ffff, bitSize: offset >>> 24 };
  }

  #readEnumerator(signed: boolean): BtfEnumerator {
    const name = this.#string(this.#u32());
    const value = this.#u32();
    return { name, value: signed ? BigInt(value | 0) : BigInt(value) };
  }

  #readEnumerator64(signed: boolean): BtfEnumerator {
    const name = this.#string(this.#u32());
    const value = BigInt(this.#u32()) | (BigInt(this.#u32()) << 32n);
    return { name, value: signed ? BigInt.asIntN(64, value) : value };
  }

  #list<T>(count: number, read: () => T): T[] {
    const items: T[] = [];
    for (let index = 0; index < count; index += 1) items.push(read());
    return items;
  }

  #u32(): number {
    if (this.#position + 4 > this.#end) throw malformed('it ends within a type');
    const value = this.#view.getUint32(this.#position, true);
    this.#position += 4;
    return value;
  }

  #string(offset: number): string {
    if (offset >= this.#strings.length) {
      if (offset === 0) return '';
      throw malformed(`a name at ${offset}, beyond the strings`);
    }
    const end = this.#strings.indexOf(0, offset);
    if (end < 0) throw malformed('a name without an end');
    return new TextDecoder().decode(this.#strings.subarray(offset, end));
  }
}

const WRAPPERS: Readonly<Record<number, BtfWrapper>> = {
  2: 'pointer',
  8: 'typedef',
  9: 'volatile',
  10: 'const',
  11: 'restrict',
  12: 'function',
  18: 'tag',
};

function malformed(what: string): BpfError {
  return formatError(`malformed BTF: ${what}`);
}
