/**
 * One contender in a process of its own: V8 specialises undici's call sites on the handlers that it has seen, so a
 * contender is measured as a program meets it that uses only this one.
 */
import { cpuUsage } from 'node:process';
import { serve } from '../../support/child.ts';
import { type Contender, type ContenderName, createContender } from './contenders.ts';

export type ClientRequest =
  | {
      readonly kind: 'prepare';
      readonly contender: ContenderName;
      readonly ports: readonly number[];
      readonly connections: number;
    }
  | {
      readonly kind: 'run';
      readonly concurrency: number;
      readonly forMs?: number;
      readonly requests?: number;
    };

export interface ClientReply {
  readonly requestCount: number;
  readonly failedCount: number;
  readonly requestsPerSecond: number;
  /** CPU time of this process per request, all threads together. */
  readonly cpuUs: number;
  readonly p50Ms: number;
  readonly p90Ms: number;
  readonly p99Ms: number;
}

let contender: Contender | undefined;

async function run(limits: Extract<ClientRequest, { kind: 'run' }>): Promise<ClientReply> {
  const {
    concurrency,
    forMs = Number.POSITIVE_INFINITY,
    requests = Number.POSITIVE_INFINITY,
  } = limits;
  const { next, origin } = contender as Contender;
  const request = {
    origin,
    path: '/v1/users',
    method: 'GET',
    headers: { accept: 'application/json' },
  } as const;
  const latencies: number[] = [];
  let begunCount = 0;
  let failedCount = 0;
  const begunMs = performance.now();
  const usedBefore = cpuUsage();
  const worker = async (): Promise<void> => {
    while (begunCount < requests) {
      begunCount++;
      const sentMs = performance.now();
      if (sentMs - begunMs > forMs) return;
      try {
        const { statusCode, body } = await next().request(request);
        await body.text();
        if (statusCode !== 200) failedCount++;
      } catch {
        failedCount++;
      }
      latencies.push(performance.now() - sentMs);
    }
  };
  await Promise.all(Array.from({ length: concurrency }, worker));
  const used = cpuUsage(usedBefore);
  const tookMs = performance.now() - begunMs;
  const requestCount = latencies.length;
  latencies.sort((a, b) => a - b);
  const quantile = (share: number): number =>
    latencies[Math.min(requestCount - 1, Math.floor(share * requestCount))] ?? 0;
  return {
    requestCount,
    failedCount,
    requestsPerSecond: (requestCount * 1_000) / tookMs,
    cpuUs: (used.user + used.system) / requestCount,
    p50Ms: quantile(0.5),
    p90Ms: quantile(0.9),
    p99Ms: quantile(0.99),
  };
}

serve(async (request: ClientRequest): Promise<ClientReply | null> => {
  if (request.kind === 'run') return run(request);
  contender = createContender(request.contender, request.ports, request.connections);
  return null;
});
