/**
 * Turns the import table into oxlint overrides.
 *
 * `no-restricted-imports` sees the specifier as written, not the file it leads to, so each rule is
 * written per depth: a file two folders below `src/` leaves its top folder with exactly `../../`.
 * The rule's regular expressions have no look-ahead, hence `startsWithNoneOf`, which spells "starts
 * with none of these words" out as a plain automaton.
 */
import type { OxlintOverride } from 'oxlint';
import type { ImportRow } from './import-table.ts';

/** Depths below `src/` that get rules; a deeper file is reported by `assertKnownFolders`. */
const MAX_DEPTH = 5;

/** The row of the files that lie directly in `src/`: the main entry. */
const ROOT = '.';

/** Stands for the end of the specifier in a word given to `startsWithNoneOf`. */
export const END: string = '$';

interface RestrictedPattern {
  readonly regex: string;
  readonly message: string;
}

/** Builds the overrides for all folders of one package. Later overrides win, so parents come first. */
export function importOverrides(packageName: string, rows: readonly ImportRow[]): OxlintOverride[] {
  const parentsFirst = [...rows].sort((a, b) => depthOf(a.folder) - depthOf(b.folder));
  return parentsFirst.flatMap((row) => overridesOfRow(packageName, row));
}

function overridesOfRow(packageName: string, row: ImportRow): OxlintOverride[] {
  if (row.folder === ROOT) return [rootOverride(packageName, row)];
  const overrides: OxlintOverride[] = [];
  for (let depth = depthOf(row.folder); depth <= MAX_DEPTH; depth += 1) {
    const between = '*/'.repeat(depth - depthOf(row.folder));
    overrides.push({
      files: [`packages/${packageName}/src/${row.folder}/${between}*.ts`],
      rules: { 'no-restricted-imports': ['error', { patterns: patternsAt(depth, row) }] },
    });
  }
  return overrides;
}

function rootOverride(packageName: string, row: ImportRow): OxlintOverride {
  const patterns: RestrictedPattern[] = [
    {
      regex: `^\\./${startsWithNoneOf(row.may.map(asPrefix))}`,
      message: `the main entry may import only ${list(row.may)}: ${row.note ?? ''} (import table in CONTRIBUTING.md).`,
    },
    { regex: '^[^.]', message: 'the main entry imports no package.' },
  ];
  return {
    files: [`packages/${packageName}/src/*.ts`],
    rules: { 'no-restricted-imports': ['error', { patterns }] },
  };
}

function patternsAt(depth: number, row: ImportRow): RestrictedPattern[] {
  const patterns: RestrictedPattern[] = [
    {
      regex: `^(\\.\\./){${depth}}${startsWithNoneOf(row.may.map(asPrefix))}`,
      message: `src/${row.folder} may import only ${list(row.may)} (import table in CONTRIBUTING.md).`,
    },
    {
      regex: `^${startsWithNoneOf(['./', '../', ...row.packages.flatMap(asPackagePrefixes)])}`,
      message: `src/${row.folder} may use only these packages: ${list(row.packages)} (import table in CONTRIBUTING.md).`,
    },
  ];
  // From a sub-folder, climbing to the closed folder and down again leads to a sibling.
  const closed = closedFolder(row);
  const climb = closed === undefined ? 0 : depth - depthOf(closed);
  if (climb > 0) {
    patterns.push({
      regex: `^(\\.\\./){${climb}}[^./][^/]*/`,
      message: `folders below src/${closed} do not know each other (import table in CONTRIBUTING.md).`,
    });
  }
  if (row.folder !== 'runtime') {
    patterns.push({ regex: '^node:(timers|perf_hooks)', message: TIME_MESSAGE });
  }
  return patterns;
}

const TIME_MESSAGE =
  'Time, randomness and timers come through the ports in src/runtime, so that everything above runs under a virtual clock.';

const BANNED_GLOBALS = [
  'Date',
  'performance',
  'setTimeout',
  'setInterval',
  'setImmediate',
  'queueMicrotask',
  'clearTimeout',
  'clearInterval',
  'clearImmediate',
] as const;

/** Bans the clock, the timers and the random source in `src/`, except in `runtime/`. */
export function timeOverrides(packageName: string): OxlintOverride[] {
  return [
    {
      files: [`packages/${packageName}/src/**/*.ts`],
      rules: {
        'no-restricted-globals': [
          'error',
          ...BANNED_GLOBALS.map((name) => ({ name, message: TIME_MESSAGE })),
        ],
        'no-restricted-properties': [
          'error',
          { object: 'Math', property: 'random', message: TIME_MESSAGE },
          { object: 'process', property: 'hrtime', message: TIME_MESSAGE },
          { object: 'crypto', property: 'getRandomValues', message: TIME_MESSAGE },
          ...BANNED_GLOBALS.map((property) => ({
            object: 'globalThis',
            property,
            message: TIME_MESSAGE,
          })),
        ],
      },
    },
    {
      files: [`packages/${packageName}/src/runtime/**/*.ts`],
      rules: { 'no-restricted-globals': 'off', 'no-restricted-properties': 'off' },
    },
  ];
}

/**
 * A regular expression (to be appended to an anchored one) for "starts with none of `words`".
 * A word that ends with `END` stands for the whole rest of the string.
 */
export function startsWithNoneOf(words: readonly string[]): string {
  if (words.length === 0) return '';
  if (words.includes('')) return '[^\\s\\S]';
  const tails = new Map<string, string[]>();
  for (const word of words) {
    const first = word.slice(0, 1);
    tails.set(first, [...(tails.get(first) ?? []), word.slice(1)]);
  }
  const letters = [...tails.keys()].filter((letter) => letter !== END);
  const alternatives: string[] = [];
  if (letters.length > 0) alternatives.push(`[^${letters.map(escapeInClass).join('')}]`);
  else alternatives.push('[\\s\\S]');
  if (!tails.has(END)) alternatives.push('$');
  for (const letter of letters) {
    const rest = tails.get(letter) ?? [];
    if (!rest.includes('')) alternatives.push(`${escape(letter)}${startsWithNoneOf(rest)}`);
  }
  return `(?:${alternatives.join('|')})`;
}

const escape = (text: string): string => text.replace(/[.*+?^${}()|[\]\\/]/gu, '\\$&');
const escapeInClass = (text: string): string => text.replace(/[\]\\^-]/gu, '\\$&');

/** `model` allows everything below it, `cluster/cluster.ts` exactly that file. */
const asPrefix = (name: string): string => (name.endsWith('.ts') ? `${name}${END}` : `${name}/`);

const asPackagePrefixes = (name: string): string[] =>
  name === 'node:*' ? ['node:'] : [`${name}${END}`, `${name}/`];

/** The folder whose sub-folders may not reach each other: the row's own, or that of a nested row. */
function closedFolder(row: ImportRow): string | undefined {
  if (row.closedSubfolders === true) return row.folder;
  if (row.openSubfolders === true) return undefined;
  const slash = row.folder.lastIndexOf('/');
  return slash < 0 ? undefined : row.folder.slice(0, slash);
}

const depthOf = (folder: string): number => folder.split('/').length;

const list = (names: readonly string[]): string =>
  names.length === 0 ? 'nothing' : names.join(', ');
