/**
 * Endpoints from a file: edit it while traffic flows, and the cluster follows; break it, and the last good set stays.
 *
 * Run: node --conditions=@evenkeel/source examples/file-discovery.ts
 */
import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { once } from 'node:events';
import { createCluster, file, type ClusterEvent } from '@evenkeel/core';

const folder = await mkdtemp(join(tmpdir(), 'evenkeel-example-'));
const path = join(folder, 'endpoints.yaml');
await writeFile(path, '- 127.0.0.1:8001\n- { address: 127.0.0.1:8002, weight: 2 }\n');

// Nothing of a cluster keeps the process alive: that is up to your program. This timer stands for its server.
const server = setInterval(() => undefined, 1_000);

const cluster = createCluster({ name: 'users', discovery: file({ path }) });
const changes = new EventTarget();
cluster.subscribe((event: ClusterEvent) => {
  if (event.type === 'membership-changed' || event.type === 'discovery-error')
    changes.dispatchEvent(new Event(event.type));
  if (event.type === 'discovery-error') console.log(`refused: ${event.error.message}`);
});
const members = (): string =>
  cluster
    .snapshot()
    .endpoints.map(({ id, weight }) => `${id} (weight ${weight})`)
    .join(', ');

await cluster.ready();
console.log(`at first:    ${members()}`);

const changed = once(changes, 'membership-changed');
await writeFile(`${path}.new`, '- 127.0.0.1:8002\n- 127.0.0.1:8003\n');
await rename(`${path}.new`, path); // atomic: readers see the old file or the new one
await changed;
console.log(`replaced:    ${members()}`);

const refused = once(changes, 'discovery-error');
await writeFile(path, '- 127.0.0.1:8002\n- { adress: 127.0.0.1:8003 }\n');
await refused;
console.log(`after error: ${members()}`);

await cluster.close();
clearInterval(server);
await rm(folder, { recursive: true });
