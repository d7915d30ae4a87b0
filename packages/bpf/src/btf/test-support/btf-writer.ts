/** Writes BTF, for tests of the parser: types as the parser gives them, back to bytes. */
import type { BtfType } from '../btf.ts';

const WRAPPER_KINDS: Readonly<Record<string, number>> = {
  pointer: 2,
  typedef: 8,
  volatile: 9,
  const: 10,
  restrict: 11,
  function: 12,
  tag: 18,
};

class Writer {
  readonly #words: number[] = [];
  #strings = '\0';

  u32(value: number): this {
    this.#words.push(value >>> 0);
    return this;
  }

  name(text: string): this {
    if (text === '') return this.u32(0);
    this.u32(Buffer.byteLength(this.#strings));
    this.#strings += `${text}\0`;
    return this;
  }

  finish(): Uint8Array<ArrayBuffer> {
    const types = Buffer.from(new Uint32Array(this.#words).buffer);
    const strings = Buffer.from(this.#strings);
    const header = Buffer.alloc(24);
    header.writeUInt16LE(0xeb9f, 0);
    header.writeUInt8(1, 2);
    header.writeUInt32LE(24, 4);
    header.writeUInt32LE(0, 8);
    header.writeUInt32LE(types.length, 12);
    header.writeUInt32LE(types.length, 16);
    header.writeUInt32LE(strings.length, 20);
    return new Uint8Array(Buffer.concat([header, types, strings]));
  }
}

/** @param types all but type 0, which is `void` and has no bytes */
export function writeBtf(types: readonly BtfType[]): Uint8Array<ArrayBuffer> {
  const writer = new Writer();
  for (const type of types) write(writer, type);
  return writer.finish();
}

function head(writer: Writer, name: string, info: number, sizeOrType: number): Writer {
  return writer.name(name).u32(info).u32(sizeOrType);
}

const info = (kind: number, count = 0, flag = false): number =>
  ((flag ? 0x8000_0000 : 0) | (kind << 24) | count) >>> 0;

function write(writer: Writer, type: BtfType): void {
  switch (type.kind) {
    case 'void':
      throw new Error('void has no bytes');
    case 'int': {
      const encoding = (type.signed ? 1 : 0) | (type.isBool ? 4 : 0);
      head(writer, type.name, info(1), type.bytes).u32((encoding << 24) | type.bits);
      return;
    }
    case 'float':
      head(writer, type.name, info(16), type.bytes);
      return;
    case 'array':
      head(writer, '', info(3), 0).u32(type.element).u32(1).u32(type.length);
      return;
    case 'struct':
    case 'union': {
      const hasBitFields = type.members.some(({ bitSize }) => bitSize !== 0);
      const kind = type.kind === 'struct' ? 4 : 5;
      head(writer, type.name, info(kind, type.members.length, hasBitFields), type.bytes);
      for (const { name, type: id, bitOffset, bitSize } of type.members) {
        writer
          .name(name)
          .u32(id)
          .u32(hasBitFields ? (bitSize << 24) | bitOffset : bitOffset);
      }
      return;
    }
    case 'enum': {
      const isWide = type.bytes === 8;
      head(writer, type.name, info(isWide ? 19 : 6, type.values.length, type.signed), type.bytes);
      for (const { name, value } of type.values) {
        const bits = BigInt.asUintN(64, value);
        writer.name(name).u32(Number(bits & 0xffff_ffffn));
        if (isWide) writer.u32(Number(bits >> 32n));
      }
      return;
    }
    case 'datasec':
      head(writer, type.name, info(15, type.variables.length), 0);
      for (const { type: id, offset, bytes } of type.variables)
        writer.u32(id).u32(offset).u32(bytes);
      return;
    case 'variable':
      head(writer, type.name, info(14), type.type).u32(type.isGlobal ? 1 : 0);
      return;
    case 'forward':
      head(writer, type.name, info(7), 0);
      return;
    case 'function-type':
      head(writer, type.name, info(13), 0);
      return;
    default:
      head(writer, type.name, info(WRAPPER_KINDS[type.kind] ?? 0), type.type);
  }
}
