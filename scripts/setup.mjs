/**
 * Makes a checkout ready to run: npm packages from the lockfile and, for tests, the real components
 * they use. Idempotent, and quick when nothing is to be done.
 *
 * Plain JavaScript without dependencies: it runs on any Node >= 18, before anything is installed.
 *
 *   node scripts/setup.mjs            npm packages
 *   node scripts/setup.mjs --tests    and the components the tests use
 */
import { pathToFileURL } from 'node:url';
import { ensureComponents } from './lib/install-components.mjs';
import { ensurePackages } from './lib/install-packages.mjs';
import { runMain } from './lib/run.mjs';

/** Lets `@evenkeel/*` resolve to TypeScript sources, so that nothing has to be built to run. */
export const SOURCE_FLAG = '--conditions=@evenkeel/source';

/**
 * @param {{ tests: boolean }} options
 * @returns {Promise<string>} the Node to run the project on
 */
export async function setup({ tests }) {
  const node = await ensurePackages();
  if (tests) await ensureComponents();
  return node;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  await runMain(async () => {
    await setup({ tests: process.argv.includes('--tests') });
    return 0;
  });
}
