import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './paths.mjs';

/**
 * @typedef {object} LockEntry
 * @property {string} [version]
 * @property {boolean} [optional]
 */

const DEPENDENCY_FIELDS = /** @type {const} */ ([
  'dependencies',
  'devDependencies',
  'optionalDependencies',
  'peerDependencies',
]);

/**
 * True when node_modules holds what the lockfile says, and the lockfile is that of the manifests.
 *
 * npm leaves a second lockfile inside node_modules once an install is complete, which records what
 * is really there. Comparing the two needs no stamp of ours, notices an interrupted install, and
 * accepts one that somebody made by hand.
 */
export function isInstalled() {
  const wanted = readEntries('package-lock.json');
  const present = readEntries('node_modules/.package-lock.json');
  if (wanted === undefined || present === undefined) return false;
  return workspaces().every((path) => isCurrent(path, wanted)) && isPresent(wanted, present);
}

/**
 * @param {string} workspace path of a manifest's folder, '' for the root
 * @param {Record<string, LockEntry>} wanted
 */
function isCurrent(workspace, wanted) {
  const manifest = readJson(join(workspace, 'package.json'));
  const locked = wanted[workspace] ?? {};
  return DEPENDENCY_FIELDS.every((field) =>
    sameRecord(manifest?.[field], Reflect.get(locked, field)),
  );
}

/**
 * @param {Record<string, LockEntry>} wanted
 * @param {Record<string, LockEntry>} present
 */
function isPresent(wanted, present) {
  return Object.entries(wanted).every(([path, entry]) => {
    if (path === '') return true;
    const found = present[path];
    // Packages for other platforms are in the lockfile, but never installed here.
    return found === undefined ? entry.optional === true : found.version === entry.version;
  });
}

/** The root and every folder with a manifest below packages/. */
function workspaces() {
  const packages = readdirSync(join(root, 'packages')).map((name) => `packages/${name}`);
  return ['', ...packages.filter((path) => existsSync(join(root, path, 'package.json')))];
}

/** @param {string} file @returns {Record<string, LockEntry> | undefined} */
function readEntries(file) {
  return readJson(file)?.packages;
}

/** @param {string} file */
function readJson(file) {
  try {
    return JSON.parse(readFileSync(join(root, file), 'utf8'));
  } catch {
    return undefined;
  }
}

/** @param {Record<string, string>} [a] @param {Record<string, string>} [b] */
function sameRecord(a = {}, b = {}) {
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length && keys.every((key) => a[key] === b[key]);
}
