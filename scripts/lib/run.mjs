import { spawn } from 'node:child_process';
import { projectEnvironment, root } from './paths.mjs';

/**
 * @typedef {object} RunOptions
 * @property {string} [cwd] working directory; default the repository's root
 * @property {NodeJS.ProcessEnv} [env] default: the project's commands first
 * @property {boolean} [progress] the output is progress, not a result: all of it goes to stderr
 */

/**
 * Runs a command to its end with its output passed through, and hands interrupts on to it.
 *
 * @param {string} command
 * @param {readonly string[]} args
 * @param {RunOptions} [options]
 * @returns {Promise<number>} its exit code; 127 when it cannot be started, 128 + n when signal n ended it
 */
export function run(command, args, options = {}) {
  const { cwd = root, env = projectEnvironment(), progress = false } = options;
  return new Promise((resolve) => {
    const child = spawn(command, args, {
      cwd,
      env,
      stdio: progress ? ['ignore', 2, 2] : 'inherit',
    });
    // A Ctrl-C in a terminal reaches the child by itself; ours is only to wait for what it does.
    const ignore = () => {};
    const handOn = () => child.kill('SIGTERM');
    process.on('SIGINT', ignore);
    process.on('SIGTERM', handOn);
    const done = (/** @type {number} */ code) => {
      process.off('SIGINT', ignore);
      process.off('SIGTERM', handOn);
      resolve(code);
    };
    child.on('error', (error) => {
      say(`cannot run ${command}: ${error.message}`);
      done(127);
    });
    child.on('close', (code, signal) =>
      done(code ?? 128 + (SIGNAL_NUMBERS.get(signal ?? '') ?? 0)),
    );
  });
}

const SIGNAL_NUMBERS = new Map([
  ['SIGHUP', 1],
  ['SIGINT', 2],
  ['SIGKILL', 9],
  ['SIGTERM', 15],
]);

/**
 * A line of progress. It goes to stderr, so that stdout holds nothing but the command's result.
 *
 * @param {string} text
 */
export function say(text) {
  process.stderr.write(`[setup] ${text}\n`);
}

/**
 * Runs a script's main function: what it returns becomes the exit code, what it throws one line.
 *
 * @param {() => Promise<number>} main
 */
export async function runMain(main) {
  try {
    process.exitCode = await main();
  } catch (error) {
    say(error instanceof Error ? error.message : String(error));
    process.exitCode = 1;
  }
}
