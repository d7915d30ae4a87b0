import type { OptionSpecs, Values } from './arguments.ts';
import type { CommandIo } from './io.ts';

/** One word after `evenkeel-gateway`. */
export interface Command {
  readonly name: string;
  /** In a line, for the list of commands. */
  readonly summary: string;
  /** More, for its own help. */
  readonly details?: string;
  readonly options: OptionSpecs;
  /** @returns the exit code */
  run(values: Values, io: CommandIo): Promise<number>;
}
