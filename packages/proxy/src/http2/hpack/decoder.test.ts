import { describe, expect, it } from 'vitest';
import {
  createDecoder,
  fieldsOf,
  integer,
  literals,
  text,
} from '../session/test-support/field-text.ts';
import { HpackDecoder } from './decoder.ts';

const hex = (digits: string): Buffer => Buffer.from(digits.replaceAll(' ', ''), 'hex');

function read(decoder: HpackDecoder, bytes: Buffer): string[] | 'refused' {
  // Somewhere in the middle of a read.
  const around = Buffer.concat([Buffer.from('before'), bytes, Buffer.from('after')]);
  if (!decoder.decode(around, 6, 6 + bytes.length)) return 'refused';
  return fieldsOf(decoder.list).map((field) => field.join(': '));
}

/** A literal that goes into the table. */
const kept = (name: string, value: string): Buffer =>
  Buffer.concat([Buffer.from([0x40]), text(name), text(value)]);

describe('the decoder', () => {
  it('reads the requests of RFC 7541 appendix C.4, which share a table', () => {
    const decoder = createDecoder();
    expect(read(decoder, hex('828684418cf1e3c2e5f23a6ba0ab90f4ff'))).toEqual([
      ':method: GET',
      ':scheme: http',
      ':path: /',
      ':authority: www.example.com',
    ]);
    expect(read(decoder, hex('828684be5886a8eb10649cbf'))).toEqual([
      ':method: GET',
      ':scheme: http',
      ':path: /',
      ':authority: www.example.com',
      'cache-control: no-cache',
    ]);
    expect(read(decoder, hex('828785bf408825a849e95ba97d7f8925a849e95bb8e8b4bf'))).toEqual([
      ':method: GET',
      ':scheme: https',
      ':path: /index.html',
      ':authority: www.example.com',
      'custom-key: custom-value',
    ]);
  });

  it('reads the responses of appendix C.6, which push each other out', () => {
    const decoder = createDecoder();
    expect(decoder.decode(integer(256, 0x1f, 0x20), 0, 3)).toBe(true);
    const first = read(
      decoder,
      hex(
        '488264025885aec3771a4b6196d07abe941054d444a8200595040b8166e082a62d1bff6e919d29ad171863c78f0b97c8e9ae82ae43d3',
      ),
    );
    expect(first).toEqual([
      ':status: 302',
      'cache-control: private',
      'date: Mon, 21 Oct 2013 20:13:21 GMT',
      'location: https://www.example.com',
    ]);
    expect(read(decoder, hex('4883640effc1c0bf'))).toEqual([':status: 307', ...first.slice(1)]);
    expect(
      read(
        decoder,
        hex(
          '88c16196d07abe941054d444a8200595040b8166e084a62d1bffc05a839bd9ab77ad94e7821dd7f2e6c7b335dfdfcd5b3960d5af27087f3672c1ab270fb5291f9587316065c003ed4ee5b1063d5007',
        ),
      ),
    ).toEqual([
      ':status: 200',
      'cache-control: private',
      'date: Mon, 21 Oct 2013 20:13:22 GMT',
      'location: https://www.example.com',
      'content-encoding: gzip',
      'set-cookie: foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1',
    ]);
  });

  it('takes every way to say a field', () => {
    const indexed = (mask: number, pattern: number): Buffer => integer(58, mask, pattern);
    const decoder = createDecoder();
    // user-agent by its name: kept, not kept, never kept; then a name of its own.
    for (const [mask, pattern] of [
      [0x3f, 0x40],
      [0x0f, 0x00],
      [0x0f, 0x10],
    ] as const) {
      expect(read(decoder, Buffer.concat([indexed(mask, pattern), text('x')]))).toEqual([
        'user-agent: x',
      ]);
      expect(read(decoder, Buffer.concat([indexed(mask, pattern), hex('81 f3')]))).toEqual([
        'user-agent: x',
      ]);
      expect(
        read(
          decoder,
          Buffer.concat([hex(pattern.toString(16).padStart(2, '0')), hex('81 f3'), text('')]),
        ),
      ).toEqual(['x: ']);
    }
    // Sizes before the fields, one or two.
    expect(read(decoder, hex('20 82'))).toEqual([':method: GET']);
    expect(read(decoder, hex('20 3f e1 1f 82'))).toEqual([':method: GET']);
    expect(read(decoder, hex(''))).toEqual([]);
  });

  it.each<readonly [string, Buffer]>([
    ['index 0', hex('80')],
    ['an index beyond the static table', hex('be')],
    ['a name beyond the static table', Buffer.concat([integer(70, 0x3f, 0x40), text('x')])],
    ['a number that goes on for ever', hex('ff ff ff ff ff ff ff ff 01')],
    ['a number above the limit', hex('ff ff ff ff 7f')],
    ['a number that is cut off', hex('ff 80')],
    ['a text that is cut off', hex('00 05 61 62')],
    ['a field without a value', hex('00 01 61')],
    ['a length that is more than the block', hex('00 7f ff ff ff 03')],
    ['padding of 8 ones', Buffer.concat([hex('00 01 61 82 1f ff')])],
    ['padding of zeros', hex('00 01 61 81 18')],
    ['EOS', hex('00 01 61 84 ff ff ff ff')],
    ['a larger table than was announced', integer(4_097, 0x1f, 0x20)],
    ['a size behind a field', Buffer.concat([hex('82'), integer(10, 0x1f, 0x20)])],
  ])('refuses %s', (_, bytes) => {
    expect(read(createDecoder(), bytes)).toBe('refused');
  });

  it('drops the oldest entries, and all of them for a field that is too large', () => {
    const decoder = createDecoder();
    read(decoder, integer(100, 0x1f, 0x20));
    // 1 + 1 + 32 bytes each: two fit.
    read(decoder, Buffer.concat([kept('a', '1'), kept('b', '2'), kept('c', '3')]));
    expect(read(decoder, hex('be bf'))).toEqual(['c: 3', 'b: 2']);
    expect(read(decoder, hex('c0'))).toBe('refused');
    const other = createDecoder();
    read(other, integer(100, 0x1f, 0x20));
    expect(read(other, Buffer.concat([kept('a', '1'), kept('b', 'x'.repeat(80))]))).toHaveLength(2);
    expect(read(other, hex('be'))).toBe('refused');
  });

  it('lets an entry take the name of one that it pushes out', () => {
    const decoder = createDecoder();
    read(decoder, integer(80, 0x1f, 0x20));
    read(decoder, kept('a-long-name', 'value'));
    expect(read(decoder, Buffer.concat([integer(62, 0x3f, 0x40), text('another value')]))).toEqual([
      'a-long-name: another value',
    ]);
    expect(read(decoder, hex('be'))).toEqual(['a-long-name: another value']);
  });

  it('holds to a smaller table only when the peer knows of it, and then wants to be told', () => {
    const limits = { headerTableBytes: 100, maxHeaderListBytes: 1_000, maxFields: 10 };
    const silent = new HpackDecoder(limits);
    expect(read(silent, kept('a', 'x'.repeat(200)))).toHaveLength(1);
    expect(read(silent, hex('be'))).toHaveLength(1);
    silent.settingsAcknowledged();
    expect(read(silent, hex('82'))).toBe('refused');
    const told = new HpackDecoder(limits);
    told.settingsAcknowledged();
    expect(read(told, integer(101, 0x1f, 0x20))).toBe('refused');
    expect(read(told, Buffer.concat([integer(100, 0x1f, 0x20), hex('82')]))).toEqual([
      ':method: GET',
    ]);
  });

  it('counts decoded bytes and fields, and decodes on when there are too many', () => {
    const decoder = new HpackDecoder({
      headerTableBytes: 4_096,
      maxHeaderListBytes: 3_000,
      maxFields: 10,
    });
    // One field of 1,000 bytes, and then a byte for each time it comes again.
    const bomb = Buffer.concat([
      kept('a', 'x'.repeat(967)),
      hex('be be be'),
      kept('late', 'entry'),
    ]);
    expect(read(decoder, bomb)).toHaveLength(3);
    expect(decoder.isTooLarge).toBe(true);
    expect(read(decoder, hex('be'))).toEqual(['late: entry']);
    expect(decoder.isTooLarge).toBe(false);
    expect(read(decoder, Buffer.alloc(11, 0x82))).toHaveLength(10);
    expect(decoder.isTooLarge).toBe(true);
  });

  it('does not grow with what has passed through it', () => {
    const decoder = createDecoder();
    for (let round = 0; round < 2_000; round++) {
      const fields = Array.from({ length: 5 }, (_, index) =>
        kept(`name-${index}`, `${round}-${'v'.repeat(round % 300)}`),
      );
      expect(
        read(decoder, Buffer.concat([...fields, literals([['plain', 'x'.repeat(round % 500)]])])),
      ).toHaveLength(6);
      expect(read(decoder, hex('be'))).toEqual([`name-4: ${round}-${'v'.repeat(round % 300)}`]);
    }
    expect(decoder.bytes.length).toBeLessThan(40_000);
    // A large block makes it grow, and it gets over that.
    read(decoder, literals(Array.from({ length: 100 }, () => ['x', 'y'.repeat(1_000)] as const)));
    expect(decoder.bytes.length).toBeGreaterThan(100_000);
    for (let round = 0; round < 50; round++) read(decoder, kept('n', `${round}${'v'.repeat(200)}`));
    expect(decoder.bytes.length).toBeLessThan(40_000);
  });
});
