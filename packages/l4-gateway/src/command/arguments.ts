import { parseArgs, type ParseArgsConfig } from 'node:util';
import { UsageError } from './io.ts';

export interface OptionSpec {
  readonly type: 'string' | 'boolean';
  /** One letter. */
  readonly short?: string;
  /** What stands for the value in the help: `FILE`. */
  readonly value?: string;
  readonly help: string;
  readonly required?: boolean;
}

export type OptionSpecs = Readonly<Record<string, OptionSpec>>;

/** Values by the options' names; an option that was not given is absent. */
export interface Values {
  text(name: string): string | undefined;
  required(name: string): string;
  flag(name: string): boolean;
  number(name: string, range: { readonly min: number; readonly max: number }): number | undefined;
}

/** @throws UsageError for unknown and missing options and for stray words */
export function parseOptions(specs: OptionSpecs, argv: readonly string[]): Values {
  const options: NonNullable<ParseArgsConfig['options']> = {};
  for (const [name, { type, short }] of Object.entries(specs)) {
    options[name] = short === undefined ? { type } : { type, short };
  }
  let values: Readonly<Record<string, unknown>>;
  try {
    ({ values } = parseArgs({ args: [...argv], options, strict: true, allowPositionals: false }));
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
  const text = (name: string): string | undefined => {
    const value = values[name];
    return typeof value === 'string' ? value : undefined;
  };
  for (const [name, { required = false, value = 'VALUE' }] of Object.entries(specs)) {
    if (required && text(name) === undefined) throw new UsageError(`--${name} ${value} is missing`);
  }
  return {
    text,
    required: (name) => text(name) ?? '',
    flag: (name) => values[name] === true,
    number: (name, { min, max }) => {
      const written = text(name);
      if (written === undefined) return undefined;
      const number = Number(written);
      if (Number.isFinite(number) && number >= min && number <= max) return number;
      throw new UsageError(`--${name}: expected a number from ${min} to ${max}, got ${written}`);
    },
  };
}

/** The lines of `--help` about options. */
export function describeOptions(specs: OptionSpecs): string {
  const rows = Object.entries(specs).map(([name, { short, value, help }]) => {
    const long = `--${name}${value === undefined ? '' : ` ${value}`}`;
    return [`  ${short === undefined ? '    ' : `-${short}, `}${long}`, help] as const;
  });
  const width = Math.max(...rows.map(([left]) => left.length));
  return rows.map(([left, help]) => `${left.padEnd(width)}  ${help}\n`).join('');
}
