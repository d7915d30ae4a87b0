/** Reads map definitions (`SEC(".maps")`) and sections of variables from BTF and ELF. */
import type { BtfMember, BtfType } from '../btf/btf.ts';
import type { BtfGraph } from '../btf/graph.ts';
import { BpfError } from '../error/bpf-error.ts';
import { MAP_TYPE, type MapType } from '../kernel/uapi.table.ts';
import type { Elf } from './elf.ts';

/** A key or value: a type, or just a number of bytes. */
export type Layout = { readonly type: number } | { readonly bytes: number };

export interface MapDefinition {
  readonly name: string;
  readonly type: MapType;
  readonly key: Layout;
  readonly value: Layout;
  readonly maxEntries: number;
  readonly flags: number;
  readonly inner?: MapDefinition;
}

export interface VariableSection {
  /** `.rodata`, `.data` or `.bss`. */
  readonly name: string;
  readonly kind: 'rodata' | 'data' | 'bss';
  readonly bytes: number;
  readonly members: readonly BtfMember[];
  readonly initial: Uint8Array;
}

type Struct = Extract<BtfType, { readonly kind: 'struct' | 'union' }>;

export function describeMaps(graph: BtfGraph): readonly MapDefinition[] {
  return variablesOf(graph, '.maps').map(({ name, type }) => {
    const definition = graph.resolved(type);
    if (definition.kind !== 'struct') throw buildError(`map ${name} is not defined by a struct`);
    return describeMap(graph, name, definition);
  });
}

function describeMap(graph: BtfGraph, name: string, definition: Struct): MapDefinition {
  const member = (key: string): BtfMember | undefined =>
    definition.members.find((candidate) => candidate.name === key);
  const number = (key: string): number | undefined => {
    const found = member(key);
    return found === undefined ? undefined : pointedLength(graph, `${name}.${key}`, found.type);
  };
  const typeNumber = number('type');
  const type = MAP_TYPES.get(typeNumber ?? 0);
  if (type === undefined) throw buildError(`map ${name} is of unknown type ${typeNumber}`);
  const layout = (key: 'key' | 'value'): Layout => {
    const found = member(key);
    if (found === undefined) return { bytes: number(`${key}_size`) ?? 0 };
    return { type: pointedType(graph, `${name}.${key}`, found.type) };
  };
  const inner = member('values');
  const nested = inner === undefined ? undefined : innerOf(graph, name, inner.type);
  const isNested = type === 'array-of-maps' || type === 'hash-of-maps';
  if (isNested && nested === undefined)
    throw buildError(`map ${name} of maps does not say of which (__array(values, ...))`);
  // The entries are descriptors of maps or programs, whatever the definition says.
  const holdsDescriptors = isNested || type === 'prog-array';
  const keyLayout = layout('key');
  if (type === 'array' || type === 'percpu-array') assertArrayKey(graph, name, keyLayout);
  return {
    name,
    type,
    key:
      holdsDescriptors && 'bytes' in keyLayout && keyLayout.bytes === 0 ? { bytes: 4 } : keyLayout,
    value: holdsDescriptors ? { bytes: 4 } : layout('value'),
    maxEntries: number('max_entries') ?? 0,
    flags: number('map_flags') ?? 0,
    ...(nested === undefined || !isNested ? {} : { inner: nested }),
  };
}

/** The kernel answers with a bare EINVAL where the type information says anything else. */
function assertArrayKey(graph: BtfGraph, name: string, key: Layout): void {
  if ('bytes' in key) return;
  const { kind } = graph.resolved(key.type);
  if (kind === 'int' && graph.sizeOf(key.type) === 4) return;
  throw buildError(`map ${name}: the key of an array has to be __u32, and this is of kind ${kind}`);
}

/** `__array(values, struct inner)`: an array of pointers to the inner map's definition. */
function innerOf(graph: BtfGraph, name: string, id: number): MapDefinition | undefined {
  const values = graph.resolved(id);
  if (values.kind !== 'array') return undefined;
  const pointer = graph.resolved(values.element);
  if (pointer.kind !== 'pointer') return undefined;
  const definition = graph.resolved(pointer.type);
  return definition.kind === 'struct' ? describeMap(graph, `${name}_inner`, definition) : undefined;
}

/** `__uint(name, value)` is a pointer to an array of that many elements. */
function pointedLength(graph: BtfGraph, what: string, id: number): number {
  const array = graph.resolved(pointedType(graph, what, id));
  if (array.kind === 'array') return array.length;
  throw buildError(`${what} is not a number: use __uint`);
}

function pointedType(graph: BtfGraph, what: string, id: number): number {
  const pointer = graph.resolved(id);
  if (pointer.kind === 'pointer') return pointer.type;
  throw buildError(`${what} is not a pointer: use __type`);
}

/**
 * The compiler keeps constant arrays and string literals in sections of their own, which libbpf does not load.
 *
 * @throws BpfError `EVENKEEL_BPF_BUILD`, which says how to write it instead
 */
export function assertLoadableSections(elf: Elf): void {
  const literals = elf.sections.find(
    ({ name, bytes }) => /^\.(rodata|data|bss)\./u.test(name) && bytes > 0,
  );
  if (literals === undefined) return;
  const named = elf.symbols.find(({ section, name }) => section === literals.index && name !== '');
  const what = named === undefined ? 'a constant or a string literal' : `"${named.name}"`;
  throw buildError(
    `section ${literals.name} cannot be loaded: it holds ${what}; make it a global \`const volatile\` variable`,
  );
}

/** The sections of global variables; `static` ones are the program's own affair. */
export function describeVariables(graph: BtfGraph, elf: Elf): readonly VariableSection[] {
  return (['rodata', 'data', 'bss'] as const).flatMap((kind) => {
    const name = `.${kind}`;
    const section = elf.sections.find((candidate) => candidate.name === name);
    if (section === undefined || section.bytes === 0) return [];
    const members = variablesOf(graph, name).flatMap((variable) => {
      const symbol = elf.symbols.find(
        (candidate) => candidate.section === section.index && candidate.name === variable.name,
      );
      // In the object file BTF has no offsets yet: the symbol does.
      if (symbol === undefined || !variable.isGlobal) return [];
      return [
        { name: variable.name, type: variable.type, bitOffset: symbol.value * 8, bitSize: 0 },
      ];
    });
    return [{ name, kind, bytes: section.bytes, members, initial: section.data }];
  });
}

/** Ids of the types named by `EVENKEEL_EXPORT_TYPE`. */
export function exportedTypes(graph: BtfGraph): readonly number[] {
  return variablesOf(graph, '.evenkeel.types').map(({ name, type }) =>
    pointedType(graph, name, type),
  );
}

type Variable = Extract<BtfType, { readonly kind: 'variable' }>;

function variablesOf(graph: BtfGraph, section: string): Variable[] {
  const variables: Variable[] = [];
  for (const [, type] of graph.ofKind('datasec')) {
    if (type.name !== section) continue;
    for (const { type: id } of type.variables) {
      const variable = graph.get(id);
      if (variable.kind === 'variable') variables.push(variable);
    }
  }
  return variables;
}

const MAP_TYPES: ReadonlyMap<number, MapType> = new Map(
  Object.entries(MAP_TYPE).map(([name, number]) => [number, name as MapType]),
);

function buildError(message: string): BpfError {
  return new BpfError('EVENKEEL_BPF_BUILD', message);
}
