import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createDecoder, fieldsOf } from '../session/test-support/field-text.ts';
import { HpackEncoder } from './encoder.ts';

const name = fc.oneof(
  fc.constantFrom(
    ':status',
    'content-type',
    'date',
    'cookie',
    'x-a',
    'x-b',
    'authorization',
    'vary',
  ),
  fc.stringMatching(/^[a-z0-9-]{1,20}$/u),
);
const value = fc.oneof(
  fc.constantFrom('200', 'gzip, deflate', 'text/html', '', 'always the same'),
  fc.string({ unit: 'binary-ascii', maxLength: 60 }),
  fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes).toString('latin1')),
);
const field = fc.tuple(name, value, fc.boolean());
const block = fc.record({
  fields: fc.array(field, { maxLength: 12 }),
  /** Is it sent, or thrown away? */
  isSent: fc.boolean(),
  /** A new size that the peer announces before it. */
  tableBytes: fc.option(fc.constantFrom(0, 50, 200, 4_096, 65_536)),
  fromBytes: fc.boolean(),
});

describe('any blocks', () => {
  it('come out as they went in, whatever the tables, and in any order of sizes', () => {
    fc.assert(
      fc.property(fc.array(block, { maxLength: 30 }), (blocks) => {
        const encoder = new HpackEncoder(4_096);
        const decoder = createDecoder();
        for (const { fields, isSent, tableBytes, fromBytes } of blocks) {
          if (tableBytes !== null) encoder.setPeerTableBytes(tableBytes);
          encoder.begin();
          for (const [fieldName, fieldValue, isSecret] of fields) {
            const source = Buffer.from(`--${fieldName.toUpperCase()}: ${fieldValue}`, 'latin1');
            const nameTo = 2 + fieldName.length;
            const place = { nameFrom: 2, nameTo, valueFrom: nameTo + 2, valueTo: source.length };
            if (fromBytes) encoder.bytes(source, place, isSecret);
            else encoder.text(fieldName, fieldValue, isSecret);
          }
          if (!isSent) continue;
          encoder.sent();
          expect(decoder.decode(encoder.block.bytes, 0, encoder.block.tail)).toBe(true);
          expect(fieldsOf(decoder.list)).toEqual(fields.map(([a, b]) => [a, b]));
        }
      }),
      { seed: 3, numRuns: 400 },
    );
  });

  it('of any bytes are decoded or refused, and never more than a block can hold', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 120 }), { maxLength: 20 }), (blocks) => {
        const decoder = createDecoder();
        for (const bytes of blocks) {
          if (!decoder.decode(Buffer.from(bytes), 0, bytes.length)) return;
          for (const [fieldName, text] of fieldsOf(decoder.list))
            expect(fieldName.length + text.length).toBeLessThan(8_192);
        }
        expect(decoder.bytes.length).toBeLessThan(100_000);
      }),
      { seed: 4, numRuns: 2_000 },
    );
  });
});
