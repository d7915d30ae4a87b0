/**
 * Writes the TypeScript side of C types: an interface and a codec for each struct, an object of constants for each enum.
 */
import type { BtfMember, BtfType } from '../btf/btf.ts';
import type { BtfGraph } from '../btf/graph.ts';
import { BpfError } from '../error/bpf-error.ts';
import { pascalCase, uniqueNames } from './names.ts';

/** A type in an expression: how it is called in types, and the codec. */
export interface WrittenType {
  readonly ts: string;
  readonly codec: string;
}

type Composite = Extract<BtfType, { readonly kind: 'struct' | 'union' }>;

const BIG_ENDIAN: Readonly<Record<string, WrittenType>> = {
  __be16: { ts: 'number', codec: 'be16' },
  __be32: { ts: 'number', codec: 'be32' },
  __be64: { ts: 'bigint', codec: 'be64' },
};

export class TypeWriter {
  readonly #graph: BtfGraph;
  readonly #written = new Map<number, WrittenType>();
  readonly #names = new Set<string>();
  readonly #imports = new Set<string>();
  readonly #types = new Set<string>();
  readonly #declarations: string[] = [];

  constructor(graph: BtfGraph) {
    this.#graph = graph;
  }

  /** Names that the expressions use from the package. */
  get imports(): readonly string[] {
    return [...this.#imports].sort();
  }

  get typeImports(): readonly string[] {
    return [...this.#types].sort();
  }

  /** Interfaces, codecs and constants, in an order in which each comes after what it uses. */
  get declarations(): readonly string[] {
    return this.#declarations;
  }

  /** @param hint a name for the type should it have none of its own */
  write(id: number, hint: string): WrittenType {
    const bigEndian = this.#graph.typedefNames(id).map((name) => BIG_ENDIAN[name]);
    const wire = bigEndian.find((type) => type !== undefined);
    if (wire !== undefined) return this.#use(wire);
    const resolved = this.#graph.resolve(id);
    const known = this.#written.get(resolved);
    if (known !== undefined) return known;
    const typedef = this.#graph.typedefNames(id)[0];
    const written = this.#writeResolved(resolved, typedef ?? hint);
    this.#written.set(resolved, written);
    return written;
  }

  /** A struct that exists in no C declaration: the variables of a section. */
  writeStruct(name: string, bytes: number, members: readonly BtfMember[]): WrittenType {
    return this.#writeStruct({ kind: 'struct', name, bytes, members }, name);
  }

  /** Names from the package that other parts of the module need as well. */
  need(name: string): void {
    this.#imports.add(name);
  }

  needType(name: string): void {
    this.#types.add(name);
  }

  #use(type: WrittenType): WrittenType {
    this.#imports.add(type.codec.replace(/\(.*/u, ''));
    return type;
  }

  #writeResolved(id: number, hint: string): WrittenType {
    const type = this.#graph.get(id);
    switch (type.kind) {
      case 'int':
        return this.#use(integerOf(type));
      case 'pointer':
        // An address in the kernel: a number to compare and print.
        return this.#use({ ts: 'bigint', codec: 'u64' });
      case 'enum':
        return this.#writeEnum(type, hint);
      case 'struct':
        return this.#writeStruct(type, type.name === '' ? hint : type.name);
      case 'union':
        return this.#use({ ts: 'Uint8Array', codec: `bytes(${type.bytes}, 'union ${type.name}')` });
      case 'array':
        return this.#writeArray(type, hint);
      default:
        throw unsupported(`${hint}: a ${type.kind} cannot be in a key, a value or a variable`);
    }
  }

