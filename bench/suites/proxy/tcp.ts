/**
 * What relaying TCP costs: CPU time of the proxy's process per 100,000 answers beside HAProxy in `mode tcp`, over
 * connections that stay. The load generator is a script of this folder: what it costs is on the other core.
 */
import { execFile, spawn } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { measureRounds } from '../../support/rounds.ts';
import { pairedRatios, summarize } from '../../support/statistics.ts';
import type { Figures, SuiteContext } from '../../support/suite.ts';
import { formatTable } from '../../support/table.ts';
import { cpuSecondsOf, pin } from './cpu.ts';
import { LOAD_CORE, PROXY_CORE, startScript, stop } from './processes.ts';
import { freePort, listening, type Peer } from './peers.ts';

const run = promisify(execFile);

const LOADS = {
  '1k': { size: 1_024, connections: 64 },
  '8m': { size: 8_388_608, connections: 8 },
} as const;

type Load = (typeof LOADS)[keyof typeof LOADS];

/** @param haproxy path of the program */
export async function tcpFigures(
  { print, quick }: SuiteContext,
  haproxy: string,
): Promise<Figures> {
  const origins = [await startScript('tcp-origin.ts'), await startScript('tcp-origin.ts')];
  const ports = origins.map(({ port }) => port);
  const peers: Record<string, Peer> = {};
  const figures: Record<string, number> = {};
  try {
    peers['evenkeel'] = await startScript('evenkeel-tcp.ts', ports);
    peers['haproxy'] = await startHaproxyTcp(haproxy, ports);
    for (const { process: child } of origins) pin(child.pid as number, LOAD_CORE);
    for (const { process: child } of Object.values(peers)) pin(child.pid as number, PROXY_CORE);
    for (const [label, load] of Object.entries(LOADS)) {
      const seconds = quick ? 0.5 : 2;
      const samples = await measureRounds(
        Object.entries(peers).map(([name, peer]) => ({
          name,
          measure: () => cpuPer100k(peer, load, seconds),
        })),
        quick ? { rounds: 1, warmupRounds: 0 } : { rounds: 5, warmupRounds: 1 },
      );
      const cpu = summarize(samples['evenkeel'] ?? []).median;
      const theirs = summarize(samples['haproxy'] ?? []).median;
      const ratio = summarize(
        pairedRatios(samples['evenkeel'] ?? [], samples['haproxy'] ?? []),
      ).median;
      print(`\nTCP, ${label}, ${load.connections} connections, CPU seconds per 100,000 answers`);
      print(
        formatTable(
          ['proxy', 'CPU s', 'to HAProxy'],
          [
            ['evenkeel', cpu, ratio],
            ['haproxy', theirs, 1],
          ],
        ),
      );
      figures[`tcp-${label}/haproxy`] = ratio;
      figures[`tcp-${label}-cpu-s`] = cpu;
    }
    return figures;
  } finally {
    for (const { process: child } of [...origins, ...Object.values(peers)]) await stop(child);
  }
}

/** With the same two endpoints and its defaults for buffers; without splice, which is an option there. */
async function startHaproxyTcp(path: string, origins: readonly number[]): Promise<Peer> {
  const port = await freePort();
  const config = [
    'global',
    '  nbthread 1',
    '  maxconn 4000',
    'defaults',
    '  mode tcp',
    '  timeout connect 3s',
    '  timeout client 60s',
    '  timeout server 60s',
    'frontend front',
    `  bind 127.0.0.1:${port}`,
    '  default_backend origin',
    'backend origin',
    '  balance random(2)',
    ...origins.map((origin, index) => `  server s${index} 127.0.0.1:${origin}`),
  ].join('\n');
  const file = join(mkdtempSync(join(tmpdir(), 'evenkeel-bench-')), 'haproxy-tcp.cfg');
  writeFileSync(file, `${config}\n`);
  const child = spawn(path, ['-f', file, '-db'], { stdio: ['ignore', 'ignore', 'inherit'] });
  await listening(port, child);
  return { process: child, port };
}

async function cpuPer100k(peer: Peer, load: Load, seconds: number): Promise<number> {
  const pid = peer.process.pid as number;
  const before = cpuSecondsOf(pid);
  const { stdout } = await run('taskset', [
    ...['-c', String(LOAD_CORE), process.execPath, ...process.execArgv],
    join(import.meta.dirname, 'tcp-load.ts'),
    ...[peer.port, load.connections, load.size, seconds].map(String),
  ]);
  const answers = Number(stdout);
  if (!(answers > 0)) throw new Error(`the load through port ${peer.port} got no answer`);
  return ((cpuSecondsOf(pid) - before) / answers) * 100_000;
}
