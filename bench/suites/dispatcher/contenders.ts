import { createCluster } from '@evenkeel/core';
import { createDispatcher } from '@evenkeel/core/undici';
import { BalancedPool, type Dispatcher, Pool, RoundRobinPool } from 'undici';

export const CONTENDERS = [
  'pool',
  'pools',
  'round-robin-pool',
  'balanced-pool',
  'evenkeel',
] as const;
export type ContenderName = (typeof CONTENDERS)[number];

export const DESCRIPTIONS: Readonly<Record<ContenderName, string>> = {
  pool: 'undici Pool to one server',
  pools: 'three undici Pools, taken in turn',
  'round-robin-pool': 'undici RoundRobinPool to one server',
  'balanced-pool': 'undici BalancedPool over three servers',
  evenkeel: 'Evenkeel over three servers, everything on',
};

/** What a client process sends its requests through. */
export interface Contender {
  /** The dispatcher for the next request. */
  readonly next: () => Dispatcher;
  readonly origin: string;
}

/**
 * All contenders may open the same number of connections in total.
 *
 * @param connections in total
 */
export function createContender(
  name: ContenderName,
  ports: readonly number[],
  connections: number,
): Contender {
  const origins = ports.map((port) => `http://127.0.0.1:${port}`);
  const origin = origins[0] as string;
  const share = Math.floor(connections / ports.length);
  switch (name) {
    case 'pool':
      return always(new Pool(origin, { connections }), origin);
    case 'round-robin-pool':
      return always(new RoundRobinPool(origin, { connections }), origin);
    case 'balanced-pool':
      return always(new BalancedPool(origins, { connections: share }), origin);
    case 'pools': {
      // What any balancer over three pools costs at least: the same connections, and no thought about which.
      const pools = origins.map((each) => new Pool(each, { connections: share }));
      let turn = 0;
      return { origin, next: () => pools[turn++ % pools.length] as Pool };
    }
    case 'evenkeel': {
      const cluster = createCluster({
        name: 'users',
        discovery: ports.map((port) => `127.0.0.1:${port}`),
      });
      const dispatcher = createDispatcher({
        clusters: [cluster],
        connections: share,
        deadlineMs: 5_000,
        headersTimeoutMs: 2_000,
        retry: { attempts: 2 },
      });
      return always(dispatcher, 'http://users');
    }
  }
}

function always(dispatcher: Dispatcher, origin: string): Contender {
  return { origin, next: () => dispatcher };
}
