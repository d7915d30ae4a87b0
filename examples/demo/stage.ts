import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Cluster, type ClusterEvent, createCluster, file } from '@evenkeel/core';
import { createDispatcher } from '@evenkeel/core/undici';
import { EndpointFile } from './endpoint-file.ts';
import { Fleet } from './fleet.ts';
import { Load } from './load.ts';
import { Sampler } from './sampler.ts';

/** Servers that are there in the morning. */
export const FIRST_SERVERS: readonly string[] = [
  'alder',
  'beech',
  'cedar',
  'elm',
  'hazel',
  'maple',
];

/** Callers and their rest together ask for about 2,000 requests a second, which leaves a small machine some air. */
const CALLERS = 48;
const REST_MS = 18;

/** An event of the cluster with its time in the run. */
export interface StageEvent {
  readonly atMs: number;
  readonly event: ClusterEvent;
}

/** Everything that is running. */
export interface Stage {
  readonly fleet: Fleet;
  readonly endpoints: EndpointFile;
  readonly cluster: Cluster;
  readonly load: Load;
  readonly sampler: Sampler;
  readonly events: StageEvent[];
  /** Ends servers and load, and takes the files away. Idempotent. */
  close(): Promise<void>;
}

/** Starts servers, lists them in a file, puts a cluster on that file and callers on the cluster. */
export async function openStage(): Promise<Stage> {
  const folder = await mkdtemp(join(tmpdir(), 'evenkeel-demo-'));
  const fleet = new Fleet();
  const endpoints = new EndpointFile(folder);
  try {
    await endpoints.add(...(await Promise.all(FIRST_SERVERS.map((name) => fleet.start(name)))));
    return await play({ folder, fleet, endpoints });
  } catch (error) {
    await fleet.close();
    await rm(folder, { recursive: true, force: true });
    throw error;
  }
}

interface Props {
  readonly folder: string;
  readonly fleet: Fleet;
  readonly endpoints: EndpointFile;
}

async function play({ folder, fleet, endpoints }: Props): Promise<Stage> {
  // This is all there is to it for a user; the rest of the demo is servers, callers and looking on.
  const cluster = createCluster({
    name: 'shop',
    discovery: file({ path: endpoints.path }),
    health: { http: { path: '/healthz', intervalMs: 1_000 } },
  });
  const dispatcher = createDispatcher({ clusters: [cluster], deadlineMs: 5_000 });
  await cluster.ready();

  const events: StageEvent[] = [];
  const load = new Load({ dispatcher, url: 'http://shop/', callers: CALLERS, restMs: REST_MS });
  const sampler = new Sampler(cluster, () => load.nowMs());
  cluster.subscribe((event) => {
    events.push({ atMs: load.nowMs(), event });
    // The last chance to see the counts of an endpoint that leaves.
    if (event.type === 'endpoint-draining') sampler.take();
  });
  let closing: Promise<void> | undefined;
  const end = async (): Promise<void> => {
    sampler.close();
    await load.stop();
    await dispatcher.close();
    await cluster.close();
    await fleet.close();
    await rm(folder, { recursive: true, force: true });
  };
  return { fleet, endpoints, cluster, load, sampler, events, close: () => (closing ??= end()) };
}
