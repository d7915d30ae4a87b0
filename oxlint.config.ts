import { readdirSync } from 'node:fs';
import { defineConfig } from 'oxlint';
import { importOverrides, timeOverrides } from './scripts/lint/import-rules.ts';
import { importTables } from './scripts/lint/import-table.ts';

const tables = Object.entries(importTables);

// Loud rather than lax: a folder that no row covers would be free to import anything.
for (const [name, rows] of tables) {
  const known = new Set(rows.map((row) => row.folder));
  const source = new URL(`packages/${name}/src/`, import.meta.url);
  for (const entry of readdirSync(source, { withFileTypes: true })) {
    if (entry.isDirectory() && !known.has(entry.name)) {
      throw new Error(
        `packages/${name}/src/${entry.name} has no row in scripts/lint/import-table.ts: decide what it may import`,
      );
    }
  }
}

/** Relative paths never leave their package; other packages are imported by name. */
const noForeignSource = {
  regex: '^(\\.\\./)+(packages/)?[a-z0-9-]+/src/',
  message: 'Import another package by its name (@evenkeel/...), not by a path into its sources.',
};

export default defineConfig({
  plugins: ['typescript', 'import', 'unicorn', 'oxc', 'promise', 'node', 'vitest'],
  categories: { correctness: 'error', suspicious: 'off', perf: 'off' },
  options: { typeAware: true, denyWarnings: true, reportUnusedDisableDirectives: 'error' },
  ignorePatterns: ['**/node_modules/**', '**/dist/**', '.cache/**'],
  rules: {
    // Promises and control flow
    'typescript/no-floating-promises': 'error',
    'typescript/no-misused-promises': 'error',
    'typescript/await-thenable': 'error',
    'typescript/only-throw-error': 'error',
    'typescript/switch-exhaustiveness-check': [
      'error',
      { considerDefaultExhaustiveForUnions: true },
    ],
    'typescript/return-await': ['error', 'error-handling-correctness-only'],
    eqeqeq: ['error', 'always', { null: 'ignore' }],
    'no-var': 'error',
    'prefer-const': 'error',

    // Types
    'typescript/no-explicit-any': 'error',
    'typescript/no-non-null-assertion': 'error',
    'typescript/consistent-type-imports': 'error',
    'typescript/no-import-type-side-effects': 'error',
    'typescript/prefer-nullish-coalescing': ['error', { ignorePrimitives: { boolean: true } }],
    'typescript/explicit-module-boundary-types': 'error',
    'typescript/no-namespace': 'error',

    // Modules
    'import/no-cycle': 'error',
    'import/no-default-export': 'error',
    'import/no-self-import': 'error',
    'import/no-mutable-exports': 'error',
    'unicorn/prefer-node-protocol': 'error',

    // Shape
    'max-lines': ['error', { max: 400, skipBlankLines: false, skipComments: false }],
    'max-params': ['error', { max: 3 }],
    'unicorn/filename-case': ['error', { case: 'kebabCase' }],

    // Tests
    'vitest/no-focused-tests': 'error',
    'vitest/valid-expect': ['error', { maxArgs: 2 }],
    // Property tests branch on what was generated, and assert in fast-check or in named helpers.
    'vitest/no-conditional-expect': 'off',
    'vitest/no-standalone-expect': 'off',
    'vitest/expect-expect': 'off',
    'vitest/require-mock-type-parameters': 'off',

    // Parsers of hostile input name control characters on purpose.
    'no-control-regex': 'off',
    // new Array(n) is the way to say a length; Array.from builds it twice.
    'unicorn/no-new-array': 'off',
    'promise/no-callback-in-promise': 'off',
    // `string | 'known'` documents the values that matter.
    'typescript/no-redundant-type-constituents': 'off',
    // A copy of a live iterator before it is changed is not useless.
    'unicorn/no-useless-spread': 'off',
  },
  overrides: [
    ...tables.flatMap(([name, rows]) => [...timeOverrides(name), ...importOverrides(name, rows)]),
    {
      // Inner loops on numbers: an options object would allocate. Four, with a comment that says so.
      files: ['packages/*/src/algorithm/**'],
      rules: { 'max-params': ['error', { max: 4 }] },
    },
    {
      // Handlers' methods are taken off and called with their handler as `this` by runInAsyncScope.
      files: ['packages/*/src/client/**'],
      rules: { 'typescript/unbound-method': 'off' },
    },
    {
      files: ['packages/*/src/**/*.test.ts', 'packages/*/src/**/test-support/**'],
      rules: {
        'no-restricted-globals': 'off',
        'no-restricted-properties': 'off',
        'no-restricted-imports': ['error', { patterns: [noForeignSource] }],
        'typescript/no-non-null-assertion': 'off',
        'typescript/explicit-module-boundary-types': 'off',
        'typescript/unbound-method': 'off',
        'typescript/require-array-sort-compare': 'off',
        'typescript/no-misused-spread': 'off',
        // The callback of a property takes one parameter for each generated value.
        'max-params': 'off',
      },
    },
    {
      files: ['test/**', 'bench/**', 'examples/**', 'scripts/**'],
      rules: {
        'no-restricted-imports': ['error', { patterns: [noForeignSource] }],
        'typescript/no-non-null-assertion': 'off',
      },
    },
    {
      files: ['scripts/**/*.mjs'],
      rules: { 'typescript/explicit-module-boundary-types': 'off' },
    },
    { files: ['**/*.config.ts'], rules: { 'import/no-default-export': 'off' } },
    {
      // Data, not code: splitting a table by size would only make it harder to read.
      files: ['**/fixtures/**', '**/generated/**', '**/*.table.ts'],
      rules: { 'max-lines': 'off' },
    },
  ],
});
