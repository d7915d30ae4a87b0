import { EvenkeelError, type Runtime } from '@evenkeel/core';
import { askForNeighbour, defaultRoutes, neighbourOf } from './neighbours.ts';
import { pause } from './pause.ts';

/** Where packets to the reals are sent first. */
export interface NextHop {
  readonly mac: string;
  /** The router's IP address; undefined when the Ethernet address was configured. */
  readonly address: string | undefined;
}

const ATTEMPTS = 30;
const PAUSE_MS = 100;

/** The router of the default route out of an interface; undefined when there is no such route. */
export function routerOf(name: string): string | undefined {
  return defaultRoutes().find((route) => route.interface === name)?.gateway;
}

/**
 * The Ethernet address of the default route's router, asked for if the kernel does not know it yet.
 *
 * @throws EvenkeelError `EVENKEEL_CONFIG` when there is no such route, `EVENKEEL_CONNECT` when the router does not answer
 *   within three seconds
 */
export async function resolveNextHop(name: string, runtime: Runtime): Promise<NextHop> {
  const router = routerOf(name);
  if (router === undefined) {
    throw new EvenkeelError(
      'EVENKEEL_CONFIG',
      `nextHop: auto found no IPv4 default route through a router on ${name} (ip route show default dev ${name}): add one, or set nextHop to the router's Ethernet address`,
    );
  }
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    const mac = neighbourOf(router, name);
    if (mac !== undefined) return { mac, address: router };
    await askForNeighbour(router);
    await pause(PAUSE_MS, { runtime });
  }
  throw new EvenkeelError(
    'EVENKEEL_CONNECT',
    `the router ${router} on ${name} does not answer (ip neigh show ${router}): check the cable, the VLAN and the router, or set nextHop to its Ethernet address`,
    { retryable: true },
  );
}
