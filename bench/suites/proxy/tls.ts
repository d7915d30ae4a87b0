/**
 * What a request over TLS costs: CPU time of the proxy's process per 100,000 requests beside HAProxy. TLS 1.3 with an
 * ECDSA certificate (P-256), HTTP/1.1, connections that stay; endpoints in clear text.
 */
import { execFile, execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { measureRounds } from '../../support/rounds.ts';
import { pairedRatios, summarize } from '../../support/statistics.ts';
import type { Figures, SuiteContext } from '../../support/suite.ts';
import { formatTable } from '../../support/table.ts';
import { cpuSecondsOf, pin } from './cpu.ts';
import { type Peer, startHaproxy } from './peers.ts';
import { LOAD_CORE, pathOf, PROXY_CORE, startScript, stop } from './processes.ts';

const run = promisify(execFile);

const CONNECTIONS = 64;
const SIZES = { '1k': 1_024, '100k': 102_400 } as const;

export async function tlsFigures({ print, quick }: SuiteContext): Promise<Figures> {
  const certificate = makeCertificate();
  const origins = [await startScript('origin.ts'), await startScript('origin.ts')];
  const ports = origins.map(({ port }) => port);
  const peers: Record<string, Peer> = {};
  const figures: Record<string, number> = {};
  try {
    peers['evenkeel'] = await startScript('evenkeel.ts', ['full', ...ports, certificate]);
    peers['haproxy'] = await startHaproxy({
      path: pathOf('haproxy'),
      origins: ports,
      full: true,
      certificate,
    });
    for (const { process: child } of origins) pin(child.pid as number, LOAD_CORE);
    for (const { process: child } of Object.values(peers)) pin(child.pid as number, PROXY_CORE);
    for (const [label, size] of Object.entries(SIZES)) {
      const samples = await measureRounds(
        Object.entries(peers).map(([name, peer]) => ({
          name,
          measure: () => cpuPer100k(peer, size, quick ? 1 : 2),
        })),
        quick ? { rounds: 1, warmupRounds: 0 } : { rounds: 5, warmupRounds: 1 },
      );
      const ours = samples['evenkeel'] ?? [];
      const theirs = samples['haproxy'] ?? [];
      const ratio = summarize(pairedRatios(ours, theirs)).median;
      print(
        `\nTLS, ${label}, ${CONNECTIONS} keep-alive connections, CPU seconds per 100,000 requests`,
      );
      const rows = [
        ['evenkeel', summarize(ours).median, ratio],
        ['haproxy', summarize(theirs).median, 1],
      ];
      print(formatTable(['proxy', 'CPU s', 'to HAProxy'], rows));
      figures[`tls-${label}/haproxy`] = ratio;
      figures[`tls-${label}-cpu-s`] = summarize(ours).median;
    }
    return figures;
  } finally {
    for (const { process: child } of [...origins, ...Object.values(peers)]) await stop(child);
  }
}

/** @returns a file with certificate and key, as HAProxy wants it */
function makeCertificate(): string {
  const folder = mkdtempSync(join(tmpdir(), 'evenkeel-bench-'));
  const [cert, key, both] = ['cert.pem', 'key.pem', 'both.pem'].map((name) =>
    join(folder, name),
  ) as [string, string, string];
  execFileSync(
    pathOf('openssl'),
    [
      ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'],
      ...['-subj', '/CN=localhost', '-days', '2', '-keyout', key, '-out', cert],
    ],
    { stdio: 'ignore' },
  );
  writeFileSync(both, `${readFileSync(cert, 'utf8')}${readFileSync(key, 'utf8')}`);
  return both;
}

async function cpuPer100k(peer: Peer, size: number, seconds: number): Promise<number> {
  const pid = peer.process.pid as number;
  const before = cpuSecondsOf(pid);
  const { stdout } = await run('taskset', [
    ...['-c', String(LOAD_CORE), pathOf('wrk'), '-t1', `-c${CONNECTIONS}`, `-d${seconds}s`],
    `https://127.0.0.1:${peer.port}/s/${size}`,
  ]);
  const requests = Number(/(\d+) requests in/.exec(stdout)?.[1] ?? 0);
  if (requests === 0 || /Non-2xx|Socket errors/.test(stdout))
    throw new Error(`the load through port ${peer.port} failed:\n${stdout}`);
  return ((cpuSecondsOf(pid) - before) / requests) * 100_000;
}
