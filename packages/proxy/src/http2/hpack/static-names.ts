/** Finds names of the static table by their hash. */
import { STATIC_FIELDS } from './static-fields.table.ts';

/** Multiplies per byte; 33 would do, this one leaves the low bits of the static names apart. */
const FACTOR = 31;
const SLOTS = 256;

/** Continues a hash with one more byte. */
export function mixHash(hash: number, byte: number): number {
  return (Math.imul(hash, FACTOR) + byte) | 0;
}

/** Brings the high bits of a hash into the low ones. */
export function slotOf(hash: number, mask: number): number {
  return (hash ^ (hash >>> 15) ^ (hash >>> 7)) & mask;
}

interface StaticName {
  readonly name: Uint8Array;
  readonly hash: number;
  /** The first index that has the name. */
  readonly index: number;
  /** Values of that index and those that follow it; empty when there are none. */
  readonly values: readonly Uint8Array[];
}

/** By slot of the hash. Names that fall on one slot stand one after the other. */
const BY_SLOT: readonly (readonly StaticName[])[] = bySlot();

function bySlot(): StaticName[][] {
  const slots: StaticName[][] = Array.from({ length: SLOTS }, () => []);
  for (const name of new Set(STATIC_FIELDS.map(([text]) => text))) {
    const bytes = Buffer.from(name, 'latin1');
    const hash = bytes.reduce(mixHash, 0);
    const values = STATIC_FIELDS.filter(([text, value]) => text === name && value !== '');
    slots[slotOf(hash, SLOTS - 1)]?.push({
      name: bytes,
      hash,
      index: STATIC_FIELDS.findIndex(([text]) => text === name) + 1,
      values: values.map(([, value]) => Buffer.from(value, 'latin1')),
    });
  }
  return slots;
}

/** @param bytes the name is at its beginning @returns 0 when there is none */
export function staticNameIndex(bytes: Uint8Array, length: number, hash: number): number {
  return find(bytes, length, hash)?.index ?? 0;
}

/** @returns the index that has the value too, 0 when there is none */
// oxlint-disable-next-line max-params -- a range of bytes, on the hot path
export function staticFieldIndex(
  nameIndex: number,
  bytes: Uint8Array,
  from: number,
  to: number,
): number {
  const values = VALUES[nameIndex] as readonly Uint8Array[];
  for (let place = 0; place < values.length; place++)
    if (isSame(values[place] as Uint8Array, bytes, from, to)) return nameIndex + place;
  return 0;
}

/** By first index of a name. */
const VALUES: readonly (readonly Uint8Array[])[] = valuesByIndex();

function valuesByIndex(): (readonly Uint8Array[])[] {
  const table: (readonly Uint8Array[])[] = Array.from(
    { length: STATIC_FIELDS.length + 1 },
    () => [],
  );
  for (const { index, values } of BY_SLOT.flat()) table[index] = values;
  return table;
}

function find(bytes: Uint8Array, length: number, hash: number): StaticName | undefined {
  const candidates = BY_SLOT[slotOf(hash, SLOTS - 1)] as readonly StaticName[];
  for (let place = 0; place < candidates.length; place++) {
    const candidate = candidates[place] as StaticName;
    if (candidate.hash === hash && isSame(candidate.name, bytes, 0, length)) return candidate;
  }
  return undefined;
}

// oxlint-disable-next-line max-params -- a range of bytes, on the hot path
export function isSame(text: Uint8Array, bytes: Uint8Array, from: number, to: number): boolean {
  const { length } = text;
  if (to - from !== length) return false;
  for (let at = 0; at < length; at++) if (bytes[from + at] !== text[at]) return false;
  return true;
}
