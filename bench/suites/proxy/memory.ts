/**
 * What connections cost that do nothing: resident memory of the proxy's process, beside HAProxy's, with 10,000 clients
 * that have made one request each and stay.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { Figures, SuiteContext } from '../../support/suite.ts';
import { formatTable } from '../../support/table.ts';
import { residentBytesOf } from './cpu.ts';
import { type Peer, startHaproxy } from './peers.ts';
import { pathOf, startScript, stop } from './processes.ts';

const CONNECTIONS = 10_000;
const QUICK_CONNECTIONS = 500;

/** For what is freed late: buffers of the last requests. */
const SETTLE_MS = 2_000;

export async function memoryFigures({ print, quick }: SuiteContext): Promise<Figures> {
  const connections = quick ? QUICK_CONNECTIONS : CONNECTIONS;
  const origin = await startScript('origin.ts');
  const peers: Record<string, Peer> = {};
  const loads: ChildProcess[] = [];
  try {
    const origins = [origin.port];
    peers['evenkeel'] = await startScript('evenkeel.ts', ['full', ...origins]);
    peers['haproxy'] = await startHaproxy({
      path: pathOf('haproxy'),
      origins,
      full: true,
      maxConnections: 12_000,
    });
    const rows: [string, number, number, number][] = [];
    for (const [name, peer] of Object.entries(peers)) {
      const pid = peer.process.pid as number;
      const before = residentBytesOf(pid);
      loads.push(await hold(peer.port, connections));
      await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
      const after = residentBytesOf(pid);
      rows.push([name, before / 2 ** 20, after / 2 ** 20, (after - before) / connections]);
    }
    print(`\n${connections} idle keep-alive connections, resident memory`);
    print(formatTable(['proxy', 'without, MiB', 'with, MiB', 'bytes each'], rows));
    const [ours, theirs] = rows as [(typeof rows)[number], (typeof rows)[number]];
    return {
      'idle-connection-bytes': ours[3],
      'idle-connection-bytes/haproxy': ours[3] / theirs[3],
      '10k-connections-mib': ours[2],
      '10k-connections/haproxy': ours[2] / theirs[2],
    };
  } finally {
    for (const load of loads) await stop(load);
    for (const { process: child } of [origin, ...Object.values(peers)]) await stop(child);
  }
}

/** @returns a process that holds the connections, once all are there */
async function hold(port: number, connections: number): Promise<ChildProcess> {
  const script = join(import.meta.dirname, 'idle-load.ts');
  const args = [...process.execArgv, script, String(port), String(connections)];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const [line] = (await once(child.stdout, 'data')) as [Buffer];
  if (!line.toString().startsWith('ready'))
    throw new Error(`the idle load failed: ${line.toString()}`);
  return child;
}
