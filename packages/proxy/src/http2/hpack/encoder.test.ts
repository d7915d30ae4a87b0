import { describe, expect, it } from 'vitest';
import { HpackEncoder } from './encoder.ts';

function blockOf(
  encoder: HpackEncoder,
  ...fields: (readonly [string, string, boolean?])[]
): string {
  encoder.begin();
  for (const [name, value, isSecret] of fields) encoder.text(name, value, isSecret);
  encoder.sent();
  return encoder.block.bytes.toString('hex', 0, encoder.block.tail);
}

const SERVER = ['server', 'x'] as const;

describe('the encoder', () => {
  it('takes fields and names from the static table', () => {
    const encoder = new HpackEncoder(4_096);
    expect(
      blockOf(
        encoder,
        [':status', '200'],
        [':method', 'POST'],
        ['accept-encoding', 'gzip, deflate'],
      ),
    ).toBe('888390');
    // Index 54 does not fit into 4 bits: 15 and 39.
    expect(blockOf(encoder, SERVER)).toBe('0f270178');
    expect(blockOf(encoder, [':status', '201'])).toBe('08821003');
  });

  it('puts what comes again into the table, and then needs a byte', () => {
    const encoder = new HpackEncoder(4_096);
    expect(blockOf(encoder, SERVER)).toBe('0f270178');
    expect(blockOf(encoder, SERVER)).toBe('760178');
    expect(blockOf(encoder, SERVER)).toBe('be');
    expect(blockOf(encoder, ['x', 'y'])).toBe('0001780179');
    expect(blockOf(encoder, ['x', 'y'])).toBe('4001780179');
    expect(blockOf(encoder, ['x', 'y'], SERVER)).toBe('bebf');
  });

  it('never puts secrets there, and says so to those who pass them on', () => {
    const encoder = new HpackEncoder(4_096);
    for (let count = 0; count < 3; count++) {
      expect(blockOf(encoder, ['x', 'y', true])).toBe('1001780179');
      expect(blockOf(encoder, ['authorization', 'y'])).toBe('1f080179');
      expect(blockOf(encoder, ['cookie', 'y'])).toBe('1f110179');
      expect(blockOf(encoder, ['server', 'y', true])).toBe('1f270179');
    }
  });

  it('says what became of the table before the next block', () => {
    const encoder = new HpackEncoder(4_096);
    for (let count = 0; count < 3; count++) blockOf(encoder, SERVER);
    encoder.setPeerTableBytes(4_096);
    expect(blockOf(encoder, SERVER)).toBe('be');
    encoder.setPeerTableBytes(0);
    encoder.setPeerTableBytes(30);
    expect(blockOf(encoder, SERVER)).toBe('203e0f270178');
    expect(blockOf(encoder, SERVER)).toBe('0f270178');
    encoder.setPeerTableBytes(65_536);
    // No more than our own limit.
    expect(blockOf(encoder)).toBe('3fe11f');
    expect(blockOf(new HpackEncoder(0), SERVER)).toBe('200f270178');
  });

  it('forgets what was in a block that was not sent', () => {
    const encoder = new HpackEncoder(4_096);
    blockOf(encoder, SERVER);
    encoder.begin().text(...SERVER);
    expect(encoder.begin().block.tail).toBeGreaterThan(0);
    // Emptied, and as large as before.
    expect(blockOf(encoder, SERVER)).toBe('203fe11f760178');
    expect(blockOf(encoder, SERVER)).toBe('be');
  });

  it('leaves tables alone for trailers', () => {
    const encoder = new HpackEncoder(4_096);
    for (let count = 0; count < 4; count++) {
      encoder.beginTrailers().text('x', 'y').text(':status', '200');
      encoder.sent();
      expect(encoder.block.bytes.toString('hex', 0, encoder.block.tail)).toBe('000178017988');
    }
  });

  it('knows the method of a request', () => {
    const encoder = new HpackEncoder(4_096);
    const methods = ['GET', 'HEAD', 'CONNECT', 'PATCH', 'LINK'].map((method) => {
      encoder.begin().text(':method', method);
      return encoder.method;
    });
    expect(methods).toEqual([0, 1, 2, 0, 0]);
  });
});
