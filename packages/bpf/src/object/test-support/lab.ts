/**
 * A place for tests in the real kernel: this process in a network and a mount namespace of its own, with a BPF file
 * system and a cgroup that belong to the test. Ends with the process, whatever happens.
 */
import { spawnSync, type SpawnSyncReturns } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as koffi from 'koffi';
import { cgroupRoot, ensureBpffs } from '../../index.ts';

const CLONE_NEWNS = 0x0002_0000;
const CLONE_NEWNET = 0x4000_0000;

export interface Lab {
  /** A BPF file system of this test. */
  readonly bpffs: string;
  /** A cgroup of this test. */
  readonly cgroup: string;
  close(): void;
}

export function enterLab(): Lab {
  const unshare = koffi.load(null).func('int unshare(int flags)');
  if (unshare(CLONE_NEWNS | CLONE_NEWNET) !== 0) throw new Error(`unshare: errno ${koffi.errno()}`);
  // Mounts of this process are its own from here on.
  run('mount', '--make-rprivate', '/');
  run('ip', 'link', 'set', 'lo', 'up');
  const folder = mkdtempSync(join(tmpdir(), 'evenkeel-bpf-lab-'));
  const bpffs = join(folder, 'bpf');
  ensureBpffs(bpffs);
  const cgroupRoot = cgroup2Root(folder);
  const cgroup = join(cgroupRoot, `evenkeel-test-${process.pid}`);
  mkdirSync(cgroup);
  return {
    bpffs,
    cgroup,
    close: () => {
      rmdirSync(cgroup);
      run('umount', '-l', bpffs);
      if (cgroupRoot.startsWith(folder)) run('umount', '-l', cgroupRoot);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Where cgroup v2 is: mounted already, on hybrid hosts too, or here for the test. */
function cgroup2Root(folder: string): string {
  try {
    return cgroupRoot();
  } catch {
    const root = join(folder, 'cgroup');
    mkdirSync(root);
    run('mount', '-t', 'cgroup2', 'cgroup2', root);
    return root;
  }
}

/** Runs a command that has to succeed, and returns what it printed. */
export function run(command: string, ...args: string[]): string {
  const result = tryRun(command, ...args);
  if (result.status === 0) return result.stdout;
  throw new Error(
    `${[command, ...args].join(' ')}: ${result.stderr}${result.error?.message ?? ''}`,
  );
}

export function tryRun(command: string, ...args: string[]): SpawnSyncReturns<string> {
  return spawnSync(command, args, { encoding: 'utf8', timeout: 30_000 });
}

/** Runs Node on a file of this package's sources. */
export function runNode(file: string, ...args: string[]): SpawnSyncReturns<string> {
  return tryRun(process.execPath, '--conditions=@evenkeel/source', file, ...args);
}

/** Runs a piece of JavaScript in a process that is inside a cgroup from its start. */
export function runInCgroup(cgroup: string, script: string): SpawnSyncReturns<string> {
  const enter = `echo $$ > ${cgroup}/cgroup.procs && exec "$0" -e "$1"`;
  return tryRun('sh', '-c', enter, process.execPath, script);
}

/** A pair of virtual interfaces, both up, in this namespace. */
export function addVeth(name: string, peer: string): void {
  run('ip', 'link', 'add', name, 'type', 'veth', 'peer', 'name', peer);
  for (const device of [name, peer]) run('ip', 'link', 'set', device, 'up');
}
