/**
 * The built-in fetch over a cluster: three servers, one of which fails at once. No caller notices.
 *
 * Run: node --conditions=@evenkeel/source examples/fetch.ts
 */
import { createCluster } from '@evenkeel/core';
import { createDispatcher } from '@evenkeel/core/undici';
import { startServers } from './support/servers.ts';

const servers = await startServers([
  (request, response) => response.end(`alder saw host ${request.headers.host}`),
  (request, response) => response.end(`beech saw host ${request.headers.host}`),
  (_request, response) => response.writeHead(503).end('cedar is not well'),
]);

const users = createCluster({ name: 'users', discovery: servers.addresses });
const dispatcher = createDispatcher({ clusters: [users], deadlineMs: 2_000 });

const answers = new Map<string, number>();
for (let i = 0; i < 100; i++) {
  const response = await fetch('http://users/v1/me', { dispatcher });
  const answer = `${response.status} ${await response.text()}`;
  answers.set(answer, (answers.get(answer) ?? 0) + 1);
}
for (const [answer, count] of answers) console.log(`${count} x ${answer}`);

for (const { id, startedCount, outcomes } of users.snapshot().endpoints) {
  console.log(`${id}: ${startedCount} tries, ${outcomes.gatewayError} failed`);
}
await dispatcher.close();
await users.close();
await servers.close();
