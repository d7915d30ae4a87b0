import { parseArgs } from 'node:util';
import { type BuildOptions, buildObject, staleReason } from './build.ts';

const USAGE = `Usage: evenkeel-bpf build [options] <name>.bpf.c ...

Compiles each source into a typed TypeScript module, <name>.ts.

  --out <folder>      where the modules go (default: beside the source)
  --include <folder>  searched for headers; may be repeated
  --define <macro>    NAME or NAME=VALUE; may be repeated
  --import <from>     what the modules import (default: @evenkeel/bpf)
  --check             builds nothing: fails when a module is older than its sources

Needs clang and bpftool, except for --check. Loading the modules needs neither.
`;

export interface Output {
  readonly out: (text: string) => unknown;
  readonly error: (text: string) => unknown;
}

/**
 * Runs `evenkeel-bpf` with these arguments.
 *
 * @returns the exit code: 0 done, 1 a build failed or a module is stale, 2 wrong usage
 */
export function runCommand(args: readonly string[], { out, error }: Output): number {
  let parsed: ReturnType<typeof parse>;
  try {
    parsed = parse(args);
  } catch (cause) {
    error(`${(cause as Error).message}\n\n${USAGE}`);
    return 2;
  }
  const { values, positionals } = parsed;
  if (values.help === true) {
    out(USAGE);
    return 0;
  }
  const [command, ...sources] = positionals;
  if (command !== 'build' || sources.length === 0) {
    error(USAGE);
    return 2;
  }
  const options: BuildOptions = {
    ...(values.out === undefined ? {} : { outDirectory: values.out }),
    ...(values.import === undefined ? {} : { importFrom: values.import }),
    includes: values.include ?? [],
    defines: values.define ?? [],
  };
  let failures = 0;
  for (const source of sources) {
    try {
      const stale = values.check === true ? staleReason(source, options) : undefined;
      if (stale !== undefined) throw new Error(`${stale}: run evenkeel-bpf build`);
      if (values.check !== true) out(`${source} -> ${buildObject(source, options).module}\n`);
    } catch (cause) {
      failures += 1;
      error(`${source}: ${(cause as Error).message}\n`);
    }
  }
  return failures === 0 ? 0 : 1;
}

function parse(args: readonly string[]) {
  return parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      out: { type: 'string' },
      include: { type: 'string', multiple: true },
      define: { type: 'string', multiple: true },
      import: { type: 'string' },
      check: { type: 'boolean' },
      help: { type: 'boolean', short: 'h' },
    },
  });
}
