/**
 * Endpoints from ZooKeeper: instances come, go and change while traffic flows, and an ended session takes its own along.
 *
 * Needs a ZooKeeper at 127.0.0.1:2181, or its address in ZOOKEEPER_SERVERS (`host:port,host:port`), and the package
 * node-zookeeper-client.
 * Run: node --conditions=@evenkeel/source examples/zookeeper.ts
 */
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ClusterEvent, createCluster, register } from '@evenkeel/core';
import { zookeeper, zookeeperRegistry } from '@evenkeel/core/zookeeper';

// Nothing of a cluster keeps the process alive: that is up to your program. This timer stands for its server.
const server = setInterval(() => undefined, 1_000);

const servers = process.env['ZOOKEEPER_SERVERS'] ?? '127.0.0.1:2181';
const path = `/example-users-${process.pid}`;

// Instances to be found. In real life they are other processes, of ours or of Finagle's and Curator's making.
const instance = (format: 'json' | 'serverset' | 'curator', port: number, weight: number) =>
  register({
    registry: zookeeperRegistry({ servers, path, format }),
    ...{ service: 'users', address: '127.0.0.1', port, weight },
  });
const [first, second] = [instance('json', 8001, 1), instance('serverset', 8002, 3)];
await Promise.all([first.ready(), second.ready()]);

const folder = await mkdtemp(join(tmpdir(), 'evenkeel-example-'));
const users = createCluster({
  name: 'users',
  discovery: zookeeper({
    servers,
    path,
    lastKnownGood: { path: join(folder, 'users.lkg') }, // used at a start while ZooKeeper is down
    guard: { maxRemovalPercent: 50 }, // more than half gone at once: looks again before it believes that
  }),
});
const changes = new EventTarget();
users.subscribe((event: ClusterEvent) => {
  if (event.type === 'membership-changed') changes.dispatchEvent(new Event('change'));
  if (event.type === 'discovery-error') console.log(`zookeeper: ${event.error.message}`);
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
const third = instance('curator', 8003, 1);
await changed;
console.log(`one joined:     ${members()}`);

changed = once(changes, 'change');
second.setHealth('unhealthy', 'out of disk');
await changed;
console.log(`one is unwell:  ${members()}`);

const { kind, healthy } = users.snapshot().discovery;
console.log(`${kind} is healthy: ${healthy}`);

await users.close();
// Removes the nodes; the end of a session, some seconds after its process, would do the same.
await Promise.all([first, second, third].map((registration) => registration.close()));
clearInterval(server);
await rm(folder, { recursive: true });
