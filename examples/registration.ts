/**
 * A service that announces itself in Consul, and leaves without a single failed request: it deregisters first, waits
 * until its clients have heard of it, and stops serving last.
 *
 * Needs a Consul agent on this host (`consul agent -dev`), or its address in CONSUL_HTTP_ADDR.
 * Run: node --conditions=@evenkeel/source examples/registration.ts
 */
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createCluster, register, type Registration } from '@evenkeel/core';
import { consul, consulRegistry } from '@evenkeel/core/consul';
import { createDispatcher } from '@evenkeel/core/undici';
import { request } from 'undici';

const service = `example-orders-${process.pid}`;

interface Instance {
  readonly server: Server;
  readonly registration: Registration;
}

/** Serves, and says so: the registration takes three lines. */
async function startInstance(): Promise<Instance> {
  const server = createServer((_, response) => response.end('ok')).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;

  const registry = consulRegistry();
  const registration = register({ registry, service, port, address: '127.0.0.1', lingerMs: 500 });
  await registration.ready();

  return { server, registration };
}

/** What belongs into a SIGTERM handler, in this order. */
async function stopInstance({ server, registration }: Instance): Promise<void> {
  await registration.close(); // gone from Consul, and half a second later no client chooses it any more
  server.closeIdleConnections();
  await new Promise((resolve) => server.close(resolve)); // lets the requests in flight finish
}

const instances = [await startInstance(), await startInstance()] as const;
console.log('two instances are registered');

// A client somewhere else.
const orders = createCluster({ name: 'orders', discovery: consul({ service }) });
const dispatcher = createDispatcher({ clusters: [orders] });
await orders.ready();
let isRunning = true;
let answered = 0;
let failed = 0;
const traffic = (async () => {
  while (isRunning) {
    try {
      const { statusCode, body } = await request('http://orders/', { dispatcher });
      await body.dump();
      if (statusCode === 200) answered += 1;
      else failed += 1;
    } catch {
      failed += 1;
    }
  }
})();

await stopInstance(instances[0]);
console.log('the first one has left');
const left = orders.snapshot().endpoints.filter(({ state }) => state !== 'draining');
console.log(`the client knows ${left.length}`);

isRunning = false;
await traffic;
if (failed > 0) process.exitCode = 1;
console.log(`${answered > 0 ? 'requests were answered' : 'no request'}, ${failed} failed`);

await dispatcher.close();
await orders.close();
await stopInstance(instances[1]);
