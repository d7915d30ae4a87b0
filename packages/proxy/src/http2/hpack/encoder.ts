/** Encodes field blocks, RFC 7541: at once, into one buffer per session. */
import type { FieldPlace, FieldWriter } from '../http2-stream.ts';
import { ENTRY_OVERHEAD } from './dynamic-table.ts';
import { type EncoderEntry, EncoderTable } from './encoder-table.ts';
import { codedLength, encodeHuffman } from './huffman.ts';
import { mixHash, staticFieldIndex, staticNameIndex } from './static-names.ts';
import { STATIC_COUNT } from './static-table.ts';

/** Table size before settings, RFC 9113 section 6.5.2. */
const INITIAL_TABLE_BYTES = 4_096;
const INITIAL_BYTES = 512;
/** What a field takes at most beside name and value: a byte, and three numbers of up to five bytes. */
const FIELD_OVERHEAD = 16;

/** Patterns of a first byte, RFC 7541 section 6, and how many bits of a number they leave. */
const INDEXED = 0x80;
const INDEXED_MASK = 0x7f;
const KEPT = 0x40;
const KEPT_MASK = 0x3f;
const SIZE_UPDATE = 0x20;
const SIZE_MASK = 0x1f;
const NEVER_INDEXED = 0x10;
const NOT_INDEXED = 0x00;
const LITERAL_MASK = 0x0f;
const CODED = 0x80;
const STRING_MASK = 0x7f;

const COLON = 0x3a;
const METHOD_INDEX = 2;
/** `authorization`, `cookie`, `proxy-authorization`, `set-cookie`: secrets, whoever sends them. */
const SECRET_INDEXES: ReadonlySet<number> = new Set([23, 32, 49, 55]);

/** What a request asks for, so far as a session cares: responses are read differently. */
export const Method = { other: 0, head: 1, connect: 2 } as const;
export type Method = (typeof Method)[keyof typeof Method];

const METHODS: ReadonlyMap<string, Method> = new Map([
  ['HEAD', Method.head],
  ['CONNECT', Method.connect],
]);
/** Neither is shorter, nor longer. */
const MIN_METHOD_BYTES = 4;
const MAX_METHOD_BYTES = 7;

/** A name in lower case, and a value given as text: used up before the call returns. */
let nameBytes: Buffer = Buffer.allocUnsafeSlow(256);
let textBytes: Buffer = Buffer.allocUnsafeSlow(1_024);

export class HpackEncoder implements FieldWriter {
  /** The block: `bytes` up to `tail`. */
  readonly block: { bytes: Buffer; tail: number } = {
    bytes: Buffer.allocUnsafeSlow(INITIAL_BYTES),
    tail: 0,
  };
  /** Where the fields begin, behind updates of the table's size. */
  prefixLength = 0;
  /** Of a request. */
  method: Method = Method.other;

  readonly #maxTableBytes: number;
  readonly #table: EncoderTable;
  /** The smallest size that the table had since the last block, -1 when it did not change. */
  #smallest = -1;
  /** Entries of the table are in a block that was not sent. */
  #isTainted = false;
  /** No tables: the block may be sent after others. */
  #isTrailers = false;
  #nameLength = 0;
  #nameHash = 0;
  /** The name's index in the static table, 0 for none. */
  #nameIndex = 0;

  constructor(maxTableBytes: number) {
    this.#maxTableBytes = maxTableBytes;
    this.#table = new EncoderTable(Math.min(INITIAL_TABLE_BYTES, maxTableBytes));
    // The peer begins with the full size.
    if (maxTableBytes < INITIAL_TABLE_BYTES) this.#smallest = maxTableBytes;
  }

