/**
 * What balancing costs on top of undici, and what it is worth when servers misbehave.
 *
 * Servers run in one process and every contender in one of its own; only one of them works at a time, in rounds whose
 * order rotates. All may open the same number of connections.
 */
import { join } from 'node:path';
import { measureRounds } from '../../support/rounds.ts';
import { pairedRatios, summarize } from '../../support/statistics.ts';
import type { Figures, Suite, SuiteContext } from '../../support/suite.ts';
import { formatTable } from '../../support/table.ts';
import { Child } from '../../support/child.ts';
import type { ClientReply, ClientRequest } from './client.ts';
import { type ContenderName, CONTENDERS, DESCRIPTIONS } from './contenders.ts';
import type { ServerPlan, ServersReply, ServersRequest } from './servers.ts';

const CONNECTIONS = 48;
const CONCURRENCY = 30;

type Servers = Child<ServersRequest, ServersReply>;
type Client = Child<ClientRequest, ClientReply>;

export const suite: Suite = {
  description:
    'requests through the dispatcher against undici Pool, RoundRobinPool and BalancedPool',
  async run(context) {
    const servers: Servers = new Child(join(import.meta.dirname, 'servers.ts'));
    try {
      return {
        ...(await measureRates(servers, context)),
        ...(await measureFailing(servers, context)),
        ...(await measureKilled(servers, context)),
        ...(await measureSlow(servers, context)),
      };
    } finally {
      await servers.close();
    }
  },
};

/** Requests per second and CPU time per request, all servers well. */
async function measureRates(servers: Servers, { print, quick }: SuiteContext): Promise<Figures> {
  const ports = await servers.ask({ kind: 'start', plans: [{}, {}, {}] });
  const clients = new Map<ContenderName, Client>();
  const cpu = new Map<ContenderName, number[]>();
  try {
    for (const name of CONTENDERS) {
      const client = await startClient(name, ports);
      clients.set(name, client);
      cpu.set(name, []);
      await runOn(client, { forMs: quick ? 200 : 1_200 });
    }
    // Many short rounds: whatever else the machine does then meets all contenders of a round alike.
    const rounds = quick ? { rounds: 1, warmupRounds: 0 } : { rounds: 15, warmupRounds: 1 };
    const rates = await measureRounds(
      CONTENDERS.map((name) => ({
        name,
        measure: async () => {
          const reply = await runOn(clients.get(name), { forMs: quick ? 150 : 200 });
          cpu.get(name)?.push(reply.cpuUs);
          return reply.requestsPerSecond;
        },
      })),
      rounds,
    );
    const cpuOf = (name: ContenderName): number[] =>
      (cpu.get(name) ?? []).slice(rounds.warmupRounds);
    const rows = CONTENDERS.map((name) => [
      DESCRIPTIONS[name],
      summarize(rates[name]).median,
      summarize(pairedRatios(rates[name], rates.pool)).median,
      summarize(cpuOf(name)).median,
      summarize(pairedRatios(cpuOf(name), cpuOf('pool'))).median,
    ]);
    print(
      `${CONCURRENCY} requests at a time over at most ${CONNECTIONS} connections, medians of ${rounds.rounds} rounds`,
    );
    print(formatTable(['through', 'requests/s', 'to Pool', 'CPU us/request', 'to Pool'], rows));
    const ratio = (name: ContenderName, peer: ContenderName): number =>
      summarize(pairedRatios(rates[name], rates[peer])).median;
    return {
      'rps/pool': ratio('evenkeel', 'pool'),
      'rps/pools': ratio('evenkeel', 'pools'),
      'rps/round-robin-pool': ratio('evenkeel', 'round-robin-pool'),
      'rps/balanced-pool': ratio('evenkeel', 'balanced-pool'),
      'cpu/pool': summarize(pairedRatios(cpuOf('evenkeel'), cpuOf('pool'))).median,
    };
  } finally {
    await Promise.all([...clients.values()].map((client) => client.close()));
  }
}

