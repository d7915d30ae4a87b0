/** The build tool with the real compiler, and what its modules do in the real kernel. */
import { readFileSync, writeFileSync } from 'node:fs';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { requireComponent } from '../../../../test/support/require-component.ts';
import { type BpfMap, isBpfError, loadObject, type ObjectSpec } from '../index.ts';
import { parseBtf } from '../btf/btf.ts';
import { BtfGraph } from '../btf/graph.ts';
import { run } from '../object/test-support/lab.ts';
import { runCommand } from './command.ts';
import { parseElf } from './elf.ts';
import { buildObject, staleReason } from './index.ts';
import { SECTION_KINDS } from './sections.table.ts';

const tools = [requireComponent('clang'), requireComponent('bpftool')];
const kernel = requireComponent('bpf');
const support = join(import.meta.dirname, '../object/test-support');
const NAMES = ['basic', 'plain', 'refused'] as const;

/** The part of a module that says what is where; the rest is code of one compiler's version. */
const layoutOf = (text: string): string => text.slice(0, text.indexOf('  loader: {'));

/** A program, and functions that it calls. */
function manyFunctions(count: number): string {
  const helpers = Array.from(
    { length: count - 1 },
    (_, at) => `static __noinline int helper${at}(__u32 a) { return which + a * ${at}; }`,
  );
  const calls = helpers.map((_, at) => `sum += helper${at}(sum);`);
  return `volatile __u32 which; ${helpers.join(' ')}
    SEC("xdp") int p(struct xdp_md *c) { int sum = 0; ${calls.join(' ')} return sum == 0 ? 2 : 1; }`;
}

describe('generated modules of this package', () => {
  it.each(NAMES)('%s is built from the sources as they are', (name) => {
    const source = join(support, 'programs', `${name}.bpf.c`);
    expect(staleReason(source, { outDirectory: join(support, 'generated') })).toBeUndefined();
  });
});

