import { execFile } from 'node:child_process';
import { delimiter, join } from 'node:path';

/** The repository's root folder. */
export const repositoryRoot: string = join(import.meta.dirname, '../..');

export interface ProcessResult {
  /** Exit code; -1 when a signal ended the process. */
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface ProcessOptions {
  /** Default: the repository's root. */
  readonly cwd?: string;
  /** Added to this process's environment; undefined removes a variable. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** The process is ended when it takes longer. Default 60 s. */
  readonly timeoutMs?: number;
}

/** Runs a command to its end and collects its output; a failing exit code is a result, not an error. */
export function runProcess(
  command: string,
  args: readonly string[],
  options: ProcessOptions = {},
): Promise<ProcessResult> {
  const { cwd = repositoryRoot, env, timeoutMs = 60_000 } = options;
  const bin = join(repositoryRoot, 'node_modules', '.bin');
  const path = [bin, process.env['PATH'] ?? ''].join(delimiter);
  return new Promise((resolve, reject) => {
    execFile(
      command,
      args,
      {
        cwd,
        env: { ...process.env, PATH: path, ...env },
        timeout: timeoutMs,
        maxBuffer: 64 * 1024 * 1024,
      },
      (error, stdout, stderr) => {
        if (error !== null && typeof error.code === 'string') {
          reject(error);
          return;
        }
        resolve({ code: error === null ? 0 : Number(error.code ?? -1), stdout, stderr });
      },
    );
  });
}

/** Like `runProcess`, for a command that has to succeed: throws with all its output otherwise. */
export async function runToSuccess(
  command: string,
  args: readonly string[],
  options: ProcessOptions = {},
): Promise<ProcessResult> {
  const result = await runProcess(command, args, options);
  if (result.code === 0) return result;
  const call = [command, ...args].join(' ');
  throw new Error(`${call} ended with code ${result.code}\n${result.stdout}${result.stderr}`);
}
