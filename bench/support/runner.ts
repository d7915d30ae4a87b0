/** Finds the suites and runs one: everything of `npm run bench` but the process itself. */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { describeMachine } from './machine.ts';
import type { Figures, Suite } from './suite.ts';
import { formatTable } from './table.ts';

/** Where the suites are, and where text goes. */
export interface BenchEnvironment {
  /** Folder with `<name>.ts` or `<name>/suite.ts` for each suite. */
  readonly directory: string;
  writeOut(text: string): void;
  writeError(text: string): void;
}

/** Exit code for a call that makes no sense; a suite that fails throws. */
const USAGE_ERROR = 2;

/**
 * Runs the suite that the arguments name.
 *
 * @returns the exit code
 */
export async function runBench(
  args: readonly string[],
  environment: BenchEnvironment,
): Promise<number> {
  const suites = findSuites(environment.directory);
  const call = readCall(args, suites);
  switch (call.kind) {
    case 'help':
      environment.writeOut(`${await helpText(suites)}\n`);
      return 0;
    case 'wrong':
      environment.writeError(`${call.message}\n\n${await helpText(suites)}\n`);
      return USAGE_ERROR;
    case 'run':
      await runSuite(call, environment);
      return 0;
  }
}

type SuiteFiles = ReadonlyMap<string, string>;

interface RunCall {
  readonly kind: 'run';
  readonly name: string;
  readonly file: string;
  readonly json: boolean;
  readonly quick: boolean;
}

type Call =
  RunCall | { readonly kind: 'help' } | { readonly kind: 'wrong'; readonly message: string };

function readCall(args: readonly string[], suites: SuiteFiles): Call {
  const options = {
    json: { type: 'boolean', default: false },
    quick: { type: 'boolean', default: false },
    help: { type: 'boolean', short: 'h', default: false },
  } as const;
  try {
    const { values, positionals } = parseArgs({ args: [...args], options, allowPositionals: true });
    if (values.help) return { kind: 'help' };
    const [name, ...surplus] = positionals;
    if (name === undefined) return { kind: 'wrong', message: 'Which suite?' };
    if (surplus.length > 0) {
      return { kind: 'wrong', message: `One suite at a time: what is "${surplus.join(' ')}"?` };
    }
    const file = suites.get(name);
    if (file === undefined) return { kind: 'wrong', message: `There is no suite "${name}".` };
    return { kind: 'run', name, file, json: values.json, quick: values.quick };
  } catch (error) {
    return { kind: 'wrong', message: error instanceof Error ? error.message : String(error) };
  }
}

async function runSuite(call: RunCall, environment: BenchEnvironment): Promise<void> {
  const machine = describeMachine();
  const { cpu, cores, node, kernel } = machine;
  const print = (text: string): void => environment.writeOut(`${text}\n`);
  print(`${call.name}: ${cpu}, ${cores} cores, Node ${node}, ${kernel}\n`);

  const suite = await loadSuite(call.file);
  const figures = await suite.run({ print, quick: call.quick });
  assertFigures(call.name, figures);
  print(`\n${formatTable(['figure', 'value'], Object.entries(figures))}`);
  if (call.json) print(JSON.stringify({ suite: call.name, figures, machine }));
}

/** A figure that is not a number would be `null` in the JSON line and go unnoticed. */
function assertFigures(name: string, figures: Figures): void {
  const wrong = Object.entries(figures).filter(([, value]) => !Number.isFinite(value));
  if (wrong.length > 0) {
    throw new Error(
      `suite ${name} returned no number for: ${wrong.map(([key]) => key).join(', ')}`,
    );
  }
}

async function loadSuite(file: string): Promise<Suite> {
  const loaded = (await import(pathToFileURL(file).href)) as { readonly suite?: Suite };
  if (loaded.suite === undefined) throw new Error(`${file} does not export "suite"`);
  return loaded.suite;
}

function findSuites(directory: string): SuiteFiles {
  const suites = new Map<string, string>();
  for (const entry of readdirSync(directory, { withFileTypes: true })) {
    const folderFile = join(directory, entry.name, 'suite.ts');
    if (entry.isDirectory() && existsSync(folderFile)) suites.set(entry.name, folderFile);
    if (entry.isFile() && entry.name.endsWith('.ts')) {
      suites.set(entry.name.slice(0, -'.ts'.length), join(directory, entry.name));
    }
  }
  return new Map([...suites].sort(([a], [b]) => (a < b ? -1 : 1)));
}

async function helpText(suites: SuiteFiles): Promise<string> {
  const width = Math.max(0, ...[...suites.keys()].map((name) => name.length));
  const lines: string[] = [];
  for (const [name, file] of suites) {
    lines.push(`  ${name.padEnd(width)}  ${(await loadSuite(file)).description}`);
  }
  return [
    'Usage: npm run bench -- <suite> [--json] [--quick]',
    '',
    'Suites:',
    ...(lines.length > 0 ? lines : ['  none yet']),
    '',
    '  --json   end with one line of JSON: {"suite", "figures", "machine"}',
    '  --quick  a short run that only shows that the suite works',
  ].join('\n');
}
