/**
 * Sticky sessions: a signed cookie keeps each client with its endpoint; when that is gone, the client moves and is told.
 *
 * Run: node --conditions=@evenkeel/source examples/sticky-cookie.ts
 */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createCluster, createCookieAffinity, NO_SLOT, Outcome } from '@evenkeel/core';

const addressOf = (server: Server): string => `127.0.0.1:${(server.address() as AddressInfo).port}`;

/** A server of the old school: it counts the visits of a client in its own memory. */
async function startShop(name: string): Promise<Server> {
  let visits = 0;
  const server = createServer((_request, response) => {
    visits++;
    response.end(`${name}, visit ${visits}`);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return server;
}

const shops = await Promise.all(['shop-a', 'shop-b', 'shop-c'].map(startShop));
const cluster = createCluster({
  name: 'shops',
  discovery: shops.map(addressOf),
  policy: 'round-robin',
});
await cluster.ready();

// In production from the environment, 32 random bytes, the same for all processes. A list: so that it can be changed.
const affinity = createCookieAffinity(cluster, {
  secrets: ['a secret for this example only'],
  name: 'shop',
  maxAgeMs: 3_600_000,
});

/** What stands in front of the shops. */
async function forward(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const visit = affinity.read(request.headers.cookie);
  const exclude: number[] = [];
  for (
    let slot = affinity.pick(visit);
    slot !== NO_SLOT;
    slot = affinity.pick(visit, { exclude })
  ) {
    const startedMs = cluster.nowMs();
    cluster.start(slot);
    try {
      const answer = await fetch(`http://${cluster.endpoint(slot)?.id}${request.url}`);
      const text = await answer.text();
      cluster.finish(slot, Outcome.success, cluster.nowMs() - startedMs);
      // Only now: the cookie names the endpoint that answered, which after a retry is not the one first tried.
      const setCookie = affinity.setCookie(visit, slot);
      if (setCookie !== undefined) response.setHeader('set-cookie', setCookie);
      response.end(text);
      return;
    } catch {
      cluster.finish(slot, Outcome.connectFailure, cluster.nowMs() - startedMs);
      exclude.push(slot);
    }
  }
  response.writeHead(503).end('all shops are closed');
}

const front = createServer((request, response) => void forward(request, response));
await once(front.listen(0, '127.0.0.1'), 'listening');

let cookie = '';
async function visitShop(): Promise<string> {
  const response = await fetch(`http://${addressOf(front)}/`, { headers: { cookie } });
  const [setCookie] = response.headers.getSetCookie();
  if (setCookie !== undefined) cookie = setCookie.split(';')[0] ?? '';
  return `${await response.text()}${setCookie === undefined ? '' : '   <- new cookie'}`;
}

for (let i = 0; i < 3; i++) console.log(await visitShop());
const { slot } = affinity.read(cookie);
const closing = shops.find((shop) => addressOf(shop) === cluster.endpoint(slot)?.id);
closing?.closeAllConnections();
closing?.close();
console.log('... its shop closes ...');
for (let i = 0; i < 3; i++) console.log(await visitShop());
console.log(JSON.stringify(affinity.stats()));

affinity.close();
await cluster.close();
for (const server of [...shops, front]) {
  server.closeAllConnections();
  server.close();
}
