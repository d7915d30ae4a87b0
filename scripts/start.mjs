/**
 * `npm start`: the demo on embedded defaults. Arguments are the demo's own (`-- --once --json`).
 */
import { run, runMain } from './lib/run.mjs';
import { setup, SOURCE_FLAG } from './setup.mjs';

await runMain(async () => {
  const node = await setup({ tests: false });
  return run(node, [SOURCE_FLAG, 'examples/demo/main.ts', ...process.argv.slice(2)]);
});