  /** The peer's setting; holds from the next block on. */
  setPeerTableBytes(bytes: number): void {
    const size = Math.min(bytes, this.#maxTableBytes);
    const table = this.#table;
    if (size === table.capacity) return;
    this.#smallest = this.#smallest === -1 ? size : Math.min(this.#smallest, size);
    table.capacity = size;
  }

  begin(): this {
    if (this.#isTainted) this.#startOver();
    this.block.tail = 0;
    this.method = Method.other;
    this.#isTrailers = false;
    if (this.#smallest !== -1) {
      const { capacity } = this.#table;
      // Both, so that the peer drops what we have dropped: RFC 7541 section 4.2.
      if (this.#smallest < capacity) this.#putInteger(SIZE_UPDATE, SIZE_MASK, this.#smallest);
      this.#putInteger(SIZE_UPDATE, SIZE_MASK, capacity);
    }
    this.prefixLength = this.block.tail;
    return this;
  }

  beginTrailers(): this {
    this.begin();
    this.#isTrailers = true;
    return this;
  }

  /** The block is on its way, and the peer will know the table as it is now. */
  sent(): void {
    this.#smallest = -1;
    this.#isTainted = false;
  }

  /** Adds fields that were encoded as trailers before. */
  encoded(fields: Uint8Array): this {
    this.#reserve(fields.length);
    this.block.bytes.set(fields, this.block.tail);
    this.block.tail += fields.length;
    return this;
  }

  text(name: string, value: string, isSecret = false): this {
    if (name.length > nameBytes.length) nameBytes = Buffer.allocUnsafeSlow(2 * name.length);
    if (value.length > textBytes.length) textBytes = Buffer.allocUnsafeSlow(2 * value.length);
    let hash = 0;
    for (let at = 0; at < name.length; at++) {
      const byte = name.charCodeAt(at);
      nameBytes[at] = byte;
      hash = mixHash(hash, byte);
    }
    for (let at = 0; at < value.length; at++) textBytes[at] = value.charCodeAt(at);
    this.#nameLength = name.length;
    this.#nameHash = hash;
    this.#put(textBytes, 0, value.length, isSecret);
    return this;
  }

  bytes(source: Buffer, place: FieldPlace, isSecret = false): this {
    const { nameFrom, nameTo } = place;
    const length = nameTo - nameFrom;
    if (length > nameBytes.length) nameBytes = Buffer.allocUnsafeSlow(2 * length);
    let hash = 0;
    for (let at = 0; at < length; at++) {
      const byte = source[nameFrom + at] as number;
      const lower = byte >= 0x41 && byte <= 0x5a ? byte + 0x20 : byte;
      nameBytes[at] = lower;
      hash = mixHash(hash, lower);
    }
    this.#nameLength = length;
    this.#nameHash = hash;
    this.#put(source, place.valueFrom, place.valueTo, isSecret);
    return this;
  }

  /** Adds the field whose name is in `nameBytes`. */
  // oxlint-disable-next-line max-params -- per field: an object would be allocated
  #put(source: Buffer, from: number, to: number, isSecret: boolean): void {
    const length = this.#nameLength + to - from;
    this.#reserve(length + FIELD_OVERHEAD);
    // Most pseudo-fields are in the static table, and most other fields never are.
    const isPseudo = nameBytes[0] === COLON;
    if (isPseudo && this.#putStatic(source, from, to)) return;
    // A few large fields would push out all the others.
    const isTabled =
      !isSecret && !this.#isTrailers && 4 * (length + ENTRY_OVERHEAD) <= this.#table.capacity;
    let hash = 0;
    if (isTabled) {
      hash = mixHash(this.#nameHash, this.#nameLength);
      for (let at = from; at < to; at++) hash = mixHash(hash, source[at] as number);
      if (this.#putFromTable(hash, source, from)) return;
    }
    if (!isPseudo && this.#putStatic(source, from, to)) return;
    const name = this.#nameIndex;
    if (isSecret || SECRET_INDEXES.has(name)) this.#putLiteral(NEVER_INDEXED, LITERAL_MASK, name);
    else if (isTabled && this.#table.isSeenAgain(hash)) {
      this.#keep(hash, source, from, to);
      this.#putLiteral(KEPT, KEPT_MASK, name);
    } else this.#putLiteral(NOT_INDEXED, LITERAL_MASK, name);
    this.#putString(source, from, to);
  }

  /** As an index into the static table, when it is there with its value. Finds the name in any case. */
  #putStatic(source: Buffer, from: number, to: number): boolean {
    const name = staticNameIndex(nameBytes, this.#nameLength, this.#nameHash);
    this.#nameIndex = name;
    if (name === 0) return false;
    if (name === METHOD_INDEX) this.#noteMethod(source, from, to);
    const index = staticFieldIndex(name, source, from, to);
    if (index === 0) return false;
    this.#putInteger(INDEXED, INDEXED_MASK, index);
    return true;
  }

  /** As an index into the dynamic table, when it is there. */
  #putFromTable(hash: number, source: Buffer, from: number): boolean {
    const table = this.#table;
    const entry = table.candidate(hash);
    if (entry === undefined || !this.#isSame(entry, source, from)) return false;
    this.#putInteger(INDEXED, INDEXED_MASK, STATIC_COUNT + 1 + table.ageOf(entry));
    return true;
  }

  /** Puts the field in hand into the table. */
  // oxlint-disable-next-line max-params -- a range of bytes
  #keep(hash: number, source: Buffer, from: number, to: number): void {
    const nameLength = this.#nameLength;
    const bytes = new Uint8Array(nameLength + to - from);
    bytes.set(nameBytes.subarray(0, nameLength));
    bytes.set(source.subarray(from, to), nameLength);
    this.#table.insert(hash, { bytes, nameLength });
    this.#isTainted = true;
  }

  /** Is the field in hand the entry's? Lengths are in the hash, but a hash proves nothing. */
  #isSame(entry: EncoderEntry, source: Buffer, from: number): boolean {
    const { bytes } = entry;
    const { nameLength } = entry;
    if (nameLength !== this.#nameLength) return false;
    let at = 0;
    for (; at < nameLength; at++) if (bytes[at] !== nameBytes[at]) return false;
    const start = from - nameLength;
    for (; at < bytes.length; at++) if (bytes[at] !== source[start + at]) return false;
    return true;
  }

  #noteMethod(source: Buffer, from: number, to: number): void {
    const length = to - from;
    if (length !== MIN_METHOD_BYTES && length !== MAX_METHOD_BYTES) return;
    this.method = METHODS.get(source.toString('latin1', from, to)) ?? Method.other;
  }

  #putLiteral(pattern: number, mask: number, nameIndex: number): void {
    this.#putInteger(pattern, mask, nameIndex);
    if (nameIndex === 0) this.#putString(nameBytes, 0, this.#nameLength);
  }

  #putString(source: Buffer, from: number, to: number): void {
    const { block } = this;
    const length = to - from;
    const shorter = codedLength(source, from, to);
    if (shorter < length) {
      this.#putInteger(CODED, STRING_MASK, shorter);
      block.tail = encodeHuffman(source, from, to, block);
      return;
    }
    this.#putInteger(0, STRING_MASK, length);
    const { bytes, tail } = block;
    for (let at = 0; at < length; at++) bytes[tail + at] = source[from + at] as number;
    block.tail = tail + length;
  }

  /** RFC 7541 section 5.1. */
  #putInteger(pattern: number, mask: number, value: number): void {
    const { block } = this;
    const { bytes } = block;
    if (value < mask) {
      bytes[block.tail++] = pattern | value;
      return;
    }
    bytes[block.tail++] = pattern | mask;
    let rest = value - mask;
    for (; rest > 0x7f; rest >>>= 7) bytes[block.tail++] = 0x80 | (rest & 0x7f);
    bytes[block.tail++] = rest;
  }

  #reserve(count: number): void {
    const { block } = this;
    const needed = block.tail + count;
    if (needed <= block.bytes.length) return;
    const larger = Buffer.allocUnsafeSlow(2 * needed);
    block.bytes.copy(larger, 0, 0, block.tail);
    block.bytes = larger;
  }

  /** Empties the table, and has the peer empty its own before the next block. */
  #startOver(): void {
    const { capacity } = this.#table;
    this.#table.capacity = 0;
    this.#table.capacity = capacity;
    this.#smallest = 0;
    this.#isTainted = false;
  }
}
