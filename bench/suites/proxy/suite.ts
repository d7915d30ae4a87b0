/**
 * What a request through the proxy costs: CPU time of the proxy's process per 100,000 requests, beside HAProxy, nginx and
 * a proxy on node:http. Every proxy has one core; load and origins have the other. Requests per second say little here,
 * because the load generator is the limit.
 */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { measureRounds } from '../../support/rounds.ts';
import { pairedRatios, summarize } from '../../support/statistics.ts';
import type { Figures, Suite } from '../../support/suite.ts';
import { formatTable } from '../../support/table.ts';
import { cpuSecondsOf, pin } from './cpu.ts';
import { LOAD_CORE, optionalPathOf, pathOf, PROXY_CORE, startScript, stop } from './processes.ts';
import { memoryFigures } from './memory.ts';
import { tcpFigures } from './tcp.ts';
import { tlsFigures } from './tls.ts';
import { http2Figures } from './http2.ts';
import { findRouteFigures } from './find-route.ts';
import { type Peer, startHaproxy, startNginx } from './peers.ts';

const run = promisify(execFile);

const CONNECTIONS = 64;

const SIZES = { '100b': 100, '1k': 1_024, '100k': 102_400 } as const;

export const suite: Suite = {
  description: 'CPU per request through the proxy against HAProxy, nginx and node:http',
  async run({ print, quick }) {
    const wrk = pathOf('wrk');
    const origins = await Promise.all([startScript('origin.ts', []), startScript('origin.ts', [])]);
    const ports = origins.map(({ port }) => port);
    const proxies = await startProxies(ports);
    try {
      for (const { process: origin } of origins) pin(origin.pid as number, LOAD_CORE);
      for (const { process: proxy } of Object.values(proxies)) pin(proxy.pid as number, PROXY_CORE);
      const figures: Record<string, number> = { ...(await findRouteFigures(print, quick)) };
      for (const [label, size] of Object.entries(SIZES)) {
        const seconds = quick ? 0.3 : 2;
        const samples = await measureRounds(
          Object.entries(proxies).map(([name, peer]) => ({
            name,
            measure: () => cpuPer100k(wrk, peer, { size, seconds }),
          })),
          quick ? { rounds: 1, warmupRounds: 0 } : { rounds: 7, warmupRounds: 1 },
        );
        Object.assign(figures, report(label, samples, print));
      }
      const programs = { haproxy: pathOf('haproxy'), h2load: pathOf('h2load') };
      Object.assign(figures, await http2Figures({ print, quick }, programs));
      Object.assign(figures, await tlsFigures({ print, quick }));
      Object.assign(figures, await memoryFigures({ print, quick }));
      Object.assign(figures, await tcpFigures({ print, quick }, pathOf('haproxy')));
      return figures;
    } finally {
      for (const { process: child } of [...origins, ...Object.values(proxies)]) await stop(child);
    }
  },
};

type Samples = Readonly<Record<string, number[]>>;

function report(label: string, samples: Samples, print: (text: string) => void): Figures {
  const against = (name: string, peer: string): number =>
    summarize(pairedRatios(samples[name] ?? [], samples[peer] ?? [])).median;
  const rows = Object.entries(samples).map(([name, values]) => {
    const { median } = summarize(values);
    return [name, median, against(name, 'haproxy-bare'), against(name, 'haproxy')];
  });
  print(`\n${label}, ${CONNECTIONS} keep-alive connections, CPU seconds per 100,000 requests`);
  print(formatTable(['proxy', 'CPU s', 'to bare HAProxy', 'to full HAProxy'], rows));
  return {
    [`h1-${label}/haproxy`]: against('evenkeel', 'haproxy'),
    [`h1-${label}-bare/haproxy`]: against('evenkeel-bare', 'haproxy-bare'),
    [`h1-${label}-cpu-s`]: summarize(samples['evenkeel'] ?? []).median,
    ...(samples['nginx'] === undefined
      ? {}
      : { [`h1-${label}/nginx`]: against('evenkeel', 'nginx') }),
    [`h1-${label}/node-http`]: against('evenkeel', 'node-http'),
  };
}

async function startProxies(ports: readonly number[]): Promise<Record<string, Peer>> {
  const haproxy = pathOf('haproxy');
  const nginx = optionalPathOf('nginx');
  return {
    evenkeel: await startScript('evenkeel.ts', ['full', ...ports]),
    'evenkeel-bare': await startScript('evenkeel.ts', ['bare', ...ports]),
    'haproxy-bare': await startHaproxy({ path: haproxy, origins: ports, full: false }),
    haproxy: await startHaproxy({ path: haproxy, origins: ports, full: true }),
    ...(nginx === undefined ? {} : { nginx: await startNginx(nginx, ports) }),
    'node-http': await startScript('http-proxy.ts', ports),
  };
}

interface Load {
  readonly size: number;
  readonly seconds: number;
}

async function cpuPer100k(wrk: string, peer: Peer, { size, seconds }: Load): Promise<number> {
  const pid = peer.process.pid as number;
  const before = cpuSecondsOf(pid);
  const url = `http://127.0.0.1:${peer.port}/s/${size}`;
  const { stdout } = await run('taskset', [
    '-c',
    String(LOAD_CORE),
    wrk,
    '-t1',
    `-c${CONNECTIONS}`,
    `-d${Math.max(1, Math.round(seconds))}s`,
    url,
  ]);
  const requests = Number(/(\d+) requests in/.exec(stdout)?.[1] ?? 0);
  if (requests === 0 || /Non-2xx|Socket errors/.test(stdout))
    throw new Error(`the load through port ${peer.port} failed:\n${stdout}`);
  return ((cpuSecondsOf(pid) - before) / requests) * 100_000;
}
