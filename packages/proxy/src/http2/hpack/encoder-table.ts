/**
 * The encoder's dynamic table, RFC 7541 section 2.3.2, found by hash. A field is put in when it comes for the second
 * time: what never comes again (ids, dates, paths) would only push out what does.
 */
import { ENTRY_OVERHEAD } from './dynamic-table.ts';
import { slotOf } from './static-names.ts';

const SLOT_COUNT = 256;
const SLOT_MASK = SLOT_COUNT - 1;

/** A field in the table. */
export interface EncoderEntry {
  readonly hash: number;
  /** Name and value. */
  readonly bytes: Uint8Array;
  readonly nameLength: number;
  /** How many were put in before it. */
  readonly number: number;
}

export class EncoderTable {
  #capacity: number;
  #size = 0;
  /** Oldest first, from `#first` on. */
  #entries: EncoderEntry[] = [];
  #first = 0;
  #inserted = 0;
  /** How many have gone. */
  #evicted = 0;
  /** By slot: the last entry put in there; it may be gone. */
  readonly #bySlot: (EncoderEntry | undefined)[] = Array.from(
    { length: SLOT_COUNT },
    () => undefined,
  );
  /** By slot: the last hash that was not found. */
  readonly #missed: Int32Array = new Int32Array(SLOT_COUNT);

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

  /** An entry with this hash, if there is one at its slot. */
  candidate(hash: number): EncoderEntry | undefined {
    const entry = this.#bySlot[slotOf(hash, SLOT_MASK)];
    return entry !== undefined && entry.hash === hash && entry.number >= this.#evicted
      ? entry
      : undefined;
  }

  /** Index among the dynamic entries, 0 for the newest. */
  ageOf(entry: EncoderEntry): number {
    return this.#inserted - 1 - entry.number;
  }

  /** A field was not found: was it looked for before? */
  isSeenAgain(hash: number): boolean {
    const slot = slotOf(hash, SLOT_MASK);
    if (this.#missed[slot] === hash) return true;
    this.#missed[slot] = hash;
    return false;
  }

  /** Puts in a field that is not larger than the table. */
  insert(hash: number, field: { bytes: Uint8Array; nameLength: number }): void {
    const size = field.bytes.length + ENTRY_OVERHEAD;
    this.#makeRoom(size);
    const { bytes, nameLength } = field;
    const entry: EncoderEntry = { hash, bytes, nameLength, number: this.#inserted++ };
    this.#entries.push(entry);
    this.#bySlot[slotOf(hash, SLOT_MASK)] = entry;
    this.#size += size;
  }

  #makeRoom(size: number): void {
    while (this.#first < this.#entries.length && this.#size + size > this.#capacity) {
      const entry = this.#entries[this.#first++] as EncoderEntry;
      this.#size -= entry.bytes.length + ENTRY_OVERHEAD;
      this.#evicted++;
    }
    if (2 * this.#first <= this.#entries.length) return;
    this.#entries = this.#entries.slice(this.#first);
    this.#first = 0;
  }
}
