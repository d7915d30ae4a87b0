/**
 * A service that breaks down and recovers, behind the circuit breaker of its cluster: while it is broken, nobody waits
 * for it, and a fallback answers.
 *
 * Run: node --conditions=@evenkeel/source examples/circuit-breaker.ts
 */
import { AdmissionError, createCluster, Outcome, outcomeOfStatus } from '@evenkeel/core';
import { createCircuitBreakers } from '@evenkeel/core/opossum'; // needs the package opossum
import { startServers } from './support/servers.ts';

let broken = false;
const servers = await startServers(
  ['alder', 'beech'].map((name) => (_request, response) => {
    response.statusCode = broken ? 500 : 200;
    response.end(broken ? 'no' : `fresh from ${name}`);
  }),
);

const recommendations = createCluster(
  {
    name: 'recommendations',
    discovery: servers.addresses,
    admission: { circuitBreaker: { cluster: { minRequests: 5, openMs: 200 } } },
  },
  { createCircuitBreakers },
);
const halfOpen = new Promise<void>((resolve) => {
  recommendations.subscribe((event) => {
    if (event.type !== 'circuit-changed') return;
    console.log(`  circuit: ${event.from} > ${event.to} (${event.reason})`);
    if (event.to === 'half-open') resolve();
  });
});
await recommendations.ready();

/** One request: asks the cluster for an endpoint, and tells it how it went. */
async function fetchItems(): Promise<string> {
  const lease = recommendations.acquire(); // throws AdmissionError while the circuit is open
  try {
    const { host, port } = lease.endpoint.address as { host: string; port: number };
    const response = await fetch(`http://${host}:${port}/v1/top`);
    lease.respond();
    const text = await response.text();
    lease.finish(outcomeOfStatus(response.status));
    if (!response.ok) throw new Error(`status ${response.status}`);
    return text;
  } finally {
    lease.finish(Outcome.reset); // does nothing if it has ended already
  }
}

async function topItems(): Promise<string> {
  try {
    return await fetchItems();
  } catch (error) {
    const why = error instanceof AdmissionError ? `refused: ${error.reason}` : 'failed';
    return `bestsellers of last week (${why})`;
  }
}

async function ask(when: string, count: number): Promise<void> {
  const answers = new Map<string, number>();
  for (let request = 0; request < count; request++) {
    const answer = await topItems();
    answers.set(answer, (answers.get(answer) ?? 0) + 1);
  }
  for (const [answer, times] of answers) console.log(`${when}: ${times} x ${answer}`);
}

await ask('all well', 4);
broken = true;
await ask('broken', 20);
console.log(`explain: ${recommendations.explain().path[0]?.reason}`);
broken = false;
await halfOpen;
await ask('well again', 4);

await recommendations.close();
await servers.close();
