/** Which limit runs when, and who is held to it. */
import { describe, expect, it } from 'vitest';
import type { EngineFixture, EngineOptions } from './test-support/engine-fixture.ts';
import { filterEngine, later, type OnData } from './test-support/filter-engine.ts';
import { OK } from './test-support/scripted-origin.ts';

const startEngine = filterEngine();
const start = (onData: OnData, options: EngineOptions = {}): Promise<EngineFixture> =>
  startEngine([], onData, { routes: [{ cluster: 'origin', retry: false }], ...options });

const GET = 'GET / HTTP/1.1\r\nhost: a\r\n\r\n';
const LARGE = 64 * 1_048_576;

describe('a request that waited for a connection', () => {
  it('has all the time of other requests once it has one', async () => {
    const engine = await start(
      (connection) => {
        connection.received = '';
        setTimeout(() => connection.write(OK), 250);
      },
      { maxConnections: 1, timeouts: { connectMs: 400 } },
    );
    const [first, second] = [await engine.connect(), await engine.connect()];
    first.send(GET);
    await engine.until(() => engine.counters.requestCount === 1);
    second.send(GET);
    // It waits for 250 ms, and its response takes as long: together more than may be waited for a connection.
    await second.untilText('\r\n\r\nok');
    expect(engine.counters.refusals['upstream-timeout']).toBe(0);
  });
});

describe('a client that takes nothing of its response', () => {
  it('is cut off, and its endpoint is not blamed', async () => {
    const engine = await start(
      (connection) => {
        connection.write(`HTTP/1.1 200 OK\r\ncontent-length: ${LARGE}\r\n\r\n`);
        connection.write('x'.repeat(LARGE));
      },
      { timeouts: { sendStallMs: 100 } },
    );
    const client = await engine.connect();
    client.socket.pause();
    client.send(GET);
    await engine.until(() => engine.counters.truncatedCount === 1);
    await engine.until(() => engine.clusters.get('origin')?.snapshot().totals.activeCount === 0);
    const { outcomes } = engine.clusters.get('origin')?.snapshot().totals ?? {};
    expect([outcomes?.timeout, outcomes?.cancelled]).toEqual([0, 1]);
  });

  it('and goes on to take it has the limit of the endpoint run again', async () => {
    const engine = await start(
      (connection) => {
        connection.write(`HTTP/1.1 200 OK\r\ncontent-length: ${LARGE + 1}\r\n\r\n`);
        connection.write('x'.repeat(LARGE));
      },
      { timeouts: { bodyIdleMs: 150 } },
    );
    const client = await engine.connect();
    client.socket.pause();
    client.send(GET);
    await later(100);
    // The byte that is missing never comes.
    client.socket.resume();
    client.socket.removeAllListeners('data');
    client.socket.on('data', () => undefined);
    await engine.until(() => engine.clusters.get('origin')?.snapshot().totals.activeCount === 0);
    expect(engine.counters.truncatedCount).toBe(1);
    expect(engine.clusters.get('origin')?.snapshot().totals.outcomes.timeout).toBe(1);
  });
});

describe('a bad request behind a good one', () => {
  it('is refused with a response, not with a reset', async () => {
    const engine = await start((connection) => {
      if (connection.received.endsWith('\r\n\r\n')) connection.write(OK.replace('ok', ''));
    });
    const client = await engine.connect();
    await client.send('HEAD / HTTP/1.1\r\nhost: a\r\n\r\n').untilText('200 OK');
    await client.send('GET /\r\n\r\n').untilEnd();
    expect(client.received).toContain('HTTP/1.1 400 Bad Request');
    // Nothing is left of the HEAD before it.
    expect(client.received).toContain('\r\n\r\n400 Bad Request\n');
    expect(engine.counters.truncatedCount).toBe(0);
  });
});
