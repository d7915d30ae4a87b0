/**
 * Decodes field blocks, RFC 7541. One buffer holds everything that fields can be made of:
 *
 * ```text
 *   static table | bytes of the dynamic table | bytes of this block that are not in a table | room
 * ```
 *
 * so that a field from a table is five numbers to copy. Room is made between blocks only, because the places of fields
 * are good until a block's end.
 */
import { DynamicTable, ENTRY_OVERHEAD } from './dynamic-table.ts';
import {
  FieldList,
  NAME_FROM,
  NAME_TO,
  STRIDE,
  TRAITS,
  VALUE_FROM,
  VALUE_TO,
} from './field-list.ts';
import { BAD_VALUE, nameTraits, withValueTraits } from './field-traits.ts';
import { decodeHuffman, maxDecodedLength } from './huffman.ts';
import { STATIC_BYTES, STATIC_COUNT, STATIC_PLACES } from './static-table.ts';

export interface DecoderLimits {
  readonly headerTableBytes: number;
  readonly maxHeaderListBytes: number;
  readonly maxFields: number;
}

/** Table size before settings, RFC 9113 section 6.5.2. */
const INITIAL_TABLE_BYTES = 4_096;
const INITIAL_ROOM = 4_096;
/** No number in a block is as large: RFC 7541 section 5.1 wants a limit. */
const MAX_INTEGER = 1 << 24;
/** Bytes of a number after its prefix. */
const MAX_INTEGER_BYTES = 5;

const STATIC_END = STATIC_BYTES.length;

export class HpackDecoder {
  /** The fields of the last block. */
  readonly list: FieldList;
  /** Were there more fields in the last block, or larger ones, than the limits allow? Then they are not complete. */
  isTooLarge = false;
  /** For {@link decodeHuffman}: the end of what is used. */
  tail: number = STATIC_END;
  bytes: Buffer;

  readonly #limits: DecoderLimits;
  readonly #table: DynamicTable = new DynamicTable(INITIAL_TABLE_BYTES);
  /** What the peer may make of the table. */
  #maxTableBytes: number;
  /** The table was made smaller, and the peer has to say so in the next block. */
  #awaitsUpdate = false;
  /** The end of the table's bytes. */
  #tableEnd: number = STATIC_END;
  #at = 0;
  #listBytes = 0;
  readonly #field: Int32Array = new Int32Array(STRIDE);

  constructor(limits: DecoderLimits) {
    this.#limits = limits;
    this.#maxTableBytes = Math.max(INITIAL_TABLE_BYTES, limits.headerTableBytes);
    this.bytes = Buffer.allocUnsafeSlow(STATIC_END + INITIAL_ROOM);
    STATIC_BYTES.copy(this.bytes);
    this.list = new FieldList(this.bytes);
  }

