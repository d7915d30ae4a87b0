import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { unpackDirectory } from '../components.mjs';
import { root } from './paths.mjs';
import { run, say } from './run.mjs';

/** @typedef {import('../components.mjs').Component} Component */

const KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg';

/**
 * Unpacks a component from another Debian release than the system's. apt runs on lists, cache and
 * status of its own in a folder below `.cache`: signatures are checked as usual, nothing is
 * installed, and the system's apt knows nothing of it. Takes no root.
 *
 * @param {Component} component
 */
export async function unpackFromSuite({ name, source }) {
  if (!('debian' in source)) return;
  const mirror = existsSync('/usr/bin/apt-get') ? await debianMirror() : undefined;
  if (mirror === undefined || !existsSync(KEYRING)) {
    say(`not fetching ${source.debian}: that takes apt with a mirror of Debian`);
    return;
  }
  say(`fetching ${source.debian} of Debian ${source.suite}`);
  const target = unpackDirectory(name);
  // Renamed only when complete: a broken-off download must not look like an installed component.
  const work = `${target}.new`;
  rmSync(work, { recursive: true, force: true });
  const apt = createAptRoot(join(work, 'apt'), mirror, source.suite);
  if ((await apt('update')) !== 0 || (await apt('download', source.debian)) !== 0) return;
  const archive = readdirSync(join(work, 'apt')).find((file) => file.endsWith('.deb'));
  if (archive === undefined) return;
  const files = join(work, 'files');
  if ((await run('dpkg-deb', ['-x', join(work, 'apt', archive), files], PROGRESS)) !== 0) return;
  rmSync(target, { recursive: true, force: true });
  renameSync(files, target);
  rmSync(work, { recursive: true, force: true });
}

const PROGRESS = { progress: true };

/**
 * The mirror that the system's own sources name; on a fresh machine only after its first update.
 *
 * @returns {Promise<string | undefined>}
 */
async function debianMirror() {
  const known = mirrorOfTargets();
  if (known !== undefined || process.getuid?.() !== 0) return known;
  await run('apt-get', ['-qq', '-o', 'DPkg::Lock::Timeout=200', 'update'], PROGRESS);
  return mirrorOfTargets();
}

function mirrorOfTargets() {
  const format = ['--format', '$(ORIGIN) $(COMPONENT) $(RELEASE) $(REPO_URI)'];
  const listed = spawnSync('apt-get', ['indextargets', ...format, 'Created-By: Packages'], {
    cwd: root,
    encoding: 'utf8',
  });
  return String(listed.stdout ?? '')
    .split('\n')
    .map((line) => line.split(' '))
    .find(
      ([origin, component, release = '']) =>
        origin === 'Debian' && component === 'main' && !release.includes('-'),
    )?.[3];
}

/**
 * @param {string} directory
 * @param {string} mirror
 * @param {string} suite
 * @returns {(...args: string[]) => Promise<number>} runs apt-get on that root
 */
function createAptRoot(directory, mirror, suite) {
  const etc = join(directory, 'etc');
  for (const path of ['lists/partial', 'cache/archives/partial', 'state']) {
    mkdirSync(join(directory, path), { recursive: true });
  }
  for (const path of ['apt.conf.d', 'preferences.d', 'sources.list.d']) {
    mkdirSync(join(etc, path), { recursive: true });
  }
  writeFileSync(join(directory, 'state', 'status'), '');
  writeFileSync(join(etc, 'sources.list'), `deb [signed-by=${KEYRING}] ${mirror} ${suite} main\n`);
  const settings = {
    'Dir::State': join(directory, 'state'),
    'Dir::State::lists': join(directory, 'lists'),
    'Dir::State::status': join(directory, 'state', 'status'),
    'Dir::Cache': join(directory, 'cache'),
    'Dir::Etc': etc,
    'Acquire::Languages': 'none',
    // The folder may lie where apt's unprivileged user cannot go.
    'APT::Sandbox::User': 'root',
    // Old releases stop renewing their lists, which are still signed.
    'Acquire::Check-Valid-Until': 'false',
  };
  const file = join(directory, 'apt.conf');
  const lines = Object.entries(settings).map(([key, value]) => `${key} "${value}";\n`);
  writeFileSync(file, lines.join(''));
  const env = { ...process.env, APT_CONFIG: file };
  return (...args) => run('apt-get', ['-qq', ...args], { cwd: directory, env, progress: true });
}
