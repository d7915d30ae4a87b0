/**
 * The decoder's dynamic table, RFC 7541 section 2.3.2: a ring of places. The bytes are in the decoder's buffer, where
 * the fields of a block are too, so that a field that comes out of the table is not copied.
 */
import { NAME_FROM, NAME_TO, STRIDE, VALUE_FROM, VALUE_TO } from './field-list.ts';

/** What an entry costs beside its bytes, RFC 7541 section 4.1. */
export const ENTRY_OVERHEAD = 32;

export class DynamicTable {
  /** Places of the entries; {@link placeOf} tells where. */
  places: Int32Array = new Int32Array(16 * STRIDE);
  count = 0;
  /** Size of the entries by section 4.1. */
  size = 0;
  #capacity: number;
  /** How many entries were ever put in. */
  #inserted = 0;
  #mask = 15;

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  get capacity(): number {
    return this.#capacity;
  }

  /** Drops what does not fit any more. */
  set capacity(bytes: number) {
    this.#capacity = bytes;
    this.#makeRoom(0);
  }

  /** Where entry `age` is, 0 being the newest. */
  placeOf(age: number): number {
    return ((this.#inserted - 1 - age) & this.#mask) * STRIDE;
  }

  /** Puts in the field that `source` describes. A field larger than the table empties it (section 4.4). */
  insert(source: Int32Array): void {
    const size =
      (source[NAME_TO] as number) -
      (source[NAME_FROM] as number) +
      (source[VALUE_TO] as number) -
      (source[VALUE_FROM] as number) +
      ENTRY_OVERHEAD;
    this.#makeRoom(size);
    if (size > this.#capacity) return;
    if (this.count > this.#mask) this.#grow();
    const place = (this.#inserted & this.#mask) * STRIDE;
    for (let at = 0; at < STRIDE; at++) this.places[place + at] = source[at] as number;
    this.#inserted++;
    this.count++;
    this.size += size;
  }

  #makeRoom(size: number): void {
    while (this.count > 0 && this.size + size > this.#capacity) {
      const place = this.placeOf(--this.count);
      const { places } = this;
      this.size -=
        (places[place + NAME_TO] as number) -
        (places[place + NAME_FROM] as number) +
        (places[place + VALUE_TO] as number) -
        (places[place + VALUE_FROM] as number) +
        ENTRY_OVERHEAD;
    }
  }

  #grow(): void {
    const length = 2 * (this.#mask + 1);
    const larger = new Int32Array(length * STRIDE);
    for (let age = 0; age < this.count; age++) {
      const from = this.placeOf(age);
      const to = ((this.#inserted - 1 - age) & (length - 1)) * STRIDE;
      larger.set(this.places.subarray(from, from + STRIDE), to);
    }
    this.places = larger;
    this.#mask = length - 1;
  }
}