describe.skipIf(tools.some(({ path }) => path === undefined))('the build tool', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'evenkeel-build-'));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  const write = (name: string, body: string): string => {
    const file = join(folder, `${name}.bpf.c`);
    writeFileSync(file, `#include <evenkeel/bpf.h>\n${body}\nEVENKEEL_LICENSE;\n`);
    return file;
  };
  const importFrom = pathToFileURL(join(import.meta.dirname, '../index.ts')).href;
  const load = async (source: string): Promise<ObjectSpec> => {
    const { module } = buildObject(source, { importFrom });
    const loaded = (await import(pathToFileURL(module).href)) as Record<string, unknown>;
    return Object.values(loaded).find(
      (value) => typeof value === 'object' && value !== null && 'loader' in value,
    ) as ObjectSpec;
  };
  const errorOf = (action: () => unknown): string => {
    try {
      action();
    } catch (error) {
      if (isBpfError(error, 'EVENKEEL_BPF_BUILD')) return error.message;
      throw error;
    }
    return 'nothing was thrown';
  };

  it.each(NAMES)('writes the module %s again, the same', (name) => {
    const source = join(support, 'programs', `${name}.bpf.c`);
    const options = { outDirectory: folder, importFrom: '../../../index.ts' };
    const again = readFileSync(buildObject(source, options).module, 'utf8');
    const committed = readFileSync(join(support, 'generated', `${name}.ts`), 'utf8');
    const withoutInputs = (text: string): string => text.replaceAll(/^\/\/ input: .*\n/gmu, '');
    expect(withoutInputs(layoutOf(again))).toBe(withoutInputs(layoutOf(committed)));
  });

  it('notices every change of a source, without a compiler', () => {
    const source = write(
      'watched',
      '#include "part.h"\nSEC("xdp") int p(struct xdp_md *c) { return NUMBER; }',
    );
    const header = join(folder, 'part.h');
    writeFileSync(header, '#define NUMBER 2\n');
    expect(staleReason(source)).toContain('does not exist');
    buildObject(source);
    expect(staleReason(source)).toBeUndefined();
    writeFileSync(header, '#define NUMBER 1\n');
    expect(staleReason(source)).toBe('part.h has changed');
  });

  it.each([
    ['a mistake in C', 'int broken(', 'clang failed:'],
    [
      'a bit field',
      'struct k { __u32 a : 3; }; struct { __uint(type, BPF_MAP_TYPE_HASH); __uint(max_entries, 1); __type(key, struct k); __type(value, __u32); } m SEC(".maps"); SEC("xdp") int p(struct xdp_md *c) { return 2; }',
      'bit field "a"',
    ],
    [
      'a section of no known kind',
      'SEC("kprobe/x") int p(void *c) { return 0; }',
      'section "kprobe/x" is of no known kind',
    ],
    [
      'a table that the compiler puts elsewhere',
      'static int table[4] = { 5, 6, 7, 8 }; volatile __u32 which; SEC("xdp") int p(struct xdp_md *c) { return which < 4 ? table[which] : 0; }',
      'section .rodata.cst16 cannot be loaded: it holds "table"; make it a global `const volatile` variable',
    ],
    [
      'an enum as the key of an array',
      'enum which { A, B }; struct { __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY); __uint(max_entries, 2); __type(key, enum which); __type(value, __u32); } m SEC(".maps"); SEC("xdp") int p(struct xdp_md *c) { return 2; }',
      'map m: the key of an array has to be __u32, and this is of kind enum',
    ],
    [
      'more functions than the loader has room for',
      manyFunctions(33),
      '33 functions, programs and what they call, in one object: a light skeleton takes 32; inline some',
    ],
  ])('says what is wrong: %s', (_what, body, message) => {
    expect(errorOf(() => buildObject(write('wrong', body)))).toContain(message);
  });

  it.skipIf(kernel.path === undefined)('loads as many functions as it lets pass', async () => {
    const object = loadObject(await load(write('many', manyFunctions(32))));
    expect(object.programs['p']!.testRun({ data: new Uint8Array(64) }).verdict).toBe(2);
    object.close();
  });

  it.skipIf(kernel.path === undefined)(
    'links functions of other sections, variables and defines',
    async () => {
      const source = write(
        'linked',
        `static volatile int table[4] = { 5, 6, 7, 8 };
       volatile __u32 which = 2;
       __noinline int helper_one(__u32 index) { return index < 4 ? table[index] : 0; }
       static __noinline int helper_two(__u32 index) { return helper_one(index) + helper_one(index + 1); }
       SEC("xdp") int first(struct xdp_md *c) { return helper_two(which); }
       SEC("xdp") int second(struct xdp_md *c) { return helper_two(which) + helper_one(0); }`,
      );
      const spec = await load(source);
      for (const loader of ['light', 'direct'] as const) {
        const object = loadObject(spec, { loader });
        const verdicts = ['first', 'second'].map(
          (name) => object.programs[name]!.testRun({ data: new Uint8Array(64) }).verdict,
        );
        expect(verdicts).toEqual([7 + 8, 7 + 8 + 5]);
        object.close();
      }
    },
  );

  it.skipIf(kernel.path === undefined)('loads a program of every kind of section', async () => {
    const sections = Object.keys(SECTION_KINDS);
    // A light skeleton takes at most 32 programs.
    for (const [part, names] of [sections.slice(0, 20), sections.slice(20)].entries()) {
      const programs = names.map(
        (name, index) => `SEC("${name}") int p${index}(void *c) { return 1; }`,
      );
      const spec = await load(write(`sections${part}`, programs.join('\n')));
      for (const loader of ['light', 'direct'] as const) {
        const object = loadObject(spec, { loader });
        for (const [index, name] of names.entries()) {
          expect(object.programs[`p${index}`]?.info().type).toBe(SECTION_KINDS[name]?.type);
        }
        object.close();
      }
    }
  });

  it.skipIf(kernel.path === undefined)('knows arrays of programs, for tail calls', async () => {
    const source = write(
      'tail',
      `struct { __uint(type, BPF_MAP_TYPE_PROG_ARRAY); __uint(max_entries, 2); __uint(key_size, 4); __uint(value_size, 4); } next SEC(".maps");
       SEC("xdp") int jump(struct xdp_md *c) { bpf_tail_call(c, &next, 1); return XDP_ABORTED; }
       SEC("xdp") int land(struct xdp_md *c) { return XDP_TX; }`,
    );
    const object = loadObject(await load(source));
    const { jump, land } = object.programs;
    const next = object.maps['next'] as BpfMap<number, number>;
    const verdict = (): number => jump!.testRun({ data: new Uint8Array(64) }).verdict;
    expect(verdict()).toBe(0);
    next.update(1, land!.fd);
    expect(verdict()).toBe(3);
    expect(next.lookup(1)).toBe(land!.info().id);
    expect(next.delete(1)).toBe(true);
    expect(verdict()).toBe(0);
    object.close();
  });

  it('is a command', () => {
    const told: string[] = [];
    const output = {
      out: (text: string) => told.push(text),
      error: (text: string) => told.push(text),
    };
    const source = write('tool', 'SEC("xdp") int p(struct xdp_md *c) { return VERDICT; }');
    const command = (...args: string[]): number => runCommand(args, output);
    expect(command('build', '--out', join(folder, 'out'), '--define', 'VERDICT=2', source)).toBe(0);
    expect(told.pop()).toContain('tool.bpf.c -> ');
    expect(command('build', '--check', '--out', join(folder, 'out'), source)).toBe(0);
    expect(command('build', '--check', source)).toBe(1);
    expect(told.pop()).toContain('does not exist: run evenkeel-bpf build');
    expect(command('build', source)).toBe(1);
    expect(told.pop()).toContain('VERDICT');
    expect(command('build', join(folder, 'nothing.bpf.c'))).toBe(1);
    expect(command('build', join(folder, 'tool.c'))).toBe(1);
    expect(told.pop()).toContain('ends with .bpf.c');
    for (const wrong of [[], ['build'], ['make', source], ['build', '--nonsense', source]]) {
      expect(command(...wrong)).toBe(2);
      expect(told.pop()).toContain('Usage: evenkeel-bpf build');
    }
    expect(command('--help')).toBe(0);
  });

  it('takes a damaged object for what it is', () => {
    const object = join(folder, 'fuzz.o');
    run(
      'clang',
      '-O2',
      '-g',
      '-target',
      'bpf',
      '-c',
      ...['-I', join(import.meta.dirname, '../../include')],
      ...[
        '-isystem',
        '/usr/include/x86_64-linux-gnu',
        '-isystem',
        '/usr/include/aarch64-linux-gnu',
      ],
      join(support, 'programs/basic.bpf.c'),
      '-o',
      object,
    );
    const good = readFileSync(object);
    const change = fc.array(fc.tuple(fc.nat({ max: good.length - 1 }), fc.nat({ max: 255 })), {
      minLength: 1,
      maxLength: 20,
    });
    fc.assert(
      fc.property(change, fc.nat({ max: good.length }), (changes, cut) => {
        const bytes = new Uint8Array(good);
        for (const [at, value] of changes) bytes[at] = value;
        for (const variant of [bytes, bytes.subarray(0, cut)]) {
          try {
            const elf = parseElf(variant);
            const btf = elf.sections.find(({ name }) => name === '.BTF');
            if (btf !== undefined) parseBtf(btf.data);
          } catch (error) {
            if (!isBpfError(error, 'EVENKEEL_BPF_FORMAT')) throw error;
          }
        }
      }),
      { seed: 20_260_103, numRuns: 500 },
    );
  });
});

describe.skipIf(kernel.path === undefined)('BTF of the running kernel', () => {
  it('is understood as a whole', () => {
    const graph = new BtfGraph(parseBtf(readFileSync('/sys/kernel/btf/vmlinux')));
    const sizes = new Map<string, number>();
    for (const [id, type] of graph.ofKind('struct')) {
      expect(graph.sizeOf(id)).toBe(type.bytes);
      sizes.set(type.name, type.bytes);
    }
    expect(sizes.get('list_head')).toBe(16);
    expect(sizes.get('iphdr')).toBe(20);
    expect(sizes.get('ipv6hdr')).toBe(40);
  });
});
