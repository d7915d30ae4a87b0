import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isEvenkeelError } from '../../error/evenkeel-error.ts';
import { writeName } from '../test-support/dns-wire.ts';
import { decodeName, encodeName, isPlainName, normalizeName } from './name.ts';

const pointer = (offset: number): Buffer => Buffer.from([0xc0 | (offset >> 8), offset & 0xff]);

describe('decodeName', () => {
  it.each([
    { what: 'the root', bytes: writeName(''), offset: 0, name: '', end: 1 },
    { what: 'labels', bytes: writeName('a.bc.def'), offset: 0, name: 'a.bc.def', end: 10 },
    {
      what: 'capitals as small letters',
      bytes: writeName('A.eXample'),
      offset: 0,
      name: 'a.example',
      end: 11,
    },
    {
      what: 'a pointer',
      bytes: Buffer.concat([writeName('b.c'), pointer(2), Buffer.from('x')]),
      offset: 5,
      name: 'c',
      end: 7,
    },
    {
      what: 'labels before a pointer',
      bytes: Buffer.concat([writeName('b.c'), Buffer.from('\u0001a'), pointer(0)]),
      offset: 5,
      name: 'a.b.c',
      end: 9,
    },
    {
      what: 'a dot inside a label',
      bytes: Buffer.concat([Buffer.from('\u0003a.b\u0001c'), Buffer.from([0])]),
      offset: 0,
      name: 'a\\046b.c',
      end: 7,
    },
    {
      what: 'bytes that are no text',
      bytes: Buffer.from([2, 0, 0xff, 0]),
      offset: 0,
      name: '\\000\\255',
      end: 4,
    },
  ])('reads $what', ({ bytes, offset, name, end }) => {
    expect(decodeName(bytes, offset)).toEqual({ name, end });
  });

  it.each([
    { what: 'a pointer to itself', bytes: pointer(0), offset: 0 },
    { what: 'a pointer forward', bytes: Buffer.concat([pointer(2), writeName('a')]), offset: 0 },
    {
      what: 'two pointers in a circle',
      bytes: Buffer.concat([pointer(2), pointer(0)]),
      offset: 2,
    },
    {
      what: 'a circle through a label',
      bytes: Buffer.concat([Buffer.from('\u0001a'), pointer(0)]),
      offset: 0,
    },
    { what: 'a pointer beyond the end', bytes: pointer(0x3fff), offset: 0 },
    { what: 'a pointer cut in half', bytes: Buffer.from([0, 0xc0]), offset: 1 },
    { what: 'a label cut off', bytes: Buffer.from([5, 97]), offset: 0 },
    { what: 'no end', bytes: Buffer.from([1, 97]), offset: 0 },
    { what: 'an offset beyond the end', bytes: Buffer.from([0]), offset: 9 },
    { what: 'a label of type 01', bytes: Buffer.from([0x41, 97, 0]), offset: 0 },
    { what: 'a label of type 10', bytes: Buffer.from([0x81, 97, 0]), offset: 0 },
    { what: 'a name of 256 bytes', bytes: writeName('a.'.repeat(127) + 'b'), offset: 0 },
  ])('refuses $what', ({ bytes, offset }) => {
    let thrown: unknown;
    try {
      decodeName(bytes, offset);
    } catch (error) {
      thrown = error;
    }
    expect(isEvenkeelError(thrown, 'EVENKEEL_DISCOVERY')).toBe(true);
  });

  it('reads the longest name, 255 bytes', () => {
    const name = [...Array.from({ length: 3 }, () => 'x'.repeat(63)), 'y'.repeat(61)].join('.');
    expect(writeName(name)).toHaveLength(255);
    expect(decodeName(writeName(name), 0).name).toBe(name);
    expect(isPlainName(name)).toBe(true);
    expect(isPlainName(`${name}y`)).toBe(false);
  });

  it('follows 127 pointers in a chain and not one more', () => {
    // The root at 0, then pointers, each to the one before.
    const chain = Buffer.concat([
      Buffer.from([0, 0]),
      ...Array.from({ length: 200 }, (_, i) => pointer(i === 0 ? 0 : 2 * i)),
    ]);
    expect(decodeName(chain, 2 * 127)).toEqual({ name: '', end: 256 });
    expect(() => decodeName(chain, 2 * 128)).toThrow(/leads nowhere/);
  });
});

describe('encodeName', () => {
  it('is undone by decodeName', () => {
    const label = fc.stringMatching(/^[a-z0-9_](?:[a-z0-9_-]{0,12}[a-z0-9_])?$/);
    const names = fc.array(label, { maxLength: 8 }).map((labels) => labels.join('.'));
    fc.assert(
      fc.property(names, (name) => {
        const bytes = encodeName(name);
        expect(decodeName(bytes, 0)).toEqual({ name, end: bytes.length });
      }),
      { seed: 20_300_101 },
    );
  });
});

describe('normalizeName', () => {
  it.each([
    ['Users.Internal', 'users.internal'],
    ['users.internal.', 'users.internal'],
    ['_http._tcp.users.internal', '_http._tcp.users.internal'],
    ['localhost', 'localhost'],
    ['xn--bcher-kva.example', 'xn--bcher-kva.example'],
  ])('takes %s', (text, name) => {
    expect(normalizeName(text)).toBe(name);
  });

  it.each([
    '',
    '.',
    '..',
    'a..b',
    '.a',
    'a b',
    'bücher.example',
    '-a.b',
    'a-.b',
    'a/b',
    `${'x'.repeat(64)}.b`,
  ])('refuses %j', (text) => {
    expect(normalizeName(text)).toBeUndefined();
  });
});
