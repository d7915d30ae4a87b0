/**
 * Where the field lines of a message are. Nothing is copied and no text is built: a line is four offsets into the
 * caller's bytes, and stays valid as long as they do.
 */
import { COLON, CR, FIELD_VALUE, HTAB, LF, SP, TOKEN } from './byte-class.ts';
import { type Field, FIELD_COUNT, knownField } from './known-field.ts';
import { Bad, COMPLETE, INCOMPLETE } from './verdict.ts';

/** Offsets per line: name from, name to, value from, value to; the line ends where the next one begins. */
const STRIDE = 4;

export class FieldIndex {
  /** Lines found. */
  count = 0;
  /** Where the first line begins. */
  from = 0;
  /** Where the empty line begins: the end of the last line. */
  linesEnd = 0;
  /** After the empty line. */
  end = 0;
  readonly maxFields: number;
  /** Which known field a line is. */
  readonly #kinds: Uint8Array;
  readonly #offsets: Int32Array;
  /** Number of lines of each known field. */
  readonly #counts = new Uint16Array(FIELD_COUNT);
  /** The last line of each known field. */
  readonly #last = new Uint16Array(FIELD_COUNT);

  constructor(maxFields: number) {
    this.maxFields = maxFields;
    this.#kinds = new Uint8Array(maxFields);
    this.#offsets = new Int32Array(maxFields * STRIDE);
  }

  /**
   * Reads field lines up to the empty line (RFC 9112 section 5). Every rule that programs have been seen to disagree
   * about is enforced: CR LF ends a line and stands nowhere else, no folding, no space before the colon.
   */
  read(bytes: Uint8Array, from: number, to: number): number {
    this.count = 0;
    this.from = from;
    this.#counts.fill(0);
    let at = from;
    for (;;) {
      if (at >= to) return INCOMPLETE;
      if (bytes[at] === CR) {
        if (at + 1 >= to) return INCOMPLETE;
        if (bytes[at + 1] !== LF) return Bad.lineEnd;
        this.linesEnd = at;
        this.end = at + 2;
        return COMPLETE;
      }
      const nameFrom = at;
      while (at < to && TOKEN[bytes[at] as number] === 1) at++;
      if (at === to) return INCOMPLETE;
      if (at === nameFrom || bytes[at] !== COLON) return nameProblem(bytes[nameFrom] as number);
      const nameTo = at++;
      while (at < to && isBlank(bytes[at] as number)) at++;
      const valueFrom = at;
      while (at < to && FIELD_VALUE[bytes[at] as number] === 1) at++;
      if (at === to) return INCOMPLETE;
      if (bytes[at] !== CR) return bytes[at] === LF ? Bad.lineEnd : Bad.fieldValue;
      if (at + 1 === to) return INCOMPLETE;
      if (bytes[at + 1] !== LF) return Bad.lineEnd;
      let valueTo = at;
      while (valueTo > valueFrom && isBlank(bytes[valueTo - 1] as number)) valueTo--;
      at += 2;
      if (this.count === this.maxFields) return Bad.tooManyFields;
      this.#add(knownField(bytes, nameFrom, nameTo), nameFrom, nameTo, valueFrom, valueTo);
    }
  }

  kind(line: number): Field {
    return this.#kinds[line] as Field;
  }

  nameFrom(line: number): number {
    return this.#offsets[line * STRIDE] as number;
  }

  nameTo(line: number): number {
    return this.#offsets[line * STRIDE + 1] as number;
  }

  valueFrom(line: number): number {
    return this.#offsets[line * STRIDE + 2] as number;
  }

  valueTo(line: number): number {
    return this.#offsets[line * STRIDE + 3] as number;
  }

  /** Where a line ends, its CR LF included. */
  lineEnd(line: number): number {
    return line + 1 < this.count ? this.nameFrom(line + 1) : this.linesEnd;
  }

  /** How many lines a known field has. */
  countOf(field: Field): number {
    return this.#counts[field] as number;
  }

  /** The last line of a known field, or -1. */
  lineOf(field: Field): number {
    return this.#counts[field] === 0 ? -1 : (this.#last[field] as number);
  }

  /** Text of the last line of a known field; undefined when there is none. Allocates. */
  text(bytes: Buffer, field: Field): string | undefined {
    const line = this.lineOf(field);
    return line < 0
      ? undefined
      : bytes.toString('latin1', this.valueFrom(line), this.valueTo(line));
  }

  // oxlint-disable-next-line max-params -- per field line: an object would be allocated
  #add(field: Field, nameFrom: number, nameTo: number, valueFrom: number, valueTo: number): void {
    const line = this.count++;
    const base = line * STRIDE;
    const offsets = this.#offsets;
    this.#kinds[line] = field;
    offsets[base] = nameFrom;
    offsets[base + 1] = nameTo;
    offsets[base + 2] = valueFrom;
    offsets[base + 3] = valueTo;
    if (field !== 0) {
      this.#counts[field] = (this.#counts[field] as number) + 1;
      this.#last[field] = line;
    }
  }
}

function isBlank(byte: number): boolean {
  return byte === SP || byte === HTAB;
}

function nameProblem(first: number): number {
  if (isBlank(first)) return Bad.foldedLine;
  return first === LF ? Bad.lineEnd : Bad.fieldName;
}
