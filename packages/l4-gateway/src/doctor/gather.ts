import { existsSync, readFileSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { adoptLink, probeFeatures } from '@evenkeel/bpf';
import { type Cluster, createCluster, type DiscoverySource } from '@evenkeel/core';
import type { GatewayConfig } from '../config/gateway-options.ts';
import { pinFolder, readOwner } from '../forwarder/pinned-state.ts';
import { readInterface } from '../system/interface.ts';
import { askForNeighbour, neighbourOf } from '../system/neighbours.ts';
import { routerOf } from '../system/next-hop.ts';
import { pause } from '../system/pause.ts';
import { hasXdp, vethPeer } from '../system/veth.ts';
import type { ClusterFacts, Facts, InterfaceFacts } from './facts.ts';

export interface GatherOptions {
  readonly sources: readonly DiscoverySource[];
  /** Whether reals are checked: takes as long as their checks. */
  readonly probe: boolean;
}

const PROBE_MS = 5_000;

export async function gather(config: GatewayConfig, options: GatherOptions): Promise<Facts> {
  const features = probeFeatures();
  const isPrivileged = features.missingCapabilities.length === 0;
  const folder = pinFolder(config.name);
  const owner = isPrivileged ? readOwner(folder) : undefined;
  return {
    config,
    features,
    interfaces: await Promise.all(config.interfaces.map((name) => factsOf(name, folder))),
    localAddresses: localAddresses(),
    isForwarding: readFileSync('/proc/sys/net/ipv4/ip_forward', 'utf8').trim() === '1',
    owner: owner && { pid: owner.pid, alive: owner.alive },
    clusters: options.probe ? await probe(config, options.sources) : undefined,
  };
}

async function factsOf(name: string, folder: string): Promise<InterfaceFacts> {
  const info = readInterface(name);
  const router = routerOf(name);
  if (router !== undefined && neighbourOf(router, name) === undefined) await askTwice(router, name);
  return {
    name,
    info,
    hasXdp: info && hasXdp(name),
    isOurs: isPinned(join(folder, `link_${name.replaceAll('.', '_')}`), info?.index),
    peer: info?.driver === 'veth' ? vethPeer(info) : undefined,
    router,
    routerMac: router === undefined ? undefined : neighbourOf(router, name),
  };
}

/** The answer to the first question may take its time. */
async function askTwice(router: string, name: string): Promise<void> {
  for (let turn = 0; turn < 2 && neighbourOf(router, name) === undefined; turn += 1) {
    await askForNeighbour(router);
    await pause(200);
  }
}

function isPinned(path: string, index: number | undefined): boolean {
  if (!existsSync(path)) return false;
  try {
    const link = adoptLink(path);
    const { interfaceIndex } = link?.info() ?? {};
    link?.close();
    return interfaceIndex === index;
  } catch {
    return false;
  }
}

function localAddresses(): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (const [name, addresses] of Object.entries(networkInterfaces())) {
    for (const { address } of addresses ?? []) found.set(address, name);
  }
  return found;
}

async function probe(
  config: GatewayConfig,
  sources: readonly DiscoverySource[],
): Promise<ClusterFacts[]> {
  const clusters = Array.from(config.clusters.values(), (options) => ({
    options,
    cluster: createCluster(options, { sources }),
  }));
  try {
    return await Promise.all(
      clusters.map(async ({ options, cluster }): Promise<ClusterFacts> => {
        await settled(cluster);
        const { ready, endpoints } = cluster.snapshot();
        return {
          name: cluster.name,
          ready,
          hasChecks: options.health !== undefined,
          reals: endpoints.map(({ endpoint, state, reason }) => ({
            address:
              endpoint.address.kind === 'unix' ? endpoint.address.path : endpoint.address.host,
            ...{ state, reason },
          })),
        };
      }),
    );
  } finally {
    await Promise.all(clusters.map(({ cluster }) => cluster.close()));
  }
}

/** Until everyone has had a check, or long enough. */
async function settled(cluster: Cluster): Promise<void> {
  const limit = AbortSignal.timeout(PROBE_MS);
  try {
    await cluster.ready(limit);
  } catch {
    return;
  }
  while (
    !limit.aborted &&
    cluster.snapshot().endpoints.some(({ state }) => state === 'unchecked')
  ) {
    await pause(50);
  }
}
