/**
 * Endpoints from etcd: instances come, go and change while traffic flows.
 *
 * Needs an etcd on this host, or the addresses of its members in ETCDCTL_ENDPOINTS.
 * Run: node --conditions=@evenkeel/source examples/etcd.ts
 */
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ClusterEvent, createCluster, register } from '@evenkeel/core';
import { etcd, etcdRegistry } from '@evenkeel/core/etcd';

// Nothing of a cluster keeps the process alive: that is up to your program. This timer stands for its server.
const server = setInterval(() => undefined, 1_000);

// Two instances to be found. In real life they are other processes, or registered by an orchestrator.
const service = `example-users-${process.pid}`;
const instance = (port: number, weight: number) =>
  register({ registry: etcdRegistry(), service, address: '127.0.0.1', port, weight });
const [first, second] = [instance(8001, 1), instance(8002, 3)];
await Promise.all([first.ready(), second.ready()]);

const folder = await mkdtemp(join(tmpdir(), 'evenkeel-example-'));
const users = createCluster({
  name: 'users',
  discovery: etcd({
    prefix: `/services/${service}/`, // where etcdRegistry() puts them
    lastKnownGood: { path: join(folder, 'users.lkg') }, // used at a start while etcd is down
    guard: { maxRemovalPercent: 50 }, // more than half gone at once: looks again before it believes that
  }),
});
const changes = new EventTarget();
users.subscribe((event: ClusterEvent) => {
  if (event.type === 'membership-changed') changes.dispatchEvent(new Event('change'));
  if (event.type === 'discovery-error') console.log(`etcd: ${event.error.message}`);
});
const members = (): string =>
  users
    .snapshot()
    .endpoints.filter(({ state }) => state !== 'draining')
    .map(({ id, weight }) => `${id} (weight ${weight})`)
    .join(', ');

await users.ready();
console.log(`at first:       ${members()}`);

let changed = once(changes, 'change');
const third = instance(8003, 1);
await changed;
console.log(`one joined:     ${members()}`);

changed = once(changes, 'change');
second.setHealth('unhealthy', 'out of disk');
await changed;
console.log(`one is unwell:  ${members()}`);

const { kind, source, healthy } = users.snapshot().discovery;
console.log(`${kind}: ${source.replace(/ at .*/u, '')}, healthy: ${healthy}`);

await users.close();
await Promise.all([first, second, third].map((registration) => registration.close()));
clearInterval(server);
await rm(folder, { recursive: true });
