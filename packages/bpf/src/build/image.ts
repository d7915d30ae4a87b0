/**
 * Links each program on its own: its instructions, the functions it calls appended, references to maps turned into
 * indexes that the kernel looks up in a list of descriptors (`fd_array`, Linux 5.14).
 */
import { formatError } from '../error/bpf-error.ts';
import type { Elf, ElfRelocation, ElfSection, ElfSymbol } from './elf.ts';

const INSTRUCTION_BYTES = 8;
const OP_LOAD_64 = 0x18;
const OP_CALL = 0x85;
/** Source registers that give an instruction its meaning (`BPF_PSEUDO_*`). */
const PSEUDO_CALL = 1;
const PSEUDO_MAP_INDEX = 5;
const PSEUDO_MAP_INDEX_VALUE = 6;
const SYMBOL_FUNCTION = 2;

/** A program, or why it cannot be linked this way. */
export type LinkedProgram =
  | { readonly instructions: Uint8Array; readonly refusal?: undefined }
  | { readonly instructions?: undefined; readonly refusal: string };

/** @param mapNames C names of the maps; an index in the result is an index into this list */
export function linkProgram(
  elf: Elf,
  program: ElfSymbol,
  mapNames: readonly string[],
): LinkedProgram {
  try {
    return { instructions: new Linker(elf, mapNames).link(program) };
  } catch (error) {
    return { refusal: (error as Error).message };
  }
}

interface Placed {
  readonly symbol: ElfSymbol;
  /** Index of its first instruction in the output. */
  readonly start: number;
}

class Linker {
  readonly #elf: Elf;
  readonly #mapNames: readonly string[];
  readonly #output: Uint8Array[] = [];
  readonly #placed: Placed[] = [];
  #length = 0;

  constructor(elf: Elf, mapNames: readonly string[]) {
    this.#elf = elf;
    this.#mapNames = mapNames;
  }

  link(program: ElfSymbol): Uint8Array {
    this.#place(program);
    // Functions are appended while they are found, so the list grows during the walk.
    for (let index = 0; index < this.#placed.length; index += 1) {
      const placed = this.#placed[index];
      const code = this.#output[index];
      if (placed !== undefined && code !== undefined) this.#relocate(placed, code);
    }
    return Buffer.concat(this.#output);
  }

  #place(symbol: ElfSymbol): Placed {
    const known = this.#placed.find((placed) => placed.symbol === symbol);
    if (known !== undefined) return known;
    const section = this.#sectionOf(symbol);
    const code = section.data.slice(symbol.value, symbol.value + symbol.bytes);
    if (
      code.length !== symbol.bytes ||
      code.length === 0 ||
      code.length % INSTRUCTION_BYTES !== 0
    ) {
      throw formatError(`function ${symbol.name} of ${symbol.bytes} bytes`);
    }
    const placed = { symbol, start: this.#length };
    this.#placed.push(placed);
    this.#output.push(code);
    this.#length += code.length / INSTRUCTION_BYTES;
    return placed;
  }

  #relocate({ symbol, start }: Placed, code: Uint8Array): void {
    const section = this.#sectionOf(symbol);
    const relocations = new Map(
      this.#elf
        .relocationsOf(section)
        .map((relocation) => [relocation.offset - symbol.value, relocation]),
    );
    const view = new DataView(code.buffer, code.byteOffset, code.length);
    for (let at = 0; at < code.length; at += INSTRUCTION_BYTES) {
      const opcode = view.getUint8(at);
      const relocation = relocations.get(at);
      const source = view.getUint8(at + 1) >>> 4;
      if (opcode === OP_LOAD_64) {
        if (relocation !== undefined) this.#relocateLoad(view, at, relocation);
        at += INSTRUCTION_BYTES;
      } else if (opcode === OP_CALL && source === PSEUDO_CALL) {
        const callee = this.#callee(
          { section, symbol, at },
          view.getInt32(at + 4, true),
          relocation,
        );
        const target = this.#place(callee).start;
        view.setInt32(at + 4, target - (start + at / INSTRUCTION_BYTES) - 1, true);
      } else if (relocation !== undefined) {
        throw formatError(
          `reference to "${relocation.symbol.name}", which only the light skeleton can resolve`,
        );
      }
    }
  }

  #relocateLoad(view: DataView, at: number, { symbol }: ElfRelocation): void {
    const section = this.#elf.sections[symbol.section];
    const isMap = section?.name === '.maps';
    const name = isMap ? symbol.name : (section?.name ?? '');
    const index = this.#mapNames.indexOf(name);
    if (symbol.section === 0 || index < 0) {
      throw formatError(`reference to "${symbol.name || name}", which is no map and no variable`);
    }
    const register = view.getUint8(at + 1) & 0xf;
    const addend = view.getInt32(at + 4, true);
    const kind = isMap ? PSEUDO_MAP_INDEX : PSEUDO_MAP_INDEX_VALUE;
    view.setUint8(at + 1, register | (kind << 4));
    view.setInt32(at + 4, index, true);
    view.setInt32(at + INSTRUCTION_BYTES + 4, isMap ? 0 : symbol.value + addend, true);
  }

  #callee(
    from: { readonly section: ElfSection; readonly symbol: ElfSymbol; readonly at: number },
    immediate: number,
    relocation: ElfRelocation | undefined,
  ): ElfSymbol {
    const section = relocation?.symbol.section ?? from.section.index;
    const base = relocation === undefined ? from.symbol.value + from.at : relocation.symbol.value;
    const offset = base + (immediate + 1) * INSTRUCTION_BYTES;
    const callee = this.#elf.symbols.find(
      (symbol) =>
        symbol.type === SYMBOL_FUNCTION && symbol.section === section && symbol.value === offset,
    );
    if (callee !== undefined && section !== 0) return callee;
    throw formatError(
      `call of "${relocation?.symbol.name ?? `offset ${offset}`}", which is not in this object`,
    );
  }

  #sectionOf(symbol: ElfSymbol): ElfSection {
    const section = this.#elf.sections[symbol.section];
    if (section === undefined) throw formatError(`function ${symbol.name} has no section`);
    return section;
  }
}