  /** The peer has acknowledged our settings: from now on the table is no larger than they say. */
  settingsAcknowledged(): void {
    this.#maxTableBytes = this.#limits.headerTableBytes;
    if (this.#table.capacity > this.#maxTableBytes) this.#awaitsUpdate = true;
  }

  /**
   * Decodes a whole block; also one that nobody wants, because the table changes.
   *
   * @returns false for COMPRESSION_ERROR; nothing of this connection can be decoded any more
   */
  decode(source: Buffer, from: number, to: number): boolean {
    this.#makeRoom();
    this.list.begin();
    this.isTooLarge = false;
    this.#listBytes = 0;
    this.#at = from;
    if (!this.#readUpdates(source, to)) return false;
    while (this.#at < to) {
      const first = source[this.#at] as number;
      // Only before the first field: RFC 7541 section 4.2.
      if (first >= 0x20 && first < 0x40) return false;
      const isGood = first >= 0x80 ? this.#takeIndexed(source, to) : this.#takeLiteral(source, to);
      if (!isGood) return false;
    }
    return true;
  }

  #readUpdates(source: Buffer, to: number): boolean {
    while (this.#at < to && ((source[this.#at] as number) & 0xe0) === 0x20) {
      const size = this.#readInteger(source, to, 0x1f);
      if (size < 0 || size > this.#maxTableBytes) return false;
      this.#table.capacity = size;
      this.#awaitsUpdate = false;
    }
    return !this.#awaitsUpdate;
  }

  #takeIndexed(source: Buffer, to: number): boolean {
    const index = this.#readInteger(source, to, 0x7f);
    if (index <= 0) return false;
    if (index <= STATIC_COUNT) {
      this.#add(STATIC_PLACES, (index - 1) * STRIDE);
      return true;
    }
    const age = index - STATIC_COUNT - 1;
    const table = this.#table;
    if (age >= table.count) return false;
    this.#add(table.places, table.placeOf(age));
    return true;
  }

  #takeLiteral(source: Buffer, to: number): boolean {
    const field = this.#field;
    const isIndexed = ((source[this.#at] as number) & 0x40) !== 0;
    const index = this.#readInteger(source, to, isIndexed ? 0x3f : 0x0f);
    if (index < 0) return false;
    if (index === 0) {
      field[NAME_FROM] = this.tail;
      if (!this.#readString(source, to)) return false;
      field[NAME_TO] = this.tail;
      field[TRAITS] = nameTraits(this.bytes, field[NAME_FROM], this.tail);
    } else if (!this.#takeName(index, isIndexed)) return false;
    field[VALUE_FROM] = this.tail;
    if (!this.#readString(source, to)) return false;
    field[VALUE_TO] = this.tail;
    field[TRAITS] = withValueTraits(
      field[TRAITS] as number,
      this.bytes,
      field[VALUE_FROM],
      this.tail,
    );
    this.#add(field, 0);
    if (!isIndexed) return true;
    this.#table.insert(field);
    if (this.#table.count > 0) this.#tableEnd = this.tail;
    return true;
  }

  /** A name from a table. */
  #takeName(index: number, isKept: boolean): boolean {
    const field = this.#field;
    let places = STATIC_PLACES;
    let place = (index - 1) * STRIDE;
    if (index > STATIC_COUNT) {
      const age = index - STATIC_COUNT - 1;
      if (age >= this.#table.count) return false;
      ({ places } = this.#table);
      place = this.#table.placeOf(age);
    }
    const from = places[place + NAME_FROM] as number;
    const to = places[place + NAME_TO] as number;
    field[TRAITS] = (places[place + TRAITS] as number) & ~BAD_VALUE;
    field[NAME_FROM] = from;
    field[NAME_TO] = to;
    // The entry that has the name may go before the new one does.
    if (isKept && index > STATIC_COUNT) {
      this.#reserve(to - from);
      this.bytes.copyWithin(this.tail, from, to);
      field[NAME_FROM] = this.tail;
      this.tail += to - from;
      field[NAME_TO] = this.tail;
    }
    return true;
  }

  #add(places: Int32Array, at: number): void {
    this.#listBytes +=
      (places[at + NAME_TO] as number) -
      (places[at + NAME_FROM] as number) +
      (places[at + VALUE_TO] as number) -
      (places[at + VALUE_FROM] as number) +
      ENTRY_OVERHEAD;
    if (
      this.#listBytes > this.#limits.maxHeaderListBytes ||
      this.list.count === this.#limits.maxFields
    )
      this.isTooLarge = true;
    else this.list.add(places, at);
  }

  /** RFC 7541 section 5.1. @returns -1 for one that is too large, too long or cut off */
  #readInteger(source: Buffer, to: number, mask: number): number {
    let value = (source[this.#at++] as number) & mask;
    if (value < mask) return value;
    for (let count = 0; count < MAX_INTEGER_BYTES && this.#at < to; count++) {
      const byte = source[this.#at++] as number;
      value += (byte & 0x7f) * 2 ** (7 * count);
      if (value > MAX_INTEGER) return -1;
      if (byte < 0x80) return value;
    }
    return -1;
  }

  /** RFC 7541 section 5.2; adds the text at the end of what is used. */
  #readString(source: Buffer, to: number): boolean {
    if (this.#at >= to) return false;
    const isCoded = (source[this.#at] as number) >= 0x80;
    const length = this.#readInteger(source, to, 0x7f);
    if (length < 0 || length > to - this.#at) return false;
    const from = this.#at;
    this.#at = from + length;
    if (isCoded) {
      this.#reserve(maxDecodedLength(length));
      this.tail = decodeHuffman(source, from, this.#at, this);
      return this.tail >= 0;
    }
    this.#reserve(length);
    const { bytes, tail } = this;
    // A call into native code pays only for long texts.
    if (length > 48) source.copy(bytes, tail, from, from + length);
    else for (let at = 0; at < length; at++) bytes[tail + at] = source[from + at] as number;
    this.tail = tail + length;
    return true;
  }

  #reserve(count: number): void {
    const needed = this.tail + count;
    if (needed <= this.bytes.length) return;
    const larger = Buffer.allocUnsafeSlow(2 * needed);
    this.bytes.copy(larger, 0, 0, this.tail);
    this.bytes = larger;
    this.list.bytes = larger;
  }

  /** Between blocks: drops what is in no table, and moves the table's bytes together when they are scattered. */
  #makeRoom(): void {
    const table = this.#table;
    this.tail = table.count === 0 ? STATIC_END : this.#tableEnd;
    // Live bytes are fewer than the table's size: with twice of it, moving is rare.
    const spread = 2 * table.size + INITIAL_ROOM / 2;
    if (this.tail - STATIC_END <= spread) return;
    const source = this.bytes;
    const isOversized = source.length > STATIC_END + 4 * table.size + 4 * INITIAL_ROOM;
    const target = isOversized
      ? Buffer.allocUnsafeSlow(STATIC_END + 2 * table.size + INITIAL_ROOM)
      : source;
    if (isOversized) STATIC_BYTES.copy(target);
    let end = STATIC_END;
    for (let age = table.count - 1; age >= 0; age--)
      end = move(source, target, { places: table.places, at: table.placeOf(age), end });
    this.tail = end;
    this.#tableEnd = end;
    this.bytes = target;
    this.list.bytes = target;
  }
}

/** Moves an entry's bytes to `end`. Entries are moved in the order of their bytes, so that none is overwritten. */
function move(
  source: Buffer,
  target: Buffer,
  entry: { readonly places: Int32Array; readonly at: number; readonly end: number },
): number {
  const { places, at } = entry;
  let { end } = entry;
  for (const part of [NAME_FROM, VALUE_FROM]) {
    const from = places[at + part] as number;
    const length = (places[at + part + 1] as number) - from;
    // Names may be in the static table.
    if (from < STATIC_END) continue;
    source.copy(target, end, from, from + length);
    places[at + part] = end;
    places[at + part + 1] = end + length;
    end += length;
  }
  return end;
}
