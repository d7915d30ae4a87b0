/**
 * A minute of real traffic against ten servers of which one at a time, and for a while two, misbehave in every way. Once
 * with everything as it is by default, and once, for a shorter time, with a policy that sends as much to bad servers as to
 * good ones.
 *
 * What counts as failed: a request whose caller does not get status 200 with the whole body. A server that resets the
 * connection in the middle of a body would fail a caller that has seen the headers, so small responses are held back until
 * they are complete (`holdResponseBytes`); nothing else but the time for a try and the deadline is set. All requests are
 * idempotent.
 *
 * The load is open: a request begins every `1 / RATE` seconds, whether those before it are done or not, as users do. A
 * client that stalls gets its backlog at once, and would be seen to queue.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { createCluster } from '../../../cluster/create-cluster.ts';
import type { ClusterOptions } from '../../../config/cluster-config.ts';
import { createDispatcher, type EvenkeelDispatcher } from '../index.ts';
import { BODY, type Fault } from './chaos-servers.ts';
import { until } from './until.ts';

const RATE_PER_SECOND = 2_000;
const DURATION_MS = 60_000;
const BLIND_DURATION_MS = 12_000;
const SERVERS = 10;
/** Longer than a busy machine stops a process for: else nobody is at fault, and yet all requests in flight are late. */
const TRY_MS = 3_000;
const WARM_UP_MS = 2_000;
/** Heap that may be left over after a minute: tables and compiled code that grow to their size once. */
const MAX_HEAP_GROWTH_BYTES = 8 * 1_048_576;

interface Step {
  /** Part of the time after the warm-up. */
  readonly at: number;
  readonly server: number;
  readonly fault: Fault;
}

/** Each fault for a while, then well again; the last ones overlap. */
const SCRIPT: readonly Step[] = (
  [
    ['down', 0, 0.02, 0.14],
    ['hung', 1, 0.16, 0.28],
    ['slow', 2, 0.3, 0.42],
    ['reset-mid-body', 3, 0.44, 0.54],
    ['fast-503', 4, 0.56, 0.66],
    ['flapping', 5, 0.68, 0.82],
    ['down', 6, 0.84, 0.92],
    ['slow', 7, 0.84, 0.94],
  ] as const
)
  .flatMap(([fault, server, from, to]): Step[] => [
    { at: from, server, fault },
    { at: to, server, fault: 'none' },
  ])
  .toSorted((a, b) => a.at - b.at);

class Servers {
  readonly #child: ChildProcess;

  constructor() {
    this.#child = fork(join(import.meta.dirname, 'chaos-servers.ts'), [String(SERVERS)]);
  }

