/**
 * Topology at work over time, under virtual time: many clients with clusters of their own in front of the same
 * endpoints, or one client in front of endpoints that have to warm up.
 */
import { describe, expect, it } from 'vitest';
import { Outcome } from '../model/outcome.ts';
import { XorShift128 } from '../runtime/random.ts';
import type { TopologyOptions } from '../topology/config.ts';
import { clusterBench, type ClusterBench } from './test-support/cluster-bench.ts';

const ZONES = ['a', 'b', 'c'];
/** Clients and endpoints by zone: 40/40/20 and 25/50/25 percent. */
const CLIENTS = [8, 8, 4];
const ENDPOINTS = [5, 10, 5];

const fleet = ZONES.flatMap((zone, index) =>
  Array.from({ length: ENDPOINTS[index] ?? 0 }, (_, number) => ({
    address: `10.${index}.0.${number}:80`,
    locality: { region: 'eu', zone },
  })),
);
const peers = {
  counts: ZONES.map((zone, index) => ({ region: 'eu', zone, count: CLIENTS[index] ?? 0 })),
};

interface Client extends ClusterBench {
  readonly zone: string;
}

function createClients(topologyIn: (zone: string) => TopologyOptions): Client[] {
  return ZONES.flatMap((zone, index) =>
    Array.from({ length: CLIENTS[index] ?? 0 }, (_, number) => {
      const seed = index * 100 + number;
      const bench = clusterBench({ topology: topologyIn(zone), policy: 'random', seed });
      bench.deliver(...fleet);
      return { ...bench, zone };
    }),
  );
}

interface Traffic {
  /** Requests by endpoint. */
  readonly loads: ReadonlyMap<string, number>;
  readonly localRatio: number;
  readonly failedRatio: number;
}

/** Every client makes as many requests, and they are drawn, so that their numbers are binomial. Endpoints in `dead` fail what they get. */
function run(clients: readonly Client[], requests: number, dead: ReadonlySet<string>): Traffic {
  const loads = new Map(fleet.map(({ address }) => [address, 0]));
  let local = 0;
  let failed = 0;
  for (const { cluster, zone } of clients) {
    for (let request = 0; request < requests; request++) {
      const lease = cluster.acquire();
      const { id, locality } = lease.endpoint;
      loads.set(id, (loads.get(id) ?? 0) + 1);
      if (locality.zone === zone) local++;
      if (dead.has(locality.zone)) failed++;
      lease.finish(dead.has(locality.zone) ? Outcome.connectFailure : Outcome.success);
    }
  }
  const total = clients.length * requests;
  return { loads, localRatio: local / total, failedRatio: failed / total };
}

function checkZone(clients: readonly Client[], zone: string, healthy: boolean): void {
  for (const client of clients) {
    for (const { slot, endpoint } of client.cluster.snapshot().endpoints) {
      if (endpoint.locality.zone === zone) client.check(slot, healthy);
    }
  }
}

/** Largest deviation of a load from the mean of those that have one, as a part of the mean. */
function unevenness({ loads }: Traffic): number {
  const used = [...loads.values()].filter((load) => load > 0);
  const mean = used.reduce((sum, load) => sum + load, 0) / used.length;
  return Math.max(...used.map((load) => Math.abs(load - mean) / mean));
}

const NOBODY: ReadonlySet<string> = new Set();
const REQUESTS = 2_000;
/** 20 clients with 2,000 requests on 20 endpoints: 2,000 each, and five deviations of that are 11 %. */
const TOLERANCE = 5 / Math.sqrt(REQUESTS);

