/** Puts a generated module together from a compiled object. */
import { deflateRawSync } from 'node:zlib';
import { parseBtf } from '../btf/btf.ts';
import { BtfGraph } from '../btf/graph.ts';
import { BpfError } from '../error/bpf-error.ts';
import {
  describeMaps,
  describeVariables,
  exportedTypes,
  type Layout,
  type MapDefinition,
} from './describe-maps.ts';
import { type Elf, parseElf } from './elf.ts';
import { linkProgram } from './image.ts';
import { camelCase, pascalCase, uniqueNames } from './names.ts';
import { sectionKind } from './sections.table.ts';
import { type LightSkeleton, parseSkeletonHeader } from './skeleton-header.ts';
import { TypeWriter, type WrittenType } from './type-writer.ts';

/** A file that the object was made from, and the hash of its content. */
export interface InputFile {
  /** Relative to the folder of the generated module. */
  readonly path: string;
  /** SHA-256, hexadecimal. */
  readonly hash: string;
}

export interface ModuleInput {
  /** Name of the object: of the source file, without its endings. */
  readonly name: string;
  readonly object: Uint8Array;
  /** What `bpftool gen skeleton -L` wrote. */
  readonly skeletonHeader: string;
  readonly inputs: readonly InputFile[];
  /** Where the generated module imports from. Default `@evenkeel/bpf`. */
  readonly importFrom?: string;
}

interface Part {
  /** A line inside the type of the object. */
  readonly type: string;
  /** A line inside the object. */
  readonly value: string;
}

/** What libbpf's loader generator has room for (`MAX_USED_PROGS`, `MAX_USED_MAPS`). A function is a program to it. */
const MAX_FUNCTIONS = 32;
const MAX_MAPS = 64;

/** The text of the module. The same input gives the same text. */
export function generateModule(input: ModuleInput): string {
  const elf = parseElf(input.object);
  const graph = new BtfGraph(parseBtf(sectionData(elf, '.BTF')));
  const skeleton = parseSkeletonHeader(input.skeletonHeader);
  for (const [what, count, limit] of [
    ['functions, programs and what they call,', functionCount(elf), MAX_FUNCTIONS],
    ['maps', skeleton.maps.length, MAX_MAPS],
  ] as const) {
    if (count <= limit) continue;
    const cure = what === 'maps' ? '' : 'inline some (__always_inline), or ';
    const message = `${count} ${what} in one object: a light skeleton takes ${limit}; ${cure}use several objects`;
    throw new BpfError('EVENKEEL_BPF_BUILD', message);
  }
  const writer = new TypeWriter(graph);
  const definitions = describeMaps(graph);
  const maps = mapParts(writer, definitions);
  const variables = describeVariables(graph, elf);
  const globals = variables.map((section): Part => {
    const typeName = `${input.name}_${section.kind}`;
    const { ts, codec } = writer.writeStruct(typeName, section.bytes, section.members);
    const initial = section.initial.some((byte) => byte !== 0)
      ? `, initial: '${Buffer.from(section.initial).toString('base64')}'`
      : '';
    writer.needType('GlobalsSpec');
    return {
      type: `    readonly ${section.kind}: GlobalsSpec<${ts}>;`,
      value: `    ${section.kind}: { name: '${section.name}', value: ${codec}${initial} },`,
    };
  });
  for (const id of exportedTypes(graph)) writer.write(id, `${input.name}_type`);
  const programs = programParts(writer, elf, skeleton.programs);
  const mapNames = [...definitions, ...variables].map(({ name }) => name);
  const code = codeLines({ elf, skeleton, mapNames });
  return moduleText(input, { writer, maps, programs, globals, code });
}

/** Functions that are left after inlining. The kernel's words for too many are "invalid read from stack R10". */
function functionCount({ symbols }: Elf): number {
  return symbols.filter(({ type }) => type === SYMBOL_FUNCTION).length;
}

const SYMBOL_FUNCTION = 2;

function sectionData(elf: Elf, name: string): Uint8Array {
  const section = elf.sections.find((candidate) => candidate.name === name);
  if (section !== undefined) return section.data;
  throw new BpfError('EVENKEEL_BPF_BUILD', `the object has no section ${name}: compile with -g`);
}

function mapParts(writer: TypeWriter, definitions: readonly MapDefinition[]): readonly Part[] {
  const names = uniqueNames(
    'maps',
    definitions.map(({ name }) => name),
  );
  return definitions.map((definition, index) => {
    const [, property = ''] = names[index] ?? [];
    const { type, value } = mapPart(writer, definition);
    return { type: `    readonly ${property}: ${type};`, value: `    ${property}: ${value},` };
  });
}

function mapPart(writer: TypeWriter, definition: MapDefinition): Part {
  const { name, type, maxEntries, flags } = definition;
  writer.needType('MapSpec');
  const key = writeLayout(writer, definition.key, `${name}_key`);
  const value = writeLayout(writer, definition.value, `${name}_value`);
  const inner = definition.inner === undefined ? undefined : mapPart(writer, definition.inner);
  const parameters = [`'${type}'`, key.ts, value.ts, ...(inner === undefined ? [] : [inner.type])];
  const members = [
    `name: '${name}'`,
    `type: '${type}'`,
    `key: ${key.codec}`,
    `value: ${value.codec}`,
    `maxEntries: ${maxEntries}`,
    ...(flags === 0 ? [] : [`flags: ${flags}`]),
    ...(inner === undefined ? [] : [`inner: ${inner.value}`]),
  ];
  return { type: `MapSpec<${parameters.join(', ')}>`, value: `{ ${members.join(', ')} }` };
}