  async ports(): Promise<number[]> {
    const [{ ports }] = (await once(this.#child, 'message')) as [{ ports: number[] }];
    return ports;
  }

  async become(server: number, fault: Fault): Promise<void> {
    this.#child.send({ server, fault });
    await once(this.#child, 'message');
  }

  async close(): Promise<void> {
    const exited = once(this.#child, 'exit');
    this.#child.disconnect();
    await exited;
  }
}

interface Tally {
  startedCount: number;
  readonly failures: Map<string, number>;
}

/** Sends at a fixed rate for a time. @returns when the last request has ended */
async function load(dispatcher: EvenkeelDispatcher, durationMs: number): Promise<Tally> {
  const tally: Tally = { startedCount: 0, failures: new Map() };
  const fail = (what: string): void =>
    void tally.failures.set(what, (tally.failures.get(what) ?? 0) + 1);
  const one = async (): Promise<void> => {
    try {
      const { statusCode, body } = await dispatcher.request({
        origin: 'http://users',
        path: '/',
        method: 'GET',
      });
      const text = await body.text();
      if (statusCode !== 200 || text.length !== BODY.length)
        fail(`status ${statusCode}, ${text.length} bytes`);
    } catch (error) {
      fail(`${(error as { code?: string }).code}: ${(error as Error).message}`);
    }
  };
  const beganMs = performance.now();
  const running: Promise<void>[] = [];
  for (let nowMs = beganMs; nowMs - beganMs < durationMs; nowMs = performance.now()) {
    const due = Math.floor(((nowMs - beganMs) * RATE_PER_SECOND) / 1_000);
    for (; tally.startedCount < due; tally.startedCount++) running.push(one());
    await new Promise((resolve) => {
      setTimeout(resolve, 1);
    });
    // Promises of the past would be counted as a leak.
    if (running.length > 10_000) await Promise.all(running.splice(0, 5_000));
  }
  await Promise.all(running);
  return tally;
}

async function play(servers: Servers, durationMs: number): Promise<void> {
  const beganMs = performance.now();
  for (const { at, server, fault } of SCRIPT) {
    const waitMs = beganMs + at * durationMs - performance.now();
    await new Promise((resolve) => {
      setTimeout(resolve, Math.max(0, waitMs));
    });
    await servers.become(server, fault);
  }
}

const collectGarbage = ((): (() => void) => {
  setFlagsFromString('--expose-gc');
  return runInNewContext('gc') as () => void;
})();

async function heapBytes(): Promise<number> {
  for (let round = 0; round < 3; round++) {
    collectGarbage();
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
  }
  return process.memoryUsage().heapUsed;
}

/** Timers and sockets that Node knows of. */
function resources(): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const kind of process.getActiveResourcesInfo())
    if (/^(?:Timeout|TCPSocketWrap)/.test(kind)) counts[kind] = (counts[kind] ?? 0) + 1;
  return counts;
}

interface Run {
  readonly cluster?: Partial<ClusterOptions>;
  readonly durationMs: number;
}

/** Ten servers, a minute of faults, and what is left of it. */
async function run({ cluster: options, durationMs }: Run): Promise<void> {
  const servers = new Servers();
  try {
    const ports = await servers.ports();
    const before = resources();
    const cluster = createCluster({
      name: 'users',
      discovery: ports.map((port) => `127.0.0.1:${port}`),
      ...options,
    });
    const dispatcher = createDispatcher({
      clusters: [cluster],
      deadline: { totalMs: 20_000, perTryTimeoutMs: TRY_MS },
      holdResponseBytes: 65_536,
    });
    expect((await load(dispatcher, WARM_UP_MS)).failures).toEqual(new Map());
    const heapBefore = await heapBytes();
    const [tally] = await Promise.all([load(dispatcher, durationMs), play(servers, durationMs)]);
    const { stats } = dispatcher;
    const { outcomes, activeCount } = cluster.snapshot().totals;
    const { retryVerdicts } = stats.clusters[0] ?? {};
    // With the failures, what is needed to understand them.
    const context = { outcomes, retryVerdicts };
    expect({ failures: tally.failures, ...context }).toEqual({ failures: new Map(), ...context });
    // The load was what it says, whatever else the machine does, and every kind of fault was felt.
    expect(tally.startedCount).toBeGreaterThan((RATE_PER_SECOND * durationMs * 0.9) / 1_000);
    for (const outcome of ['connectFailure', 'reset', 'timeout', 'gatewayError'] as const)
      expect(outcomes[outcome], outcome).toBeGreaterThan(0);
    const { runningCount, waitingCount } = stats;
    expect({ runningCount, waitingCount, activeCount }).toEqual({
      runningCount: 0,
      waitingCount: 0,
      activeCount: 0,
    });
    expect((await heapBytes()) - heapBefore).toBeLessThan(MAX_HEAP_GROWTH_BYTES);
    await dispatcher.close();
    await cluster.close();
    const sockets = (counts: Record<string, number>): number => counts['TCPSocketWrap'] ?? 0;
    await until(() => sockets(resources()) <= sockets(before), 'all sockets close');
    // One may be the runner's own, for the time of the test.
    expect(resources()['Timeout'] ?? 0).toBeLessThanOrEqual((before['Timeout'] ?? 0) + 1);
  } finally {
    await servers.close();
  }
}

export function chaosSuite(name: string): void {
  describe(`chaos on ${name}`, () => {
    it(
      'a minute of every fault: no failed request, and nothing left behind',
      { timeout: DURATION_MS + 60_000 },
      () => run({ durationMs: DURATION_MS }),
    );

    it(
      'the same, faster, where nothing avoids bad servers and retries have to carry it alone',
      { timeout: BLIND_DURATION_MS + 60_000 },
      () =>
        run({
          durationMs: BLIND_DURATION_MS,
          cluster: { policy: 'round-robin', outlierDetection: false },
        }),
    );
  });
}
