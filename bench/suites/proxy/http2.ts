/**
 * What a request of HTTP/2 costs: CPU time of the proxy's process per 100,000 requests beside HAProxy, with clients that
 * speak HTTP/2 in clear text and endpoints that speak HTTP/1.1.
 */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { measureRounds } from '../../support/rounds.ts';
import { pairedRatios, summarize } from '../../support/statistics.ts';
import type { Figures, SuiteContext } from '../../support/suite.ts';
import { formatTable } from '../../support/table.ts';
import { cpuSecondsOf, pin } from './cpu.ts';
import { LOAD_CORE, PROXY_CORE, startScript, stop } from './processes.ts';
import { type Peer, startHaproxy } from './peers.ts';

const run = promisify(execFile);

const CONNECTIONS = 16;
const STREAMS = 10;
const SIZE = 1_024;

export interface Http2Programs {
  readonly haproxy: string;
  readonly h2load: string;
}

export async function http2Figures(
  { print, quick }: SuiteContext,
  { haproxy, h2load }: Http2Programs,
): Promise<Figures> {
  const origins = [await startScript('origin.ts', []), await startScript('origin.ts', [])];
  const ports = origins.map(({ port }) => port);
  const peers: Record<string, Peer> = {};
  try {
    peers['evenkeel'] = await startScript('evenkeel.ts', ['full', ...ports]);
    peers['evenkeel-bare'] = await startScript('evenkeel.ts', ['bare', ...ports]);
    const common = { path: haproxy, origins: ports, speaksHttp2: true };
    peers['haproxy'] = await startHaproxy({ ...common, full: true });
    peers['haproxy-bare'] = await startHaproxy({ ...common, full: false });
    for (const { process: child } of origins) pin(child.pid as number, LOAD_CORE);
    for (const { process: child } of Object.values(peers)) pin(child.pid as number, PROXY_CORE);
    const samples = await measureRounds(
      Object.entries(peers).map(([name, peer]) => ({
        name,
        measure: () => cpuPer100k(h2load, peer, quick ? 1 : 2),
      })),
      quick ? { rounds: 1, warmupRounds: 0 } : { rounds: 5, warmupRounds: 1 },
    );
    const against = (name: string, peer: string): number =>
      summarize(pairedRatios(samples[name] ?? [], samples[peer] ?? [])).median;
    print(
      `\nHTTP/2, 1k, ${CONNECTIONS} connections of ${STREAMS} streams, CPU seconds per 100,000 requests`,
    );
    const rows = Object.entries(samples).map(([name, values]) => [
      name,
      summarize(values).median,
      against(name, 'haproxy-bare'),
      against(name, 'haproxy'),
    ]);
    print(formatTable(['proxy', 'CPU s', 'to bare HAProxy', 'to full HAProxy'], rows));
    return {
      'h2-1k/haproxy': against('evenkeel', 'haproxy'),
      'h2-1k-bare/haproxy': against('evenkeel-bare', 'haproxy-bare'),
      'h2-1k-cpu-s': summarize(samples['evenkeel'] ?? []).median,
    };
  } finally {
    for (const { process: child } of [...origins, ...Object.values(peers)]) await stop(child);
  }
}

async function cpuPer100k(h2load: string, peer: Peer, seconds: number): Promise<number> {
  const pid = peer.process.pid as number;
  const before = cpuSecondsOf(pid);
  const { stdout } = await run('taskset', [
    '-c',
    String(LOAD_CORE),
    h2load,
    '-t1',
    `-c${CONNECTIONS}`,
    `-m${STREAMS}`,
    `-D${seconds}`,
    `http://127.0.0.1:${peer.port}/s/${SIZE}`,
  ]);
  // What was under way at the end is neither.
  const [, good = '0', failed = '1'] = /(\d+) succeeded, (\d+) failed/.exec(stdout) ?? [];
  if (good === '0' || failed !== '0')
    throw new Error(`the load through port ${peer.port} failed:\n${stdout}`);
  return ((cpuSecondsOf(pid) - before) / Number(good)) * 100_000;
}
