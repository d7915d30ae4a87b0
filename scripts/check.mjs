/**
 * `npm run check`: formatting, type-aware lint with the import table, types of every file.
 * `npm run format` is the same script with --fix: it repairs what can be repaired.
 */
import { run, runMain } from './lib/run.mjs';
import { checkSteps, formatSteps, runSteps } from './lib/steps.mjs';
import { setup } from './setup.mjs';

await runMain(async () => {
  await setup({ tests: false });
  if (!process.argv.includes('--fix')) return runSteps(checkSteps);
  // What the linter cannot repair it leaves to `check`; its repairs still need formatting.
  await run('oxlint', ['--fix', '--silent']);
  return runSteps(formatSteps);
});
