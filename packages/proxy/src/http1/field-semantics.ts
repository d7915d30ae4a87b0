/**
 * What the fields of a message mean for its framing and its connection: how its body is delimited, whether the
 * connection stays, what is switched to. RFC 9112 sections 6 and 9, RFC 9110 section 7.6.1.
 */
import { ascii, COMMA, HTAB, SP, spells, TOKEN } from './byte-class.ts';
import type { FieldIndex } from './field-index.ts';
import { Field } from './known-field.ts';
import { Bad, COMPLETE } from './verdict.ts';

const CHUNKED = ascii('chunked');
const CLOSE = ascii('close');
const KEEP_ALIVE = ascii('keep-alive');
const UPGRADE = ascii('upgrade');
const CONTINUE = ascii('100-continue');

/** Digits of a content length: below 2^53, so that sums stay exact. */
const MAX_LENGTH_DIGITS = 15;

/** Options in `connection` fields that name other fields. More are refused: they are compared with every field line. */
const MAX_NOMINATED = 32;

export class FieldSemantics {
  /** -1: not given. */
  contentLength = -1;
  chunked = false;
  /** `connection: close`. */
  close = false;
  /** `connection: keep-alive`. */
  keepAlive = false;
  /** `connection: upgrade`. */
  upgrade = false;
  /** `expect: 100-continue`. */
  expectContinue = false;
  /** Fields that `connection` names beside the known options, as pairs of offsets. */
  readonly nominated: Int32Array = new Int32Array(MAX_NOMINATED * 2);
  nominatedCount = 0;

  /**
   * @param minor of the message's version: 0 or 1
   * @returns `COMPLETE` or a problem
   */
  judge(bytes: Uint8Array, fields: FieldIndex, minor: number): number {
    this.contentLength = -1;
    this.chunked = this.close = this.keepAlive = this.upgrade = this.expectContinue = false;
    this.nominatedCount = 0;
    let verdict: number = COMPLETE;
    if (fields.countOf(Field.contentLength) > 0) verdict = this.#readLength(bytes, fields);
    if (verdict === COMPLETE && fields.countOf(Field.transferEncoding) > 0)
      verdict = this.#readCoding(bytes, fields, minor);
    if (verdict === COMPLETE && fields.countOf(Field.connection) > 0)
      verdict = this.#readConnections(bytes, fields);
    return verdict;
  }

  /** Digits, once. A list of equal numbers is allowed by RFC 9110 section 8.6 and refused: nobody honest sends one. */
  #readLength(bytes: Uint8Array, fields: FieldIndex): number {
    if (fields.countOf(Field.contentLength) > 1) return Bad.contentLengthTwice;
    const line = fields.lineOf(Field.contentLength);
    const to = fields.valueTo(line);
    let at = fields.valueFrom(line);
    if (at === to || to - at > MAX_LENGTH_DIGITS) return Bad.contentLength;
    let length = 0;
    for (; at < to; at++) {
      const digit = (bytes[at] as number) - 0x30;
      if (digit < 0 || digit > 9) return Bad.contentLength;
      length = length * 10 + digit;
    }
    this.contentLength = length;
    return COMPLETE;
  }

  /** Exactly `chunked`: whatever else is there, two programs have been found that read it differently. */
  #readCoding(bytes: Uint8Array, fields: FieldIndex, minor: number): number {
    if (fields.countOf(Field.transferEncoding) > 1) return Bad.transferEncoding;
    if (minor === 0) return Bad.chunkedBefore11;
    if (this.contentLength >= 0) return Bad.lengthAndChunked;
    const line = fields.lineOf(Field.transferEncoding);
    const from = fields.valueFrom(line);
    const to = fields.valueTo(line);
    if (from === to) return Bad.transferEncoding;
    if (!spells(bytes, from, to, CHUNKED)) return Bad.transferCoding;
    this.chunked = true;
    return COMPLETE;
  }

  #readConnections(bytes: Uint8Array, fields: FieldIndex): number {
    if (fields.countOf(Field.connection) === 1)
      return this.#readConnection(bytes, fields, fields.lineOf(Field.connection));
    for (let line = 0; line < fields.count; line++) {
      if (fields.kind(line) !== Field.connection) continue;
      const verdict = this.#readConnection(bytes, fields, line);
      if (verdict !== COMPLETE) return verdict;
    }
    return COMPLETE;
  }

  #readConnection(bytes: Uint8Array, fields: FieldIndex, line: number): number {
    const to = fields.valueTo(line);
    let at = fields.valueFrom(line);
    while (at < to) {
      const byte = bytes[at] as number;
      if (byte === COMMA || byte === SP || byte === HTAB) {
        at++;
        continue;
      }
      const from = at;
      while (at < to && TOKEN[bytes[at] as number] === 1) at++;
      if (at === from || !this.#option(bytes, from, at)) return Bad.connection;
      while (at < to && (bytes[at] === SP || bytes[at] === HTAB)) at++;
      if (at < to && bytes[at] !== COMMA) return Bad.connection;
    }
    return COMPLETE;
  }

  /** @returns false when there are too many */
  #option(bytes: Uint8Array, from: number, to: number): boolean {
    if (spells(bytes, from, to, CLOSE)) this.close = true;
    else if (spells(bytes, from, to, KEEP_ALIVE)) this.keepAlive = true;
    else if (spells(bytes, from, to, UPGRADE)) this.upgrade = true;
    else {
      if (this.nominatedCount === MAX_NOMINATED) return false;
      const base = 2 * this.nominatedCount++;
      this.nominated[base] = from;
      this.nominated[base + 1] = to;
    }
    return true;
  }

  /** Of requests only, and of HTTP/1.1 only: RFC 9110 section 10.1.1 has a server ignore it on 1.0. */
  judgeExpectation(bytes: Uint8Array, fields: FieldIndex): number {
    const line = fields.lineOf(Field.expect);
    if (
      fields.countOf(Field.expect) > 1 ||
      !spells(bytes, fields.valueFrom(line), fields.valueTo(line), CONTINUE)
    )
      return Bad.expectation;
    this.expectContinue = true;
    return COMPLETE;
  }
}

/** Is a field line named by `connection`, and therefore for this hop only? Never those that frame or address. */
// oxlint-disable-next-line max-params -- per field line: an object would be allocated
export function isNominated(
  semantics: FieldSemantics,
  bytes: Uint8Array,
  fields: FieldIndex,
  line: number,
): boolean {
  const kind = fields.kind(line);
  if (kind === Field.host || kind === Field.contentLength || kind === Field.transferEncoding)
    return false;
  const nameFrom = fields.nameFrom(line);
  const length = fields.nameTo(line) - nameFrom;
  const { nominated, nominatedCount } = semantics;
  for (let index = 0; index < nominatedCount; index++) {
    const from = nominated[2 * index] as number;
    if ((nominated[2 * index + 1] as number) - from !== length) continue;
    let at = 0;
    while (at < length && isSameLetter(bytes[from + at] as number, bytes[nameFrom + at] as number))
      at++;
    if (at === length) return true;
  }
  return false;
}

/** Equal bytes of tokens, whatever their case. */
function isSameLetter(a: number, b: number): boolean {
  if (a === b) return true;
  const lower = a | 0x20;
  return lower === (b | 0x20) && lower >= 0x61 && lower <= 0x7a;
}
