/**
 * `npm test`: everything that must hold. Format, lint and types, then the build, then all tests,
 * whose closing lines end the output. The first step that fails ends the run with its exit code.
 *
 * With arguments it goes straight to vitest and hands them over:
 *   npm test -- --project unit
 *   npm test -- packages/core/src/model
 */
import { run, runMain } from './lib/run.mjs';
import { checkSteps, runSteps } from './lib/steps.mjs';
import { setup } from './setup.mjs';

await runMain(async () => {
  await setup({ tests: true });
  const vitestArgs = process.argv.slice(2);
  if (vitestArgs.length > 0) return vitest(vitestArgs);
  const code = await runSteps([...checkSteps, ['build', 'node', 'scripts/build.mjs']]);
  return code === 0 ? vitest([]) : code;
});

/**
 * Runs the tests; without colours where nobody watches, so that logs stay readable.
 *
 * @param {readonly string[]} args
 */
function vitest(args) {
  const colour = process.stdout.isTTY || process.env['FORCE_COLOR'] !== undefined;
  return run('vitest', ['run', ...(colour ? [] : ['--no-color']), ...args]);
}
