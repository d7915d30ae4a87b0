/** `npm run bench -- <suite> [--json]`: see `support/runner.ts`, and `support/suite.ts` to add one. */
import { join } from 'node:path';
import { runBench } from './support/runner.ts';

process.exitCode = await runBench(process.argv.slice(2), {
  directory: join(import.meta.dirname, 'suites'),
  writeOut: (text) => process.stdout.write(text),
  writeError: (text) => process.stderr.write(text),
});
