import { describe, expect, it } from 'vitest';
import { BtfGraph } from '../btf/graph.ts';
import { parseElf } from './elf.ts';
import { camelCase, pascalCase, uniqueNames } from './names.ts';
import { sectionKind } from './sections.table.ts';
import { parseSkeletonHeader } from './skeleton-header.ts';
import { TypeWriter } from './type-writer.ts';
import type { BtfType } from '../btf/btf.ts';

describe('names', () => {
  it.each([
    ['flow_key', 'flowKey', 'FlowKey'],
    ['x', 'x', 'X'],
    ['__be32', 'be32', 'Be32'],
    ['MAX_FLOWS', 'maxFLOWS', 'MaxFLOWS'],
    ['ip4', 'ip4', 'Ip4'],
    ['alreadyCamel', 'alreadyCamel', 'AlreadyCamel'],
  ])('%s becomes %s and %s', (name, camel, pascal) => {
    expect([camelCase(name), pascalCase(name)]).toEqual([camel, pascal]);
  });

  it('two that become one are an error', () => {
    expect(() => uniqueNames('maps', ['a_b', 'aB'])).toThrow(
      'maps: "aB" and "a_b" would both be called "aB"',
    );
  });
});

describe('sections', () => {
  it.each([
    ['xdp', 'xdp', 'xdp'],
    ['xdp/second', 'xdp', 'xdp'],
    ['tc', 'tc', undefined],
    ['cgroup/connect6', 'cgroup-sock-addr', 'cgroup-connect6'],
    ['sk_lookup/echo', 'sk-lookup', 'sk-lookup'],
    ['sockops', 'sock-ops', 'cgroup-sock-ops'],
  ])('%s is a program of type %s', (section, type, attachType) => {
    expect(sectionKind(section)).toEqual({
      type,
      ...(attachType === undefined ? {} : { attachType }),
    });
  });

  it.each(['kprobe/x', 'cgroup/nothing', ''])('"%s" is of no known kind', (section) => {
    expect(sectionKind(section)).toBeUndefined();
  });
});

describe("bpftool's header", () => {
  const header = (data: string): string => `
struct t {
	struct {
		struct bpf_map_desc stats;
		struct bpf_map_desc rodata;
	} maps;
	struct {
		struct bpf_prog_desc count;
	} progs;
};
	opts.data_sz = 7;
	opts.data = (void *)"${data}";
	opts.insns_sz = 2;
	opts.insns = (void *)"\\x95\\0";
`;

  it('is read with all its ways to write a byte', () => {
    expect(parseSkeletonHeader(header('a\\0\\xff\\"\\\\\\\n\\n\\x7fb'.replace('b', '')))).toEqual({
      data: Uint8Array.of(0x61, 0, 0xff, 0x22, 0x5c, 0x0a, 0x7f),
      instructions: Uint8Array.of(0x95, 0),
      maps: ['stats', 'rodata'],
      programs: ['count'],
    });
  });

  it('is refused when its sizes do not fit, or a part is missing', () => {
    expect(() => parseSkeletonHeader(header('abc'))).toThrow('7 bytes of data announced, 3 found');
    expect(() => parseSkeletonHeader('')).toThrow('no opts.data');
  });
});

describe('object files', () => {
  it.each([
    ['nothing', new Uint8Array(0)],
    ['text', new TextEncoder().encode('#!/bin/sh'.padEnd(100))],
    [
      'an ELF header alone',
      Uint8Array.from([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1, ...new Array<number>(57).fill(0)]),
    ],
  ])('%s is none', (_what, bytes) =>
    expect(() => parseElf(bytes)).toThrow('malformed object file'),
  );
});

describe('writing types', () => {
  const u32: BtfType = {
    kind: 'int',
    name: 'unsigned int',
    bytes: 4,
    signed: false,
    isBool: false,
    bits: 32,
  };
  const u8: BtfType = { ...u32, name: 'unsigned char', bytes: 1, bits: 8 };
  const member = (name: string, type: number, bitOffset: number, bitSize = 0) => ({
    name,
    type,
    bitOffset,
    bitSize,
  });
  const writerFor = (...types: BtfType[]): TypeWriter =>
    new TypeWriter(new BtfGraph([{ kind: 'void' }, ...types]));

  it('takes members of anonymous structs for members of the struct around, and unions for bytes', () => {
    const writer = writerFor(
      u32,
      {
        kind: 'struct',
        name: '',
        bytes: 8,
        members: [member('first_word', 1, 0), member('b', 1, 32)],
      },
      { kind: 'union', name: '', bytes: 16, members: [member('ip4', 1, 0)] },
      {
        kind: 'struct',
        name: 'outer',
        bytes: 28,
        members: [member('', 2, 0), member('', 3, 64), member('c', 1, 192)],
      },
    );
    expect(writer.write(4, 'x')).toEqual({ ts: 'Outer', codec: 'outerCodec' });
    expect(writer.declarations.join('\n')).toContain(
      [
        "export const outerCodec: StructCodec<Outer> = struct<Outer>('outer', 28, {",
        '  firstWord: [0, u32],',
        '  b: [4, u32],',
        "  unionAt8: [8, bytes(16, 'union ')],",
        '  c: [24, u32],',
        '});',
      ].join('\n'),
    );
  });

  it('keeps byte order: network types are other codecs', () => {
    const writer = writerFor(
      u32,
      { kind: 'typedef', name: '__u32', type: 1 },
      { kind: 'typedef', name: '__be32', type: 2 },
      { kind: 'array', element: 3, length: 4 },
      { kind: 'array', element: 1, length: 4 },
      u8,
      { kind: 'array', element: 6, length: 16 },
    );
    expect(writer.write(3, '')).toEqual({ ts: 'number', codec: 'be32' });
    expect(writer.write(4, '')).toEqual({ ts: 'readonly number[]', codec: 'array(be32, 4)' });
    expect(writer.write(5, '')).toEqual({ ts: 'Uint32Array', codec: 'u32Array(4)' });
    expect(writer.write(7, '')).toEqual({ ts: 'Uint8Array', codec: 'bytes(16)' });
    expect(writer.imports).toEqual(['array', 'be32', 'bytes', 'u32Array']);
  });

  it('writes an enum as numbers and an object of its names', () => {
    const values = [
      { name: 'A', value: -1n },
      { name: 'B', value: 5n },
    ];
    const writer = writerFor({ kind: 'enum', name: 'state', bytes: 4, signed: true, values });
    expect(writer.write(1, '')).toEqual({ ts: 'number', codec: 's32' });
    expect(writer.declarations).toEqual([
      '/** `enum state` */\nexport const State = {\n  A: -1,\n  B: 5,\n} as const;',
    ]);
  });

  it.each([
    [
      'bit fields',
      [u32, { kind: 'struct', name: 's', bytes: 4, members: [member('flag', 1, 0, 1)] }],
      2,
      'bit field "flag"',
    ],
    ['forward declarations', [{ kind: 'forward', name: 'later' }], 1, 'a forward cannot be'],
    [
      'two structs of one name',
      [
        { kind: 'struct', name: 'a_b', bytes: 0, members: [] },
        { kind: 'struct', name: 'aB', bytes: 8, members: [member('x', 1, 0)] },
      ],
      2,
      'would both be called AB',
    ],
  ] as [string, BtfType[], number, string][])('refuses %s', (_what, types, id, message) => {
    const writer = writerFor(...types);
    expect(() => {
      for (let index = 1; index <= id; index += 1) writer.write(index, 'x');
    }).toThrow(message);
  });
});
