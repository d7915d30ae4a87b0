import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Options } from 'tsup';

/** The condition under which a package resolves to its TypeScript sources. */
const SOURCE_CONDITION = '@evenkeel/source';

interface Manifest {
  readonly exports: Readonly<Record<string, string | Readonly<Record<string, unknown>>>>;
}

/**
 * The JavaScript build of one package: ESM in `dist/esm`, CommonJS in `dist/cjs`, one output file
 * per entry plus shared chunks, so that two entries never hold two copies of the same state.
 *
 * The entries are those of the package's `exports` map, which is therefore the only list of them.
 * Declarations come from `tsc -b`; `scripts/build.mjs` runs both and finishes `dist/cjs`.
 */
export function packageBuild(directory: string): Options[] {
  const shared: Options = {
    entry: sourceEntries(directory),
    target: 'node22',
    platform: 'node',
    splitting: true,
    sourcemap: true,
    dts: false,
    clean: false,
    silent: true,
    treeshake: false,
    // Own modules stay unbundled from dependencies: everything in node_modules is external.
    skipNodeModulesBundle: true,
  };
  return [
    { ...shared, format: 'esm', outDir: 'dist/esm', outExtension: () => ({ js: '.js' }) },
    { ...shared, format: 'cjs', outDir: 'dist/cjs', outExtension: () => ({ js: '.js' }) },
  ];
}

/** Output name to source file, for every export that has a source: `algorithm/index` to `src/algorithm/index.ts`. */
function sourceEntries(directory: string): Record<string, string> {
  const manifest = JSON.parse(readFileSync(join(directory, 'package.json'), 'utf8')) as Manifest;
  const entries: Record<string, string> = {};
  for (const [name, target] of Object.entries(manifest.exports)) {
    const source = typeof target === 'string' ? undefined : target[SOURCE_CONDITION];
    if (typeof source !== 'string') continue;
    if (!existsSync(join(directory, source))) {
      throw new Error(`package.json exports "${name}" from ${source}, which does not exist`);
    }
    entries[source.replace(/^\.\/src\//u, '').replace(/\.ts$/u, '')] = source;
  }
  return entries;
}
