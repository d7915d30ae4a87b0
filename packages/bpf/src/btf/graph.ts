import { type BpfError, formatError } from '../error/bpf-error.ts';
import type { BtfType } from './btf.ts';

/** Longest chain of typedefs and qualifiers, and deepest nesting of arrays. Beyond it lies a cycle. */
const MAX_DEPTH = 64;

/** Largest value that a map may have here; the kernel's own limit is below it. */
const MAX_BYTES = 2 ** 31;

/** The types of a kind; those that share a shape with others too. */
export type OfKind<K extends BtfType['kind']> = BtfType extends infer T
  ? T extends { readonly kind: infer Kind }
    ? K extends Kind
      ? T
      : never
    : never
  : never;

/** Questions to the types of an object. Hostile references, cycles and sizes end in a `BpfError`. */
export class BtfGraph {
  readonly #types: readonly BtfType[];

  constructor(types: readonly BtfType[]) {
    this.#types = types;
  }

  get length(): number {
    return this.#types.length;
  }

  /** @throws BpfError `EVENKEEL_BPF_FORMAT` for an id that does not exist */
  get(id: number): BtfType {
    const type = this.#types[id];
    if (type === undefined) throw malformed(`reference to type ${id} of ${this.#types.length}`);
    return type;
  }

  /** The id of a type behind typedefs, qualifiers and tags. */
  resolve(id: number): number {
    let current = id;
    for (let depth = 0; depth < MAX_DEPTH; depth += 1) {
      const type = this.get(current);
      switch (type.kind) {
        case 'typedef':
        case 'volatile':
        case 'const':
        case 'restrict':
        case 'tag':
          current = type.type;
          break;
        default:
          return current;
      }
    }
    throw malformed(`type ${id} stands for itself`);
  }

  /** The type behind typedefs, qualifiers and tags. */
  resolved(id: number): BtfType {
    return this.get(this.resolve(id));
  }

  /** The names of all typedefs on the way to the resolved type: `__be32` says more than `unsigned int`. */
  typedefNames(id: number): readonly string[] {
    const names: string[] = [];
    let current = id;
    for (let depth = 0; depth < MAX_DEPTH; depth += 1) {
      const type = this.get(current);
      if (!('type' in type) || type.kind === 'pointer' || type.kind === 'variable') return names;
      if (type.kind === 'function') return names;
      if (type.kind === 'typedef') names.push(type.name);
      current = type.type;
    }
    return names;
  }

  /** `sizeof`. */
  sizeOf(id: number, depth: number = 0): number {
    if (depth > MAX_DEPTH) throw malformed(`type ${id} contains itself`);
    const type = this.resolved(id);
    switch (type.kind) {
      case 'int':
      case 'float':
      case 'enum':
      case 'struct':
      case 'union':
        return checkBytes(type.bytes);
      case 'pointer':
        return 8;
      case 'array':
        return checkBytes(type.length * this.sizeOf(type.element, depth + 1));
      default:
        throw malformed(`a type of kind ${type.kind} has no size`);
    }
  }

  /** Id and type of everything of some kind. */
  *ofKind<K extends BtfType['kind']>(kind: K): Generator<readonly [id: number, type: OfKind<K>]> {
    for (const [id, type] of this.#types.entries()) {
      if (type.kind === kind) yield [id, type as OfKind<K>];
    }
  }
}

function checkBytes(bytes: number): number {
  if (bytes <= MAX_BYTES) return bytes;
  throw malformed(`a type of ${bytes} bytes`);
}

function malformed(what: string): BpfError {
  return formatError(`malformed BTF: ${what}`);
}