  #writeArray(type: Extract<BtfType, { kind: 'array' }>, hint: string): WrittenType {
    const { length } = type;
    const element = this.#graph.resolved(type.element);
    const isWire = this.#graph.typedefNames(type.element).some((name) => name in BIG_ENDIAN);
    if (element.kind === 'int' && !isWire && !element.isBool) {
      if (element.bytes === 1) return this.#use({ ts: 'Uint8Array', codec: `bytes(${length})` });
      if (!element.signed && element.bytes === 2) {
        return this.#use({ ts: 'Uint16Array', codec: `u16Array(${length})` });
      }
      if (!element.signed && element.bytes === 4) {
        return this.#use({ ts: 'Uint32Array', codec: `u32Array(${length})` });
      }
    }
    const written = this.write(type.element, hint);
    return this.#use({
      ts: `readonly ${written.ts}[]`,
      codec: `array(${written.codec}, ${length})`,
    });
  }

  #writeEnum(type: Extract<BtfType, { kind: 'enum' }>, hint: string): WrittenType {
    const name = this.#claim(pascalCase(type.name === '' ? hint : type.name));
    const isWide = type.bytes === 8;
    const values = type.values.map(
      ({ name: key, value }) => `  ${key}: ${value}${isWide ? 'n' : ''},`,
    );
    this.#declarations.push(
      [`/** \`enum ${type.name}\` */`, `export const ${name} = {`, ...values, '} as const;'].join(
        '\n',
      ),
    );
    const codec = `${type.signed ? 's' : 'u'}${8 * type.bytes}`;
    return this.#use({ ts: isWide ? 'bigint' : 'number', codec });
  }

  #writeStruct(type: Composite, cName: string): WrittenType {
    const members = this.#flatten(type, 0);
    const names = uniqueNames(
      `struct ${cName}`,
      members.map(({ name }) => name),
    );
    const fields = members.map((member, index) => {
      const written = this.write(member.type, `${cName}_${member.name}`);
      const [, property = ''] = names[index] ?? [];
      return { property, written, offset: member.bitOffset / 8 };
    });
    const name = this.#claim(pascalCase(cName));
    const codec = `${name.slice(0, 1).toLowerCase()}${name.slice(1)}Codec`;
    this.#imports.add('struct');
    this.#types.add('StructCodec');
    this.#declarations.push(
      [
        `/** \`struct ${cName}\`, ${type.bytes} bytes. */`,
        `export interface ${name} {`,
        ...fields.map(({ property, written }) => `  readonly ${property}: ${written.ts};`),
        '}',
        '',
        `export const ${codec}: StructCodec<${name}> = struct<${name}>('${cName}', ${type.bytes}, {`,
        ...fields.map(
          ({ property, written, offset }) => `  ${property}: [${offset}, ${written.codec}],`,
        ),
        '});',
      ].join('\n'),
    );
    return { ts: name, codec };
  }

  /** Members of anonymous structs count as members of the struct around them, as in C. */
  #flatten(type: Composite, bitOffset: number): BtfMember[] {
    return type.members.flatMap((member) => {
      const at = bitOffset + member.bitOffset;
      if (member.bitSize !== 0 || at % 8 !== 0) {
        throw unsupported(
          `struct ${type.name}: bit field "${member.name}" (use masks: their layout is the compiler's)`,
        );
      }
      const inner = this.#graph.resolved(member.type);
      if (member.name === '' && inner.kind === 'struct') return this.#flatten(inner, at);
      const name = member.name === '' ? `union_at_${at / 8}` : member.name;
      return [{ ...member, name, bitOffset: at }];
    });
  }

  #claim(name: string): string {
    if (this.#names.has(name)) throw unsupported(`two C types would both be called ${name}`);
    this.#names.add(name);
    return name;
  }
}

function integerOf({ bytes, signed, isBool }: Extract<BtfType, { kind: 'int' }>): WrittenType {
  if (isBool) return { ts: 'boolean', codec: 'bool' };
  if (bytes === 16) return { ts: 'Uint8Array', codec: "bytes(16, '__int128')" };
  return { ts: bytes === 8 ? 'bigint' : 'number', codec: `${signed ? 's' : 'u'}${8 * bytes}` };
}

function unsupported(message: string): BpfError {
  return new BpfError('EVENKEEL_BPF_BUILD', message);
}
