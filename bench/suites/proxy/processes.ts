/** The processes of a run, each on its core: proxies on one, load and endpoints on the other. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { components, findComponent } from '../../../scripts/components.mjs';
import type { Peer } from './peers.ts';

export const PROXY_CORE = 0;
export const LOAD_CORE = 1;

/** A script of this folder that sends its port when it listens. */
export async function startScript(
  file: string,
  args: readonly (string | number)[] = [],
): Promise<Peer> {
  const child = fork(join(import.meta.dirname, file), args.map(String), {
    execArgv: process.execArgv,
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  const [{ port }] = (await once(child, 'message')) as [{ port: number }];
  return { process: child, port };
}

export async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill('SIGKILL');
  await gone;
}

/** Where a program is that peers are made of. */
export function pathOf(name: string): string {
  const path = optionalPathOf(name);
  if (path === undefined)
    throw new Error(
      `this suite needs ${name}: "npm run setup -- --tests" installs it where it may`,
    );
  return path;
}

export function optionalPathOf(name: string): string | undefined {
  const component = components.find((candidate) => candidate.name === name);
  if (component === undefined) throw new Error(`no component ${name}`);
  return findComponent(component);
}
