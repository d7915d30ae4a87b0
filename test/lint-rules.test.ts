/**
 * The lint configuration is a contract (CONTRIBUTING.md prints it), so it has tests: files that
 * break a rule are put into a copy of the tree, and the linter must say so, in the rule's words.
 */
import { cpSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { END, startsWithNoneOf } from '../scripts/lint/import-rules.ts';
import { importTables, renderImportTable } from '../scripts/lint/import-table.ts';
import { lintCases } from './fixtures/lint-cases.ts';
import { repositoryRoot, runProcess } from './support/run-process.ts';
import {
  createTemporaryDirectory,
  type TemporaryDirectory,
} from './support/temporary-directory.ts';

interface Diagnostic {
  readonly code: string;
  readonly message: string;
  readonly help?: string;
  readonly filename: string;
}

const pathOf = (file: string): string =>
  file.startsWith('/') ? file.slice(1) : `packages/core/src/${file}`;

describe('lint rules', () => {
  let directory: TemporaryDirectory;
  const reports = new Map<string, string[]>();

  beforeAll(async () => {
    directory = await createTemporaryDirectory('lint');
    writeTree(directory.path);
    // Run from the copy: the configuration reads the tree it lies in.
    const result = await runProcess('oxlint', ['-f', 'json'], { cwd: directory.path });
    const { diagnostics } = JSON.parse(result.stdout) as { diagnostics: Diagnostic[] };
    for (const { filename, code, message, help = '' } of diagnostics) {
      const lines = reports.get(filename) ?? [];
      reports.set(filename, [...lines, `${code}: ${message} ${help}`]);
    }
  });

  afterAll(() => directory.remove());

  it.each(lintCases.filter((entry) => entry.says !== undefined))(
    '$file is reported: $says',
    ({ file, says }) => {
      const report = reports.get(pathOf(file)) ?? [];
      expect(report.some((line) => says?.test(line))).toBe(true);
    },
  );

  it.each(lintCases.filter((entry) => entry.says === undefined))('$file is clean', ({ file }) => {
    expect(reports.get(pathOf(file)) ?? []).toEqual([]);
  });

  it('a folder without a row in the import table stops the lint run', async () => {
    const folder = join(directory.path, 'packages/core/src/newcomer');
    mkdirSync(folder);
    const result = await runProcess('oxlint', [], { cwd: directory.path });
    expect(result.code).not.toBe(0);
    expect(result.stdout + result.stderr).toContain('packages/core/src/newcomer has no row');
  });
});

describe('import table', () => {
  it.each(Object.entries(importTables))(
    'of %s is printed in CONTRIBUTING.md as the linter enforces it',
    (_name, rows) => {
      const text = readFileSync(join(repositoryRoot, 'CONTRIBUTING.md'), 'utf8');
      expect(squeezeTable(text)).toContain(squeezeTable(renderImportTable(rows)));
    },
  );

  it.each([
    { words: ['model/', 'error/'], text: 'model/x.ts', matches: false },
    { words: ['model/', 'error/'], text: 'models/x.ts', matches: true },
    { words: ['model/', 'error/'], text: 'mod', matches: true },
    { words: ['model/', 'error/'], text: '', matches: true },
    { words: [`zod${END}`, 'zod/'], text: 'zod', matches: false },
    { words: [`zod${END}`, 'zod/'], text: 'zod/v4', matches: false },
    { words: [`zod${END}`, 'zod/'], text: 'zodiac', matches: true },
    { words: [`cluster/face.ts${END}`], text: 'cluster/face.ts', matches: false },
    { words: [`cluster/face.ts${END}`], text: 'cluster/facetts', matches: true },
    { words: [], text: 'anything', matches: true },
  ])('startsWithNoneOf($words) on "$text": $matches', ({ words, text, matches }) => {
    expect(new RegExp(`^${startsWithNoneOf(words)}`, 'u').test(text)).toBe(matches);
  });
});

/** A table as a formatter may have padded it, without the padding. */
function squeezeTable(text: string): string {
  return text.replace(/ +\|/gu, ' |').replace(/-{3,}/gu, '---');
}

function writeTree(root: string): void {
  for (const path of ['oxlint.config.ts', 'package.json', 'tsconfig.base.json', 'scripts/lint']) {
    cpSync(join(repositoryRoot, path), join(root, path), { recursive: true });
  }
  // One plain project for the whole copy: the rules, not the build, are under test.
  const tsconfig = {
    extends: './tsconfig.base.json',
    compilerOptions: { noEmit: true },
    include: ['packages', 'test', 'bench'],
  };
  writeFileSync(join(root, 'tsconfig.json'), JSON.stringify(tsconfig));
  symlinkSync(join(repositoryRoot, 'node_modules'), join(root, 'node_modules'));
  // The configuration reads the folders of every package that has a table.
  for (const name of Object.keys(importTables)) {
    mkdirSync(join(root, 'packages', name, 'src'), { recursive: true });
  }
  for (const { file, source } of lintCases) {
    const path = join(root, pathOf(file));
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, source);
  }
}