function writeLayout(writer: TypeWriter, layout: Layout, hint: string): WrittenType {
  if ('type' in layout) {
    const written = writer.write(layout.type, hint);
    return written;
  }
  const known: Readonly<Record<number, WrittenType>> = {
    0: { ts: 'undefined', codec: 'nothing' },
    4: { ts: 'number', codec: 'u32' },
    8: { ts: 'bigint', codec: 'u64' },
  };
  const written = known[layout.bytes] ?? { ts: 'Uint8Array', codec: `bytes(${layout.bytes})` };
  writer.need(written.codec.replace(/\(.*/u, ''));
  return written;
}

function programParts(writer: TypeWriter, elf: Elf, names: readonly string[]): readonly Part[] {
  writer.needType('ProgramSpec');
  return uniqueNames('programs', names).map(([name, property]) => {
    const symbol = elf.symbols.find((candidate) => candidate.name === name && candidate.type === 2);
    const section = elf.sections[symbol?.section ?? 0]?.name ?? '';
    const kind = sectionKind(section);
    if (kind === undefined) {
      throw new BpfError(
        'EVENKEEL_BPF_BUILD',
        `program ${name}: section "${section}" is of no known kind`,
      );
    }
    const attach = kind.attachType === undefined ? '' : `, attachType: '${kind.attachType}'`;
    return {
      type: `    readonly ${property}: ProgramSpec<'${kind.type}'>;`,
      value: `    ${property}: { name: '${name}', type: '${kind.type}'${attach} },`,
    };
  });
}

interface CodeInput {
  readonly elf: Elf;
  readonly skeleton: LightSkeleton;
  readonly mapNames: readonly string[];
}

function codeLines({ elf, skeleton, mapNames }: CodeInput): string[] {
  const license = new TextDecoder().decode(sectionData(elf, 'license')).replace(/\0[\s\S]*$/u, '');
  // bpftool leaves the dot of a section out of the identifier.
  const loaderMaps = skeleton.maps.map((name) => (mapNames.includes(name) ? name : `.${name}`));
  const images: string[] = [];
  const refusals: string[] = [];
  for (const name of skeleton.programs) {
    const symbol = elf.symbols.find((candidate) => candidate.name === name && candidate.type === 2);
    const linked =
      symbol === undefined ? { refusal: 'no symbol' } : linkProgram(elf, symbol, mapNames);
    if (linked.instructions !== undefined) {
      images.push(`      ${name}: '${pack(linked.instructions)}',`);
    } else refusals.push(`      ${name}: ${JSON.stringify(linked.refusal)},`);
  }
  return [
    '  loader: {',
    `    maps: ${list(loaderMaps)},`,
    `    programs: ${list(skeleton.programs)},`,
    `    data: '${pack(skeleton.data)}',`,
    `    instructions: '${pack(skeleton.instructions)}',`,
    '  },',
    '  image: {',
    `    license: '${license}',`,
    `    maps: ${list(mapNames)},`,
    '    programs: {',
    ...images,
    '    },',
    ...(refusals.length === 0 ? [] : ['    refusals: {', ...refusals, '    },']),
    '  },',
  ];
}

const pack = (bytes: Uint8Array): string => deflateRawSync(bytes, { level: 9 }).toString('base64');

const list = (names: readonly string[]): string =>
  `[${names.map((name) => `'${name}'`).join(', ')}]`;

/** Marks a generated module, with the hash of each input: `evenkeel-bpf build --check` compares. */
export const INPUT_MARK = '// input: ';

interface Parts {
  readonly writer: TypeWriter;
  readonly maps: readonly Part[];
  readonly programs: readonly Part[];
  readonly globals: readonly Part[];
  readonly code: readonly string[];
}

function moduleText(input: ModuleInput, { writer, maps, programs, globals, code }: Parts): string {
  const { name, inputs, importFrom = '@evenkeel/bpf' } = input;
  writer.needType('ObjectSpec');
  const imports =
    writer.imports.length === 0
      ? `import type { ${writer.typeImports.join(', ')} }`
      : `import { ${[...writer.imports, ...writer.typeImports.map((type) => `type ${type}`)].join(', ')} }`;
  const block = (parts: readonly Part[], pick: (part: Part) => string): string[] => parts.map(pick);
  const section = (parts: readonly Part[]): string =>
    parts.length === 0
      ? '  Record<never, never>'
      : ['  {', ...block(parts, ({ type }) => type), '  }'].join('\n');
  const spec = `${pascalCase(name)}Spec`;
  return [
    `// Generated by evenkeel-bpf build from ${name}.bpf.c. Do not edit: change the C source and build again.`,
    ...inputs.map(({ path, hash }) => `${INPUT_MARK}${path} ${hash}`),
    `${imports} from '${importFrom}';`,
    '',
    ...writer.declarations.flatMap((declaration) => [declaration, '']),
    `export type ${spec} = ObjectSpec<`,
    [maps, programs, globals].map(section).join(',\n'),
    '>;',
    '',
    `export const ${camelCase(name)}: ${spec} = {`,
    '  format: 1,',
    `  name: '${name}',`,
    '  maps: {',
    ...block(maps, ({ value }) => value),
    '  },',
    '  programs: {',
    ...block(programs, ({ value }) => value),
    '  },',
    '  globals: {',
    ...block(globals, ({ value }) => value),
    '  },',
    ...code,
    '};',
    '',
  ].join('\n');
}
