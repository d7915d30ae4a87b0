import { isUtf8 } from 'node:buffer';
import { MAX_REPORT_BYTES } from './bounds.ts';
import type { LoadReport } from './load-report.ts';
import { type MapName, ReportBuilder } from './report-builder.ts';
import { DOUBLE_FIELDS, Field, MAP_FIELDS, WireType } from './wire-format.ts';

/** Base64 with or without padding: gRPC implementations send both. */
const BASE64 = /^[A-Za-z0-9+/]+={0,2}$/;

/** The binary form in base64. @returns undefined when it is not base64, or not this message */
export function decodeBase64Report(text: string): LoadReport | undefined {
  // Buffer.from would pass over anything that is not base64.
  if (!BASE64.test(text) || text.replace(/=+$/, '').length % 4 === 1) return undefined;
  return decodeBinaryReport(Buffer.from(text, 'base64'));
}

/**
 * The message as protobuf. Of a field that comes twice the last counts, unknown fields are passed over, as protobuf
 * says. @returns undefined for what is not a message of this type, and for more than 6,144 bytes
 */
export function decodeBinaryReport(bytes: Uint8Array): LoadReport | undefined {
  if (bytes.length > MAX_REPORT_BYTES) return undefined;
  const reader = new WireReader(bytes);
  const builder = new ReportBuilder();
  while (reader.more) {
    if (!takeField(reader, builder)) return undefined;
  }
  return reader.broken ? undefined : builder.build();
}

function takeField(reader: WireReader, builder: ReportBuilder): boolean {
  const tag = reader.varint();
  const field = Math.floor(tag / 8);
  const type = tag % 8;
  const name = DOUBLE_FIELDS.get(field);
  if (name !== undefined && type === WireType.fixed64) return builder.set(name, reader.double());
  if (field === Field.rps && type === WireType.varint) return builder.set('rps', reader.varint());
  const map = MAP_FIELDS.get(field);
  if (map !== undefined && type === WireType.bytes) return takeEntry(reader.bytes(), map, builder);
  return field > 0 && reader.skip(type);
}

/** An entry of a map is a message of its own: key 1, value 2, either of which may be left out when it is empty or 0. */
function takeEntry(bytes: Uint8Array, map: MapName, builder: ReportBuilder): boolean {
  const reader = new WireReader(bytes);
  let key = '';
  let value = 0;
  while (reader.more) {
    const tag = reader.varint();
    if (tag === KEY_TAG) {
      const text = reader.bytes();
      if (!isUtf8(text)) return false;
      key = Buffer.from(text.buffer, text.byteOffset, text.length).toString('utf8');
    } else if (tag === VALUE_TAG) value = reader.double();
    else if (Math.floor(tag / 8) === 0 || !reader.skip(tag % 8)) return false;
  }
  return !reader.broken && builder.setNamed(map, key, value);
}

const KEY_TAG = 8 + WireType.bytes;
const VALUE_TAG = 16 + WireType.fixed64;

/** Reads protobuf primitives. At the first thing that does not fit it is broken and at its end. */
class WireReader {
  broken = false;
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  }

  get more(): boolean {
    return this.#at < this.#bytes.length;
  }

  /** An integer of up to 64 bits; those above 2^53 lose their last digits. */
  varint(): number {
    let value = 0;
    let unit = 1;
    for (let length = 1; length <= MAX_VARINT_BYTES && this.more; length++) {
      const byte = this.#bytes[this.#at++] as number;
      value += (byte & 0x7f) * unit;
      if (byte < 0x80) return value;
      unit *= 128;
    }
    return this.#break();
  }

  double(): number {
    if (this.#at + 8 > this.#bytes.length) return this.#break();
    const value = this.#view.getFloat64(this.#at, true);
    this.#at += 8;
    return value;
  }

  bytes(): Uint8Array {
    const length = this.varint();
    if (!(this.#at + length <= this.#bytes.length)) {
      this.#break();
      return NO_BYTES;
    }
    const part = this.#bytes.subarray(this.#at, this.#at + length);
    this.#at += length;
    return part;
  }

  /** Passes over a field of some wire type. @returns false for one that there is not */
  skip(type: number): boolean {
    switch (type) {
      case WireType.varint:
        this.varint();
        return true;
      case WireType.bytes:
        this.bytes();
        return true;
      case WireType.fixed64:
      case WireType.fixed32:
        this.#at += type === WireType.fixed64 ? 8 : 4;
        if (this.#at > this.#bytes.length) this.#break();
        return true;
      default:
        return false;
    }
  }

  #break(): number {
    this.broken = true;
    this.#at = this.#bytes.length;
    return Number.NaN;
  }
}

const MAX_VARINT_BYTES = 10;
const NO_BYTES = new Uint8Array(0);
