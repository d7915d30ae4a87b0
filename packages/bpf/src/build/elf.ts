/** As much of ELF as BPF objects need: sections, symbols, relocations of a 64-bit little-endian object. */
import { type BpfError, formatError } from '../error/bpf-error.ts';

export interface ElfSection {
  readonly index: number;
  readonly name: string;
  readonly type: number;
  readonly data: Uint8Array;
  /** Size in memory; of `.bss` too, which has no data in the file. */
  readonly bytes: number;
  readonly link: number;
  readonly info: number;
}

export interface ElfSymbol {
  readonly name: string;
  /** `STT_*`: 1 object, 2 function, 3 section. */
  readonly type: number;
  /** Offset in its section. */
  readonly value: number;
  readonly bytes: number;
  readonly section: number;
}

export interface ElfRelocation {
  /** Where in the section it applies. */
  readonly offset: number;
  readonly symbol: ElfSymbol;
  readonly type: number;
}

export interface Elf {
  readonly sections: readonly ElfSection[];
  readonly symbols: readonly ElfSymbol[];
  /** The relocations of a section. */
  relocationsOf(section: ElfSection): readonly ElfRelocation[];
}

const SECTION_SYMTAB = 2;
const SECTION_NOBITS = 8;
const SECTION_REL = 9;
const MACHINE_BPF = 247;

export function parseElf(file: Uint8Array): Elf {
  // Not a Buffer, whose slices share memory: whoever changes a copy must not change the file.
  const bytes = new Uint8Array(file.buffer, file.byteOffset, file.length);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  if (bytes.length < 64 || view.getUint32(0, false) !== 0x7f45_4c46) throw malformed('no ELF file');
  if (view.getUint8(4) !== 2 || view.getUint8(5) !== 1) throw malformed('not 64-bit little-endian');
  if (view.getUint16(18, true) !== MACHINE_BPF) throw malformed('not for BPF');
  const sections = readSections(bytes, view);
  const symtab = sections.find((section) => section.type === SECTION_SYMTAB);
  const symbols = symtab === undefined ? [] : readSymbols(symtab, sections);
  return {
    sections,
    symbols,
    relocationsOf: ({ index }) => {
      const section = sections.find(({ type, info }) => type === SECTION_REL && info === index);
      return section === undefined ? [] : readRelocations(section, symbols);
    },
  };
}

function readSections(bytes: Uint8Array, view: DataView): ElfSection[] {
  const start = safeNumber(view.getBigUint64(40, true));
  const entryBytes = view.getUint16(58, true);
  const count = view.getUint16(60, true);
  const namesIndex = view.getUint16(62, true);
  if (entryBytes < 64 || start + count * entryBytes > bytes.length)
    throw malformed('section table');
  const raw = Array.from({ length: count }, (_, index) => {
    const at = start + index * entryBytes;
    const type = view.getUint32(at + 4, true);
    const offset = safeNumber(view.getBigUint64(at + 24, true));
    const size = safeNumber(view.getBigUint64(at + 32, true));
    if (type !== SECTION_NOBITS && offset + size > bytes.length)
      throw malformed(`section ${index}`);
    return {
      index,
      nameAt: view.getUint32(at, true),
      type,
      data: type === SECTION_NOBITS ? new Uint8Array(0) : bytes.subarray(offset, offset + size),
      bytes: size,
      link: view.getUint32(at + 40, true),
      info: view.getUint32(at + 44, true),
    };
  });
  const names = raw[namesIndex]?.data ?? new Uint8Array(0);
  return raw.map(({ nameAt, ...section }) => ({ ...section, name: stringAt(names, nameAt) }));
}

function readSymbols(symtab: ElfSection, sections: readonly ElfSection[]): ElfSymbol[] {
  const names = sections[symtab.link]?.data ?? new Uint8Array(0);
  return entriesOf(symtab, 24, (view, at) => ({
    name: stringAt(names, view.getUint32(at, true)),
    type: view.getUint8(at + 4) & 0xf,
    value: safeNumber(view.getBigUint64(at + 8, true)),
    bytes: safeNumber(view.getBigUint64(at + 16, true)),
    section: view.getUint16(at + 6, true),
  }));
}

function readRelocations(section: ElfSection, symbols: readonly ElfSymbol[]): ElfRelocation[] {
  return entriesOf(section, 16, (view, at) => {
    const index = view.getUint32(at + 12, true);
    const symbol = symbols[index];
    if (symbol === undefined) throw malformed(`relocation against symbol ${index}`);
    return {
      offset: safeNumber(view.getBigUint64(at, true)),
      symbol,
      type: view.getUint32(at + 8, true),
    };
  });
}

function entriesOf<T>(
  { data }: ElfSection,
  entryBytes: number,
  read: (view: DataView, at: number) => T,
): T[] {
  const view = new DataView(data.buffer, data.byteOffset, data.length);
  return Array.from({ length: Math.floor(data.length / entryBytes) }, (_, index) =>
    read(view, index * entryBytes),
  );
}

function stringAt(strings: Uint8Array, offset: number): string {
  const end = strings.indexOf(0, offset);
  return end < 0 ? '' : new TextDecoder().decode(strings.subarray(offset, end));
}

function safeNumber(value: bigint): number {
  if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw malformed(`a number of ${value}`);
  return Number(value);
}

function malformed(what: string): BpfError {
  return formatError(`malformed object file: ${what}`);
}
