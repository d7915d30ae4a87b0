/** The command `evenkeel-gateway`. */
import { isEvenkeelError } from '@evenkeel/core';
import { realCommand } from '../real/command.ts';
import { describeOptions, parseOptions } from './arguments.ts';
import { checkCommand } from './check.ts';
import type { Command } from './command.ts';
import { type CommandIo, EXIT, UsageError } from './io.ts';
import { detachCommand } from './detach.ts';
import { doctorCommand } from './doctor.ts';
import { explainCommand } from './explain.ts';
import { flowsCommand } from './flows.ts';
import { runCommand } from './run.ts';
import { statusCommand } from './status.ts';
import { topCommand } from './top.ts';
import { traceCommand } from './trace.ts';

export { type CommandIo, EXIT } from './io.ts';

const COMMANDS: readonly Command[] = [
  runCommand,
  checkCommand,
  statusCommand,
  topCommand,
  explainCommand,
  flowsCommand,
  traceCommand,
  doctorCommand,
  detachCommand,
];

/** Runs a command line, without the program's own name. @returns the exit code */
export async function runGatewayCommand(argv: readonly string[], io: CommandIo): Promise<number> {
  const [name = '', ...rest] = argv;
  if (name === '' || name === '--help' || name === '-h' || name === 'help') {
    io.out(overview());
    return name === '' ? EXIT.usage : EXIT.ok;
  }
  if (name === realCommand.name) {
    return realCommand.run(rest, {
      signal: io.stop,
      print: (line) => io.out(`${line}\n`),
      complain: (line) => io.error(`${line}\n`),
    });
  }
  const command = COMMANDS.find((candidate) => candidate.name === name);
  if (command === undefined) {
    io.error(`evenkeel-gateway: no command "${name}"\n\n${overview()}`);
    return EXIT.usage;
  }
  if (rest.includes('--help') || rest.includes('-h')) {
    io.out(helpOf(command));
    return EXIT.ok;
  }
  try {
    return await command.run(parseOptions(command.options, rest), io);
  } catch (error) {
    io.error(`evenkeel-gateway ${name}: ${messageOf(error)}\n`);
    if (error instanceof UsageError) {
      io.error(`evenkeel-gateway ${name} --help says what it takes\n`);
      return EXIT.usage;
    }
    return isEvenkeelError(error, 'EVENKEEL_CONFIG') ? EXIT.usage : EXIT.failed;
  }
}

/** Of errors raised on purpose the message says all; of others the place matters. */
function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return isEvenkeelError(error) || error instanceof UsageError
    ? error.message
    : (error.stack ?? error.message);
}

function overview(): string {
  const all = [...COMMANDS, realCommand];
  const width = Math.max(...all.map(({ name }) => name.length));
  const lines = all.map(({ name, summary }) => `  ${name.padEnd(width)}  ${summary}\n`);
  return `usage: evenkeel-gateway COMMAND [OPTIONS]\n\n${lines.join('')}\nevenkeel-gateway COMMAND --help says more.\n`;
}

function helpOf({ name, summary, details, options }: Command): string {
  const more = details === undefined ? '' : `${details}\n`;
  return `usage: evenkeel-gateway ${name} [OPTIONS]\n\n${summary}\n\n${more}${describeOptions(options)}`;
}
