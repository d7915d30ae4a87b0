/**
 * undici's own functions over a cluster, with affinity: the same user always gets the same server.
 *
 * Run: node --conditions=@evenkeel/source examples/undici.ts
 */
import { request, setGlobalDispatcher } from 'undici';
import { createCluster } from '@evenkeel/core';
import { createDispatcher } from '@evenkeel/core/undici';
import { startServers } from './support/servers.ts';

const servers = await startServers(
  ['alder', 'beech', 'cedar'].map((name) => (_request, response) => response.end(name)),
);

const carts = createCluster({
  name: 'carts',
  discovery: servers.addresses,
  policy: { name: 'maglev', hashKey: { header: 'x-user-id' } },
});
const dispatcher = createDispatcher({ clusters: [carts], retry: { attempts: 2 } });
setGlobalDispatcher(dispatcher);

for (const user of ['ann', 'bob', 'cid', 'ann', 'bob', 'cid']) {
  const { body } = await request('http://carts/v1/cart', { headers: { 'x-user-id': user } });
  console.log(`${user} -> ${await body.text()}`);
}
const { chosen, reason } = carts.explain({ hashKey: 'ann' });
console.log(`ann goes to ${chosen?.id}: ${reason}`);

await dispatcher.close();
await carts.close();
await servers.close();
