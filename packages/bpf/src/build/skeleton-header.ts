/** Reads the C header that `bpftool gen skeleton -L` writes: the loader program, its data, and the order of descriptors. */
import { type BpfError, formatError } from '../error/bpf-error.ts';

export interface LightSkeleton {
  readonly data: Uint8Array;
  readonly instructions: Uint8Array;
  /** Identifiers of the maps, in the order of the loader's context. */
  readonly maps: readonly string[];
  readonly programs: readonly string[];
}

export function parseSkeletonHeader(header: string): LightSkeleton {
  const skeleton = {
    data: blob(header, 'data'),
    instructions: blob(header, 'insns'),
    maps: names(header, 'map'),
    programs: names(header, 'prog'),
  };
  for (const [name, bytes] of [
    ['data', skeleton.data],
    ['insns', skeleton.instructions],
  ] as const) {
    const told = Number(
      new RegExp(`opts\\.${name}_sz = (\\d+)`, 'u').exec(header)?.[1] ?? bytes.length,
    );
    if (told !== bytes.length) {
      throw malformed(`${told} bytes of ${name} announced, ${bytes.length} found`);
    }
  }
  return skeleton;
}

/** bpftool writes the blob as a string in place; newer versions as a named array before. */
function blob(header: string, name: 'data' | 'insns'): Uint8Array {
  const start =
    new RegExp(`opts\\.${name} = \\(void \\*\\)"`, 'u').exec(header) ??
    new RegExp(`opts_${name}\\[\\][^="]*= *"`, 'u').exec(header);
  if (start === null) throw malformed(`no opts.${name}`);
  const from = start.index + start[0].length;
  // By hand: a regular expression runs out of stack on a literal of this length.
  let to = from;
  while (to < header.length && header[to] !== '"') to += header[to] === '\\' ? 2 : 1;
  return unescapeC(header.slice(from, to));
}

/** Escapes are a mix of `\0`, `\xNN`, single characters and continued lines. */
function unescapeC(text: string): Uint8Array {
  const bytes: number[] = [];
  for (let index = 0; index < text.length; index += 1) {
    const character = text.charCodeAt(index);
    if (character !== BACKSLASH) {
      bytes.push(character);
      continue;
    }
    index += 1;
    const escape = text[index] ?? '';
    if (escape === '\n') continue;
    if (escape === 'x') {
      bytes.push(Number.parseInt(text.slice(index + 1, index + 3), 16));
      index += 2;
    } else {
      bytes.push(SINGLE[escape] ?? escape.charCodeAt(0));
    }
  }
  return Uint8Array.from(bytes);
}

const BACKSLASH = 0x5c;
const SINGLE: Readonly<Record<string, number>> = {
  0: 0,
  n: 10,
  t: 9,
  r: 13,
  a: 7,
  b: 8,
  f: 12,
  v: 11,
};

function names(header: string, kind: 'map' | 'prog'): string[] {
  const found = header.matchAll(new RegExp(`struct bpf_${kind}_desc (\\w+);`, 'gu'));
  return [...found].map((match) => match[1] ?? '');
}

function malformed(what: string): BpfError {
  return formatError(`bpftool's skeleton is not as expected: ${what}`);
}