/** One of two servers answers 503 to everything. */
async function measureFailing(servers: Servers, { print, quick }: SuiteContext): Promise<Figures> {
  const requests = quick ? 300 : 2_000;
  const plans = [{}, { status: 503 }];
  const ours = await runOnce(servers, 'evenkeel', { plans, requests });
  const theirs = await runOnce(servers, 'balanced-pool', { plans, requests });
  print('\none of two servers always answers 503');
  print(failureTable({ evenkeel: ours, BalancedPool: theirs }));
  return {
    'failed-percent': failedPercent(ours),
    'balanced-pool-failed-percent': failedPercent(theirs),
  };
}

/** One of three servers is killed while requests run. */
async function measureKilled(servers: Servers, { print, quick }: SuiteContext): Promise<Figures> {
  const requests = quick ? 300 : 1_500;
  const measure = async (name: ContenderName): Promise<ClientReply> => {
    const ports = await servers.ask({ kind: 'start', plans: [{}, {}, {}] });
    const client = await startClient(name, ports);
    try {
      await runOn(client, { requests: 300 });
      await servers.ask({ kind: 'kill', port: ports[0] as number });
      return await runOn(client, { requests });
    } finally {
      await client.close();
    }
  };
  const [ours, theirs] = [await measure('evenkeel'), await measure('balanced-pool')];
  print('\none of three servers has been killed');
  print(failureTable({ evenkeel: ours, BalancedPool: theirs }));
  return {
    'killed-failed-percent': failedPercent(ours),
    'balanced-pool-killed-failed-percent': failedPercent(theirs),
  };
}

/** Two servers take 1 ms, the third 200 ms. */
async function measureSlow(servers: Servers, { print, quick }: SuiteContext): Promise<Figures> {
  const plans = [{ delayMs: 1 }, { delayMs: 1 }, { delayMs: 200 }];
  const requests = quick ? 300 : 1_500;
  const ours = await runOnce(servers, 'evenkeel', { plans, requests });
  const theirs = await runOnce(servers, 'balanced-pool', { plans, requests });
  print('\nlatencies in ms, servers at 1, 1 and 200 ms');
  print(
    formatTable(
      ['through', 'p50', 'p90', 'p99', 'requests/s'],
      Object.entries({ evenkeel: ours, BalancedPool: theirs }).map(([name, reply]) => [
        name,
        reply.p50Ms,
        reply.p90Ms,
        reply.p99Ms,
        reply.requestsPerSecond,
      ]),
    ),
  );
  return { 'slow-p90-ms': ours.p90Ms, 'balanced-pool-slow-p90-ms': theirs.p90Ms };
}

type Limits = Pick<Extract<ClientRequest, { kind: 'run' }>, 'forMs' | 'requests'>;

interface Scenario extends Limits {
  readonly plans: readonly ServerPlan[];
}

async function startClient(contender: ContenderName, ports: readonly number[]): Promise<Client> {
  const client: Client = new Child(join(import.meta.dirname, 'client.ts'));
  await client.ask({ kind: 'prepare', contender, ports, connections: CONNECTIONS });
  return client;
}

function runOn(client: Client | undefined, limits: Limits): Promise<ClientReply> {
  return (client as Client).ask({ kind: 'run', concurrency: CONCURRENCY, ...limits });
}

/** A contender in a fresh process against fresh servers. */
async function runOnce(
  servers: Servers,
  contender: ContenderName,
  { plans, ...limits }: Scenario,
): Promise<ClientReply> {
  const client = await startClient(contender, await servers.ask({ kind: 'start', plans }));
  try {
    return await runOn(client, limits);
  } finally {
    await client.close();
  }
}

function failedPercent({ failedCount, requestCount }: ClientReply): number {
  return (failedCount / requestCount) * 100;
}

function failureTable(replies: Readonly<Record<string, ClientReply>>): string {
  return formatTable(
    ['through', 'requests', 'failed', 'failed %'],
    Object.entries(replies).map(([name, reply]) => [
      name,
      reply.requestCount,
      reply.failedCount,
      failedPercent(reply),
    ]),
  );
}
