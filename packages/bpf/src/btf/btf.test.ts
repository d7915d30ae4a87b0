import { describe, expect, it } from 'vitest';
import { type BtfType, parseBtf } from './btf.ts';
import { BtfGraph } from './graph.ts';
import { writeBtf } from './test-support/btf-writer.ts';

const int = (name: string, bytes: number, signed = false): BtfType => ({
  kind: 'int',
  name,
  bytes,
  signed,
  isBool: false,
  bits: 8 * bytes,
});

describe('a graph of types', () => {
  const graph = new BtfGraph(
    parseBtf(
      writeBtf([
        int('unsigned int', 4),
        { kind: 'typedef', name: '__u32', type: 1 },
        { kind: 'typedef', name: '__be32', type: 2 },
        { kind: 'volatile', name: '', type: 3 },
        { kind: 'const', name: '', type: 4 },
        { kind: 'array', element: 5, length: 6 },
        { kind: 'pointer', name: '', type: 6 },
        { kind: 'struct', name: 's', bytes: 40, members: [] },
        { kind: 'array', element: 8, length: 3 },
        { kind: 'typedef', name: 'loop', type: 11 },
        { kind: 'typedef', name: 'loop', type: 10 },
        { kind: 'array', element: 12, length: 2 },
        { kind: 'array', element: 8, length: 4_000_000_000 },
        { kind: 'typedef', name: 'dangling', type: 99 },
        { kind: 'forward', name: 'later' },
      ]),
    ),
  );

  it('looks behind typedefs and qualifiers, and remembers their names', () => {
    expect(graph.resolved(5)).toMatchObject({ kind: 'int', name: 'unsigned int' });
    expect(graph.typedefNames(5)).toEqual(['__be32', '__u32']);
    expect(graph.resolve(1)).toBe(1);
  });

  it.each([
    [1, 4],
    [5, 4],
    [6, 24],
    [7, 8],
    [8, 40],
    [9, 120],
  ])('type %i has %i bytes', (id, bytes) => expect(graph.sizeOf(id)).toBe(bytes));

  it.each([
    ['a chain of typedefs that bites its tail', () => graph.resolved(10), 'stands for itself'],
    ['an array of itself', () => graph.sizeOf(12), 'contains itself'],
    ['an array larger than memory', () => graph.sizeOf(13), 'a type of 160000000000 bytes'],
    ['a reference to nowhere', () => graph.resolved(14), 'reference to type 99'],
    ['a type without a size', () => graph.sizeOf(15), 'has no size'],
    ['void', () => graph.sizeOf(0), 'has no size'],
  ])('refuses %s', (_what, ask, message) => expect(ask).toThrow(message));
});

describe('parsing', () => {
  const good = writeBtf([int('char', 1, true)]);
  const changed = (offset: number, value: number): Uint8Array => {
    const bytes = good.slice();
    new DataView(bytes.buffer).setUint32(offset, value, true);
    return bytes;
  };

  it.each([
    ['nothing', new Uint8Array(0), 'shorter than its header'],
    ['another magic number', changed(0, 0x0001_9feb), 'no BTF magic number'],
    ['another version', changed(0, 0x0002_eb9f), 'version 2'],
    ['a header that is too short', changed(4, 8), 'outside of the section'],
    ['types beyond the end', changed(12, 0xffff_ffff), 'outside of the section'],
    ['strings beyond the end', changed(20, 1_000), 'outside of the section'],
    ['a name beyond the strings', changed(24, 1_000), 'beyond the strings'],
    ['a name without an end', changed(20, 5), 'without an end'],
    ['an unknown kind', changed(28, 31 << 24), 'unknown kind 31'],
    ['an integer of 3 bytes', changed(32, 3), 'of 3 bytes'],
    ['a list that does not fit', changed(28, (15 << 24) | 0xffff), 'ends within a type'],
  ])('refuses %s', (_what, bytes, message) => {
    expect(() => parseBtf(bytes)).toThrow(message);
  });
});
