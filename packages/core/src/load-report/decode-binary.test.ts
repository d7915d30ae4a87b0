import { describe, expect, it } from 'vitest';
import { decodeBinaryReport } from './decode-binary.ts';
import { createLoadReport, EMPTY_LOAD_REPORT, type LoadReport } from './load-report.ts';

function decodeHex(hex: string): LoadReport | undefined {
  return decodeBinaryReport(Buffer.from(hex.replaceAll(' ', ''), 'hex'));
}

const ONE = '000000000000f03f';

/** Written by protobufjs 8.8.1 from the message's definition (fields and numbers as in the xDS API). */
const FROM_PROTOBUFJS: readonly (readonly [string, string, Partial<LoadReport>])[] = [
  [
    'every field',
    '09000000000000e03f11000000000000d03f18ac02220d0a0264621100000000000000402a0f0a046469736b11000000000000c03f2a10' +
      '0a05677075203011000000000000f83f31000000000000294039000000000000e83f420e0a0372696611000000000000084042120a07' +
      '6772c3b6c39f65110000000000001cc049cdccccccccccec3f',
    {
      cpuUtilization: 0.5,
      memoryUtilization: 0.25,
      applicationUtilization: 0.9,
      requestsPerSecond: 12.5,
      errorsPerSecond: 0.75,
      requestCost: new Map([['db', 2]]),
      utilization: new Map([
        ['disk', 0.125],
        ['gpu 0', 1.5],
      ]),
      namedMetrics: new Map([
        ['rif', 3],
        ['größe', -7],
      ]),
    },
  ],
  [
    'the whole-number rate of old senders',
    '09333333333333d33f18c0843d',
    { cpuUtilization: 0.3, requestsPerSecond: 1_000_000 },
  ],
  [
    'a named value of 0',
    '42100a057175657565110000000000000000',
    { namedMetrics: new Map([['queue', 0]]) },
  ],
];

describe('a report as protobuf', () => {
  it.for(FROM_PROTOBUFJS)('as others write it: %s', ([, hex, expected]) => {
    expect(decodeHex(hex)).toEqual(createLoadReport(expected));
  });

  it('is an empty one without bytes', () => {
    expect(decodeHex('')).toBe(EMPTY_LOAD_REPORT);
  });

  it('has the last of a field that comes twice', () => {
    expect(decodeHex(`39 ${ONE} 39 0000000000000040`)?.errorsPerSecond).toBe(2);
  });

  it.for([
    ['a varint', '78 ffffffffffffffffff01'],
    ['eight bytes', `79 ${ONE}`],
    ['a length', '7a 03 010203'],
    ['four bytes', '7d 00000000'],
    ['a known field in another form', '38 05'],
    ['a field number of five bytes', 'f8ffffff7f 01'],
  ])('passes over unknown fields of %s', ([, hex = '']) => {
    expect(decodeHex(`${hex} 39 ${ONE} ${hex}`)).toEqual(createLoadReport({ errorsPerSecond: 1 }));
  });

  it('reads entries of a map whose key comes last, or comes with something unknown', () => {
    const expected = createLoadReport({ namedMetrics: new Map([['a', 1]]) });
    expect(decodeHex(`42 0c 11 ${ONE} 0a 01 61`)).toEqual(expected);
    expect(decodeHex(`42 0e 18 07 0a 01 61 11 ${ONE}`)).toEqual(expected);
  });

  it.for([
    ['half of a double', '39 00000000'],
    ['a length beyond the end', '42 7f 00'],
    ['a length of 2^63', '42 ffffffffffffffff7f'],
    ['a varint without end', '18 ffffffff'],
    ['a varint of eleven bytes', '18 ffffffffffffffffffff01'],
    ['a tag without value', '39'],
    ['field 0', '00 00'],
    ['a group', '7b 7c'],
    ['wire type 6', '7e'],
    ['wire type 7', '7f'],
    ['four bytes missing', '7d 0000'],
    ['a rate of 2^64 - 1', '18 ffffffffffffffffff01'],
    ['NaN', '39 000000000000f87f'],
    ['infinity', '39 000000000000f07f'],
    ['a negative rate', '39 000000000000f0bf'],
    ['10^13 errors per second', '39 00a0724e1809a242'],
    ['a named NaN', '42 0c 0a 01 61 11 000000000000f87f'],
    ['an entry without key', `42 09 11 ${ONE}`],
    ['a key that is not UTF-8', `42 0c 0a 01 ff 11 ${ONE}`],
    ['a broken entry', '42 03 0a 05 61'],
    ['field 0 in an entry', '42 02 00 00'],
    ['a group in an entry', '42 01 1b'],
  ])('is refused with %s', ([, hex = '']) => {
    expect(decodeHex(hex)).toBeUndefined();
  });

  it('is bounded in bytes and in values', () => {
    // An unknown field of two bytes, as often as it fits.
    expect(decodeHex('7801'.repeat(3_072))).toBe(EMPTY_LOAD_REPORT);
    expect(decodeHex('7801'.repeat(3_073))).toBeUndefined();
    expect(decodeHex(`39${ONE}`.repeat(128))?.errorsPerSecond).toBe(1);
    expect(decodeHex(`39${ONE}`.repeat(129))).toBeUndefined();
  });

  it('reads a part of a larger buffer', () => {
    const bytes = Buffer.from(`ffffff39${ONE}ffff`, 'hex');
    expect(decodeBinaryReport(bytes.subarray(3, 12))?.errorsPerSecond).toBe(1);
  });
});
