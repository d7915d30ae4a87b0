import { EvenkeelError, createRuntime, type DiscoverySource, type Runtime } from '@evenkeel/core';
import { forwarderOptions } from '../config/decode-file.ts';
import type { GatewayConfig } from '../config/gateway-options.ts';
import { openForwarder } from '../forwarder/forwarder.ts';
import { type InterfaceInfo, readInterface } from '../system/interface.ts';
import { type NextHop, resolveNextHop } from '../system/next-hop.ts';
import { Gateway } from './gateway.ts';

export interface GatewayPorts extends Partial<Runtime> {
  /** Kinds of discovery from other entries that clusters may name: `[consulSource]`. */
  readonly sources?: readonly DiscoverySource[];
}

/**
 * Starts a gateway: loads the program, adds the VIPs, attaches. A predecessor of the same name that is gone hands over
 * its flows; one that runs is an error. When anything fails, what forwarded before goes on forwarding.
 *
 * @throws ConfigError for interfaces that are not there, and for what only the forwarder can tell
 * @throws BpfError for what the kernel refuses, with the missing capability or feature
 */
export async function createGateway(
  config: GatewayConfig,
  ports: GatewayPorts = {},
): Promise<Gateway> {
  const runtime = createRuntime(ports);
  const found = config.interfaces.map(existing);
  const mtu = config.mtu === 'auto' ? autoMtu(found) : config.mtu;
  const nextHop = await nextHopOf(config, runtime);
  const forwarder = openForwarder({
    ...forwarderOptions(config),
    ...{ nextHop: nextHop.mac, mtu },
    maxRings: ringsFor(config),
    pins: { name: config.name },
  });
  let gateway: Gateway | undefined;
  try {
    const { sources = [] } = ports;
    gateway = new Gateway(config, { forwarder, nextHop, mtu, runtime, sources });
    // What a predecessor forwards meanwhile is better than nothing; who took over its reals has something at once.
    if (forwarder.hasPredecessor && !forwarder.isAdopted) await gateway.ready(TAKEOVER_MS);
    gateway.attach();
    return gateway;
  } catch (error) {
    if (gateway === undefined) forwarder.close({ keep: true });
    else await gateway.close(true);
    throw error;
  }
}

/** Longest time that a predecessor with another layout goes on forwarding. */
const TAKEOVER_MS = 10_000;

/** Least number of rings, and how many more than are needed, so that VIPs can be added later. */
const MIN_RINGS = 64;
const ROOM = 2;

function ringsFor({ vips }: GatewayConfig): number {
  const needed = vips.reduce((sum, { sourceRoutes }) => sum + 1 + sourceRoutes.length, 0);
  return Math.min(4_096, Math.max(MIN_RINGS, ROOM * needed));
}

function existing(name: string): InterfaceInfo {
  const info = readInterface(name);
  if (info === undefined) {
    throw new EvenkeelError(
      'EVENKEEL_CONFIG',
      `interface: there is no ${name} here (ip link show)`,
    );
  }
  return info;
}

/** What every interface carries, within what the program can make. */
function autoMtu(interfaces: readonly InterfaceInfo[]): number {
  const least = Math.min(...interfaces.map(({ mtu }) => mtu));
  return Math.min(9_000, Math.max(576, least));
}

/** Packets leave where they came in, and every real has one next hop: interfaces with routers of their own need two gateways. */
async function nextHopOf(
  { nextHop, interfaces }: GatewayConfig,
  runtime: Runtime,
): Promise<NextHop> {
  if (nextHop !== 'auto') return { mac: nextHop, address: undefined };
  const [first = '', ...others] = interfaces;
  const found = await resolveNextHop(first, runtime);
  for (const name of others) {
    const { mac, address } = await resolveNextHop(name, runtime);
    if (mac === found.mac) continue;
    throw new EvenkeelError(
      'EVENKEEL_CONFIG',
      `nextHop: auto found ${found.address} (${found.mac}) on ${first} and ${address} (${mac}) on ${name}: run a gateway for each, with a name of its own`,
    );
  }
  return found;
}
