import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { components, describeSource, findComponent, npmDirectory } from '../components.mjs';
import { npm } from './install-packages.mjs';
import { unpackFromSuite } from './unpack-from-suite.mjs';
import { run, say } from './run.mjs';

/** @typedef {import('../components.mjs').Component} Component */

/**
 * Installs the missing test components as far as this machine allows, and names the rest. Never
 * fails: a test that lacks its component says so itself.
 */
export async function ensureComponents() {
  const missing = components.filter((component) => findComponent(component) === undefined);
  if (missing.length === 0) return;
  say(`missing for the tests: ${missing.map((component) => component.name).join(', ')}`);
  for (const component of missing) await installFromNpm(component);
  await installFromApt(missing);
  for (const component of missing) await unpackFromSuite(component);
  for (const component of missing) {
    if (findComponent(component) === undefined) say(`still missing: ${hint(component)}`);
  }
}

/**
 * What a person can do about a missing component.
 *
 * @param {Component} component
 */
export function hint(component) {
  const { name, usedBy } = component;
  return `${name} (${describeSource(component)}), used by the tests of ${usedBy}`;
}

/** @param {Component} component */
async function installFromNpm({ name, source }) {
  if (!('npm' in source)) return;
  say(`fetching ${source.npm}`);
  const directory = npmDirectory(name);
  mkdirSync(directory, { recursive: true });
  // A manifest of its own keeps npm from walking up to the repository's.
  writeFileSync(`${directory}/package.json`, '{ "private": true }\n');
  const args = ['install', '--no-save', '--no-package-lock', '--no-audit', '--no-fund'];
  await npm([...args, '--loglevel=error', source.npm], directory);
}

/** @param {readonly Component[]} missing */
async function installFromApt(missing) {
  const packages = missing.flatMap(({ source }) => ('apt' in source ? [source.apt] : []));
  const names = [...new Set(packages)];
  if (names.length === 0) return;
  if (process.getuid?.() !== 0 || !existsSync('/usr/bin/apt-get')) {
    say(`not installing ${names.join(', ')}: that takes root on a Debian system`);
    return;
  }
  const restore = forbidServiceStart();
  try {
    say(`installing ${names.join(', ')} with apt`);
    if ((await aptGet(['install', ...names])) === 0) return;
    say('trying again with fresh package lists');
    await aptGet(['update']);
    // One by one: a package that this Debian does not have must not keep the others out.
    for (const name of names) await aptGet(['install', name]);
  } finally {
    restore();
  }
}

/** @param {readonly string[]} args */
function aptGet([command = '', ...rest]) {
  const options = ['-qq', '-o', 'DPkg::Lock::Timeout=200', '-o', 'Dpkg::Use-Pty=0'];
  const install = command === 'install' ? ['-y', '--no-install-recommends'] : [];
  // RUNLEVEL=1 and the absence of a terminal: no service is started, no question is asked.
  const env = { ...process.env, RUNLEVEL: '1', DEBIAN_FRONTEND: 'noninteractive' };
  return run('apt-get', [command, ...options, ...install, ...rest], { env, progress: true });
}

const POLICY_FILE = '/usr/sbin/policy-rc.d';

/**
 * Debian's packages start their services when installed; `policy-rc.d` answering 101 forbids it.
 * An existing one is the administrator's and stays as it is.
 *
 * @returns {() => void} takes the temporary policy away again
 */
function forbidServiceStart() {
  if (existsSync(POLICY_FILE)) return () => {};
  writeFileSync(POLICY_FILE, '#!/bin/sh\nexit 101\n', { mode: 0o755 });
  const remove = () => rmSync(POLICY_FILE, { force: true });
  process.once('exit', remove);
  return () => {
    process.off('exit', remove);
    remove();
  };
}
