/** The policy `prequal` over real servers: probes and requests over loopback, nothing simulated. */
import type { RequestListener } from 'node:http';
import { afterEach, describe, expect, it } from 'vitest';
import { createDispatcher } from '../client/undici/index.ts';
import { createCluster } from '../cluster/create-cluster.ts';
import type { Cluster } from '../cluster/face.ts';
import {
  eventually,
  listenHttp,
  type TestServer,
} from '../health/active/test-support/check-bench.ts';
import { createLoadReporter } from '../load-report/server/load-reporter.ts';
import { createProbeHandler } from '../load-report/server/probe-handler.ts';

const closers: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

interface Backend {
  readonly server: TestServer;
  readonly served: () => number;
  readonly probed: () => number;
}

interface BackendOptions {
  readonly delayMs?: number;
  /** `answers`, by default; `hangs`; or `unknown`: the application answers 404. */
  readonly probes?: 'answers' | 'hangs' | 'unknown';
}

/** A server that takes so long for each request, and says how busy it is. */
async function startBackend({
  delayMs = 2,
  probes = 'answers',
}: BackendOptions = {}): Promise<Backend> {
  let served = 0;
  let probed = 0;
  const reporter = createLoadReporter();
  const probe = createProbeHandler(reporter);
  const application = reporter.wrap((_request, response) => {
    served++;
    setTimeout(() => response.end('ok'), delayMs);
  });
  const handler: RequestListener = (request, response) => {
    if (request.url !== '/.evenkeel/probe') {
      application(request, response);
      return;
    }
    probed++;
    if (probes === 'answers') probe(request, response);
    if (probes === 'unknown') response.writeHead(404).end();
  };
  const server = await listenHttp(handler);
  closers.push(() => server.close());
  return { server, served: () => served, probed: () => probed };
}

interface Client {
  readonly cluster: Cluster;
  /** Requests, so many at a time. @returns statuses other than 200 */
  send(count: number, atATime: number): Promise<number[]>;
  close(): Promise<void>;
}

function connect(
  backends: readonly Backend[],
  policy: Readonly<Record<string, unknown>> = {},
): Client {
  const cluster = createCluster({
    name: 'users',
    discovery: backends.map(({ server }) => `127.0.0.1:${server.port}`),
    policy: { name: 'prequal', ...policy },
  });
  const dispatcher = createDispatcher({ clusters: [cluster] });
  const close = async (): Promise<void> => {
    await dispatcher.close();
    await cluster.close();
  };
  closers.push(close);
  return {
    cluster,
    close,
    async send(count, atATime) {
      const wrong: number[] = [];
      let left = count;
      const worker = async (): Promise<void> => {
        while (left-- > 0) {
          const response = await fetch('http://users/', { dispatcher } as RequestInit);
          await response.text();
          if (response.status !== 200) wrong.push(response.status);
        }
      };
      await Promise.all(Array.from({ length: atATime }, worker));
      return wrong;
    },
  };
}

describe('prequal over real servers', () => {
  it('gives a slow server less, and says why', async () => {
    const slow = await startBackend({ delayMs: 80 });
    const others = [await startBackend(), await startBackend(), await startBackend()];
    const client = connect([slow, ...others]);
    expect(await client.send(600, 12)).toEqual([]);
    // Fair would be 150. By time alone, 80 ms against some 2 to 10 of the others, it is far below half of that.
    expect(slow.served()).toBeLessThan(75);
    for (const { served } of others) expect(served()).toBeGreaterThan(100);
    const stats = client.cluster.snapshot().policyStats;
    expect(stats['pooledPickCount']).toBeGreaterThan(300);
    expect(stats['probeAnswerCount']).toBeGreaterThan(50);
    expect(stats['usedReportCount']).toBeGreaterThan(300);
    const { candidates } = client.cluster.explain();
    expect(candidates.some(({ reason }) => /(hot|cold), .* in flight there/.test(reason))).toBe(
      true,
    );
  });

  it('loses no request to a server whose probes hang, and holds one connection for it', async () => {
    const hung = await startBackend({ probes: 'hangs' });
    const others = [await startBackend(), await startBackend(), await startBackend()];
    const client = connect([hung, ...others], { probe: { timeoutMs: 60_000 } });
    expect(await client.send(400, 8)).toEqual([]);
    expect(hung.probed()).toBe(1);
    const all = [hung, ...others].map(({ served }) => served());
    expect(all.reduce((sum, count) => sum + count, 0)).toBe(400);
  });

  it('asks servers that do not know probes once, and goes by what it sees itself', async () => {
    const backends = [
      await startBackend({ probes: 'unknown' }),
      await startBackend({ probes: 'unknown' }),
    ];
    const client = connect(backends);
    expect(await client.send(300, 6)).toEqual([]);
    for (const { probed, served } of backends) {
      expect(probed()).toBeLessThanOrEqual(1);
      expect(served()).toBeGreaterThan(60);
    }
  });

  it('leaves no connection behind when the cluster is closed, probes under way included', async () => {
    const backends = [await startBackend(), await startBackend({ probes: 'hangs' })];
    const client = connect(backends, { probe: { timeoutMs: 60_000 } });
    await client.send(50, 4);
    await eventually(() => backends[1]?.probed()).toBe(1);
    await client.close();
    await Promise.all(backends.map(({ server }) => server.idle()));
    expect(backends.map(({ server }) => server.openCount)).toEqual([0, 0]);
  });
});
