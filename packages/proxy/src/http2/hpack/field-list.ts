/** The fields of one block, as places in a buffer: nothing is allocated for a field. */
import type { Field } from '../../http1/known-field.ts';
import type { FieldBlock, Pseudo } from '../http2-stream.ts';
import { IS_BAD, IS_PSEUDO, KIND_MASK } from './field-traits.ts';

/** Numbers that describe a field: where its name begins and ends, where its value does, and its traits. */
export const NAME_FROM = 0;
export const NAME_TO = 1;
export const VALUE_FROM = 2;
export const VALUE_TO = 3;
export const TRAITS = 4;
/** Numbers per field. */
export const STRIDE = 5;

const INITIAL_FIELDS = 24;
const PSEUDO_COUNT = 6;

export class FieldList implements FieldBlock {
  bytes: Buffer;
  count = 0;
  firstRegular = 0;
  status = 0;
  contentLength = -1;
  /** Is there a field that must not be, or not here, or not twice? */
  isMalformed = false;
  #places: Int32Array = new Int32Array(INITIAL_FIELDS * STRIDE);
  readonly #pseudo: Int32Array = new Int32Array(PSEUDO_COUNT).fill(-1);
  #pseudoCount = 0;

  constructor(bytes: Buffer) {
    this.bytes = bytes;
  }

  begin(): void {
    this.count = 0;
    this.firstRegular = 0;
    this.status = 0;
    this.contentLength = -1;
    this.isMalformed = false;
    if (this.#pseudoCount > 0) this.#pseudo.fill(-1);
    this.#pseudoCount = 0;
  }

  /** Adds the field that `source` describes from `at` on. */
  add(source: Int32Array, at: number): void {
    const { count } = this;
    let base = count * STRIDE;
    if (base === this.#places.length) this.#grow();
    const places = this.#places;
    const traits = source[at + TRAITS] as number;
    places[base++] = source[at] as number;
    places[base++] = source[at + NAME_TO] as number;
    places[base++] = source[at + VALUE_FROM] as number;
    places[base++] = source[at + VALUE_TO] as number;
    places[base] = traits;
    if ((traits & (IS_PSEUDO | IS_BAD)) !== 0) this.#note(traits, count);
    this.count = count + 1;
  }

  #note(traits: number, field: number): void {
    if ((traits & IS_BAD) !== 0) {
      this.isMalformed = true;
      return;
    }
    const number = traits & KIND_MASK;
    // Twice, or after another field: RFC 9113 section 8.3.
    if (this.#pseudo[number] !== -1 || this.#pseudoCount !== field) this.isMalformed = true;
    this.#pseudo[number] = field;
    this.firstRegular = ++this.#pseudoCount;
  }

  #grow(): void {
    const larger = new Int32Array(2 * this.#places.length);
    larger.set(this.#places);
    this.#places = larger;
  }

  get pseudoCount(): number {
    return this.#pseudoCount;
  }

  pseudo(name: Pseudo): number {
    return this.#pseudo[name] as number;
  }

  kind(field: number): Field {
    const traits = this.#places[field * STRIDE + TRAITS] as number;
    return ((traits & IS_PSEUDO) !== 0 ? 0 : traits & KIND_MASK) as Field;
  }

  nameFrom(field: number): number {
    return this.#places[field * STRIDE + NAME_FROM] as number;
  }

  nameTo(field: number): number {
    return this.#places[field * STRIDE + NAME_TO] as number;
  }

  valueFrom(field: number): number {
    return this.#places[field * STRIDE + VALUE_FROM] as number;
  }

  valueTo(field: number): number {
    return this.#places[field * STRIDE + VALUE_TO] as number;
  }
}
