/**
 * The demo: real traffic, balanced over sample servers of which some turn bad.
 *
 * Run: npm start, or npm start -- --once
 */
import { parseArguments, USAGE, UsageError } from './arguments.ts';
import { runLive } from './live.ts';
import { runOnce } from './once.ts';

async function main(args: readonly string[]): Promise<number> {
  const { help, once, json } = parseArguments(args);
  if (help) {
    process.stdout.write(USAGE);
    return 0;
  }
  const interrupt = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.once(name, () => interrupt.abort());
  }
  return once ? runOnce({ json, signal: interrupt.signal }) : runLive(interrupt.signal);
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  const usage = error instanceof UsageError;
  process.stderr.write(
    usage
      ? `${error.message}\n\n${USAGE}`
      : `${error instanceof Error ? error.stack : String(error)}\n`,
  );
  process.exitCode = usage ? 2 : 1;
}
