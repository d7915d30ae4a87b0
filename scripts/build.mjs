/**
 * Builds every package into its `dist`: declarations by tsc, JavaScript by tsup (ESM and CommonJS).
 */
import { cpSync, existsSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { root } from './lib/paths.mjs';
import { run, runMain, say } from './lib/run.mjs';
import { setup } from './setup.mjs';

await runMain(async () => {
  await setup({ tests: false });
  const packages = readdirSync(join(root, 'packages'))
    .map((name) => join(root, 'packages', name))
    .filter((directory) => existsSync(join(directory, 'tsup.config.ts')));
  for (const directory of packages) {
    const code = await buildPackage(directory);
    if (code !== 0) return code;
  }
  return 0;
});

/** @param {string} directory */
async function buildPackage(directory) {
  const started = Date.now();
  const dist = join(directory, 'dist');
  rmSync(dist, { recursive: true, force: true });
  const types = await run('tsc', ['-b', join(directory, 'tsconfig.lib.json')]);
  if (types !== 0) return types;
  const code = await run('tsup', [], { cwd: directory });
  if (code !== 0) return code;
  finishCommonJs(dist);
  say(`built ${relative(root, directory)} in ${Date.now() - started} ms`);
  return 0;
}

/**
 * A consumer that requires the package must see declarations of CommonJS modules. TypeScript tells
 * by the nearest package.json, so `dist/cjs` gets one of its own and a copy of the declarations.
 *
 * @param {string} dist
 */
function finishCommonJs(dist) {
  cpSync(join(dist, 'esm'), join(dist, 'cjs'), {
    recursive: true,
    filter: (source) => !/\.js(\.map)?$/u.test(source),
  });
  writeFileSync(
    join(dist, 'cjs', 'package.json'),
    `${JSON.stringify({ type: 'commonjs', sideEffects: false }, null, 2)}\n`,
  );
}
