/** Field blocks as text, and text as field blocks. */
import { HpackDecoder } from '../../hpack/decoder.ts';
import type { FieldBlock } from '../../http2-stream.ts';

export type Fields = readonly (readonly [string, string])[];

export function fieldsOf(block: FieldBlock): [string, string][] {
  return Array.from({ length: block.count }, (_, field) => [
    block.bytes.toString('latin1', block.nameFrom(field), block.nameTo(field)),
    block.bytes.toString('latin1', block.valueFrom(field), block.valueTo(field)),
  ]);
}

/** A block of literals that are in no table. */
export function literals(fields: Fields): Buffer {
  return Buffer.concat(
    fields.map(([name, value]) => Buffer.concat([Buffer.from([0]), text(name), text(value)])),
  );
}

/** RFC 7541 section 5.2, not coded. */
export function text(value: string): Buffer {
  return Buffer.concat([integer(value.length, 0x7f, 0), Buffer.from(value, 'latin1')]);
}

/** RFC 7541 section 5.1. */
export function integer(value: number, mask: number, pattern: number): Buffer {
  if (value < mask) return Buffer.from([pattern | value]);
  const bytes = [pattern | mask];
  let rest = value - mask;
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push(128 | (rest % 128));
  return Buffer.from([...bytes, rest]);
}

export function createDecoder(): HpackDecoder {
  return new HpackDecoder({
    headerTableBytes: 4_096,
    maxHeaderListBytes: 1 << 20,
    maxFields: 1_000,
  });
}
