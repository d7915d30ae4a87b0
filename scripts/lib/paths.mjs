import { dirname, delimiter, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The repository's root folder. */
export const root = resolve(dirname(fileURLToPath(import.meta.url)), '../..');

/** Where npm links the commands of the installed packages. */
export const binDirectory = join(root, 'node_modules', '.bin');

/** Git-ignored folder for what the scripts download or remember. */
export const cacheDirectory = join(root, '.cache');

/** The Node that development uses: the one pinned in the lockfile. */
export const pinnedNode = join(binDirectory, 'node');

/** The folders of the search path, without empty entries. */
export function searchPath() {
  return (process.env['PATH'] ?? '').split(delimiter).filter((entry) => entry !== '');
}

/**
 * An environment whose search path begins with the project's own commands, so that everything
 * started with it runs on the pinned Node.
 *
 * @returns {NodeJS.ProcessEnv}
 */
export function projectEnvironment() {
  return { ...process.env, PATH: [binDirectory, ...outsidePath()].join(delimiter) };
}

/**
 * An environment that knows nothing of the project's own commands. npm runs in it: it replaces
 * node_modules, and must not run on a Node that lies inside.
 *
 * @returns {NodeJS.ProcessEnv}
 */
export function outsideEnvironment() {
  return { ...process.env, PATH: outsidePath().join(delimiter) };
}

function outsidePath() {
  return searchPath().filter((entry) => resolve(entry) !== binDirectory);
}