describe('zone-aware routing of a fleet', () => {
  const aware = createClients((zone) => ({
    locality: { region: 'eu', zone },
    zoneAware: {},
    peers,
  }));
  const plain = createClients(() => ({}));

  it('loads all endpoints alike, and crosses zones as little as that allows', () => {
    const [routed, random] = [run(aware, REQUESTS, NOBODY), run(plain, REQUESTS, NOBODY)];
    expect(unevenness(routed)).toBeLessThan(TOLERANCE);
    // 62.5 % of 40, all of 40 and all of 20: 85 percent stay, against 25 * 40 + 50 * 40 + 25 * 20 = 35 by chance.
    expect(Math.abs(routed.localRatio - 0.85)).toBeLessThan(0.02);
    expect(Math.abs(random.localRatio - 0.35)).toBeLessThan(0.02);
  });

  it('survives the loss of a zone and returns to it', () => {
    const dead = new Set(['a']);
    checkZone(aware, 'a', false);
    const during = run(aware, REQUESTS, dead);
    expect(during.failedRatio).toBe(0);
    // The clients of zone a now divide between b and c by their room: 66.7 - 40 and 33.3 - 20.
    expect(unevenness(during)).toBeLessThan(TOLERANCE);
    checkZone(aware, 'a', true);
    const after = run(aware, REQUESTS, NOBODY);
    expect(after.localRatio).toBeGreaterThan(0.83);
    expect(unevenness(after)).toBeLessThan(TOLERANCE);
  });

  it('does not overload the rest of a zone that loses half of its endpoints', () => {
    for (const client of aware) {
      for (const { slot, id } of client.cluster.snapshot().endpoints) {
        if (['10.0.0.0:80', '10.0.0.1:80'].includes(id)) client.check(slot, false);
      }
    }
    expect(unevenness(run(aware, REQUESTS, NOBODY))).toBeLessThan(TOLERANCE);
  });
});

interface WarmUpRun {
  /** Longest wait for an answer of the newcomer. */
  readonly worstMs: number;
  readonly newcomerRatio: number;
}

/**
 * Nine warm endpoints and one that joins cold: its first 20 s it works at a tenth of its speed, growing evenly. Each
 * serves one request at a time in 10 ms; 500 requests a second keep the warm ones half busy.
 */
function warmUp(policy: string, topology: TopologyOptions): WarmUpRun {
  const bench = clusterBench({ policy, topology });
  const random = new XorShift128(7);
  const addresses = Array.from({ length: 10 }, (_, index) => `10.0.0.${index}:80`);
  bench.deliver(...addresses.slice(0, 9));
  bench.runtime.scheduler.advance(1_000);
  bench.deliver(...addresses);
  const { clock, scheduler } = bench.runtime;
  const startMs = clock.nowMs();
  const freeAtMs = new Array<number>(10).fill(startMs);
  let worstMs = 0;
  let newcomer = 0;
  const requests = 10_000;
  for (let request = 0; request < requests; request++) {
    scheduler.advance(-2 * Math.log(((random.nextInt32() >>> 0) + 0.5) / 2 ** 32));
    const nowMs = clock.nowMs();
    const slot = bench.cluster.pick({}, nowMs);
    const isNewcomer = bench.cluster.endpoint(slot)?.id === addresses[9];
    const speed = isNewcomer ? Math.min(1, 0.1 + (0.9 * (nowMs - startMs)) / 20_000) : 1;
    const doneMs = Math.max(nowMs, freeAtMs[slot] ?? 0) + 10 / speed;
    freeAtMs[slot] = doneMs;
    bench.cluster.start(slot, nowMs);
    scheduler.after(doneMs - nowMs, () =>
      bench.cluster.finish(slot, Outcome.success, doneMs - nowMs),
    );
    if (!isNewcomer) continue;
    newcomer++;
    worstMs = Math.max(worstMs, doneMs - nowMs);
  }
  return { worstMs, newcomerRatio: newcomer / requests };
}

describe('slow start of a cold endpoint', () => {
  const slow: TopologyOptions = { slowStart: { windowMs: 20_000 } };

  it.each(['round-robin', 'weighted-round-robin'])('keeps its queue short under %s', (policy) => {
    const [cold, warmed] = [warmUp(policy, {}), warmUp(policy, slow)];
    // With 50 requests a second it falls behind as long as it does fewer: until 8.9 s, by some 200 requests.
    expect(cold.worstMs).toBeGreaterThan(3_000);
    expect(warmed.worstMs).toBeLessThan(cold.worstMs / 4);
    // It is used all the same.
    expect(warmed.newcomerRatio).toBeGreaterThan(0.03);
  });
});
