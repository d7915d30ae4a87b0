/**
 * `npm run bench -- <suite> [--json]`: one benchmark suite. See bench/run.ts.
 */
import { run, runMain } from './lib/run.mjs';
import { setup, SOURCE_FLAG } from './setup.mjs';

await runMain(async () => {
  const node = await setup({ tests: false });
  return run(node, [SOURCE_FLAG, 'bench/run.ts', ...process.argv.slice(2)]);
});
