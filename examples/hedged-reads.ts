/**
 * Hedged reads: every fiftieth answer takes 300 ms for no good reason. Asking a second server after a while takes that
 * out of the tail, for a few per cent more requests.
 *
 * Run: node --conditions=@evenkeel/source examples/hedged-reads.ts
 */
import { createCluster } from '@evenkeel/core';
import { createDispatcher, type EvenkeelDispatcher } from '@evenkeel/core/undici';
import { startServers } from './support/servers.ts';

let answers = 0;
const servers = await startServers(
  ['alder', 'beech', 'cedar'].map((name) => (_request, response) => {
    const pauseMs = ++answers % 50 === 0 ? 300 : 2;
    setTimeout(() => response.end(name), pauseMs);
  }),
);
const books = createCluster({ name: 'books', discovery: servers.addresses });

/** 600 reads, ten at a time. */
async function read(dispatcher: EvenkeelDispatcher): Promise<number[]> {
  const tookMs: number[] = [];
  const reader = async (): Promise<void> => {
    for (let round = 0; round < 60; round++) {
      const startedMs = performance.now();
      const { body } = await dispatcher.request({
        origin: 'http://books',
        path: '/v1/books/7',
        method: 'GET',
      });
      await body.text();
      tookMs.push(performance.now() - startedMs);
    }
  };
  await Promise.all(Array.from({ length: 10 }, reader));
  return tookMs.sort((a, b) => a - b);
}

function tell(what: string, tookMs: readonly number[]): void {
  const at = (ratio: number): string => (tookMs[Math.floor(ratio * tookMs.length)] ?? 0).toFixed(0);
  console.log(`${what.padEnd(14)} half within ${at(0.5)} ms, 99 % within ${at(0.99)} ms`);
}

const plain = createDispatcher({ clusters: [books] });
tell('without hedges', await read(plain));
await plain.close();

// Without `delayMs` the delay is learnt: the 95th percentile of what reads take.
const hedged = createDispatcher({ clusters: [books], hedge: { delayMs: 30 } });
tell('with hedges', await read(hedged));
const { hedgeCount, hedgeWinCount } = hedged.stats;
console.log(`${hedgeCount} hedges for 600 reads, ${hedgeWinCount} of them were faster`);
await hedged.close();

await books.close();
await servers.close();
