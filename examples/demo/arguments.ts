import { parseArgs } from 'node:util';

export interface DemoOptions {
  /** Play the scripted day once and report, instead of showing it live for ever. */
  readonly once: boolean;
  /** End the report with one line of JSON. */
  readonly json: boolean;
  readonly help: boolean;
}

/** What the user typed makes no sense; the message says why. */
export class UsageError extends Error {}

export const USAGE = `Balances real traffic over sample HTTP servers on this machine and shows what happens.

  npm start                       live view; Ctrl-C ends it
  npm start -- --once             plays a scripted day (about 20 s), reports, ends
  npm start -- --once --json      the same, with one JSON line at the end
  npm start -- --help             this text

Exit code: 0 all was as it should be, 1 it was not, 2 wrong arguments.
`;

/** @throws UsageError */
export function parseArguments(args: readonly string[]): DemoOptions {
  const options = {
    once: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', short: 'h', default: false },
  } as const;
  let values: DemoOptions;
  try {
    ({ values } = parseArgs({ args: [...args], options, strict: true, allowPositionals: false }));
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error), { cause: error });
  }
  if (values.json && !values.once && !values.help) throw new UsageError("'--json' needs '--once'");
  return values;
}
