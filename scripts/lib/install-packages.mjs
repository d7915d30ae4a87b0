import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { isInstalled } from './lockfile.mjs';
import { outsideEnvironment, pinnedNode, root } from './paths.mjs';
import { run, say } from './run.mjs';

/** The oldest system Node that can stand in when the pinned one cannot be installed. */
const MINIMUM = { major: 22, minor: 19 };

/**
 * Installs the npm packages when they are missing or no longer those of the lockfile.
 * Reads a handful of files and starts no process when nothing is to be done.
 *
 * @returns {Promise<string>} the Node to run the project on
 */
export async function ensurePackages() {
  if (isInstalled() && existsSync(pinnedNode)) return pinnedNode;
  if (!isInstalled()) await installPackages();
  return ensurePinnedNode();
}

async function installPackages() {
  const locked = existsSync(join(root, 'package-lock.json'));
  const command = locked ? 'ci' : 'install';
  say(`installing the npm packages (npm ${command}); this takes up to a minute the first time`);
  const args = [command, '--include=dev', '--no-audit', '--no-fund', '--loglevel=error'];
  const code = await npm(args, root);
  if (code !== 0) {
    throw new Error(`npm ${command} failed with exit code ${code}: its output above says why`);
  }
}

/**
 * The package `node` fetches its binary in an install script, which npm skips when scripts are
 * switched off. So the result is tried, and if need be that one script is asked for by name.
 *
 * @returns {Promise<string>}
 */
async function ensurePinnedNode() {
  if (works(pinnedNode)) return pinnedNode;
  say('the pinned Node is not there (are npm install scripts switched off?): fetching it now');
  await npm(['rebuild', 'node', '--ignore-scripts=false', '--loglevel=error'], root);
  if (works(pinnedNode)) return pinnedNode;

  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  if (major > MINIMUM.major || (major === MINIMUM.major && minor >= MINIMUM.minor)) {
    say(`no pinned Node for this machine: going on with Node ${process.versions.node}`);
    return process.execPath;
  }
  throw new Error(
    [
      `node_modules/.bin/node does not run, and this Node (${process.versions.node}) is older than ${MINIMUM.major}.${MINIMUM.minor}.`,
      'Its binary comes from an install script of the npm package "node". Allow install scripts',
      '(npm config get ignore-scripts should print false), check that the registry can be reached,',
      'then remove node_modules and try again; or use a newer Node.',
    ].join('\n'),
  );
}

/** @param {string} node */
function works(node) {
  return existsSync(node) && spawnSync(node, ['--version'], { stdio: 'ignore' }).status === 0;
}

/**
 * npm as the machine has it, with its output as progress.
 *
 * @param {readonly string[]} args
 * @param {string} cwd
 */
export function npm(args, cwd) {
  return run('npm', args, { cwd, env: outsideEnvironment(), progress: true });
}
