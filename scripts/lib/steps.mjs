import { run, say } from './run.mjs';

/** @typedef {readonly [name: string, command: string, ...args: string[]]} Step */

/** What `npm run check` checks: no file is changed. @type {readonly Step[]} */
export const checkSteps = [
  ['format', 'prettier', '--check', '--log-level', 'warn', '.'],
  ['lint', 'oxlint', '--quiet'],
  ['types', 'tsc', '-b'],
];

/** What `npm run format` ends with. @type {readonly Step[]} */
export const formatSteps = [['format', 'prettier', '--write', '--log-level', 'warn', '.']];

/**
 * Runs the steps one after the other, up to the first that fails.
 *
 * @param {readonly Step[]} steps
 * @returns {Promise<number>} 0, or the exit code of the step that failed
 */
export async function runSteps(steps) {
  for (const [name, command, ...args] of steps) {
    const started = Date.now();
    say(`${name}: ${[command, ...args].join(' ')}`);
    const code = await run(command, args);
    if (code !== 0) {
      say(`${name} failed with exit code ${code}`);
      return code;
    }
    say(`${name} passed in ${((Date.now() - started) / 1000).toFixed(1)} s`);
  }
  return 0;
}
