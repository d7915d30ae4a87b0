/** What the admission of a cluster does to requests of the proxy, over real sockets. */
import { afterEach, describe, expect, it } from 'vitest';
import { type FixtureOptions, ProxyFixture } from './test-support/proxy-fixture.ts';
import { answering, OK, type OriginConnection } from './test-support/scripted-origin.ts';

let fixture: ProxyFixture;
afterEach(() => fixture.close());

const start = async (
  onData: (connection: OriginConnection, origin: number) => void,
  options?: FixtureOptions,
): Promise<void> => {
  fixture = await ProxyFixture.start(onData, options);
};

const GET = 'GET / HTTP/1.1\r\nhost: a\r\n\r\n';

describe('admission', () => {
  it('turns requests away at once, and lets in again', async () => {
    const held: OriginConnection[] = [];
    await start((connection) => void held.push(connection), {
      cluster: { admission: { thresholds: { requests: 1 } } },
    });
    const first = await fixture.connect();
    first.send(GET);
    await fixture.until(() => held.length === 1);
    const second = await fixture.connect();
    second.send(GET);
    await second.untilText('503');
    held[0]!.write(OK);
    await first.untilText('ok');
    second.send(GET);
    await fixture.until(() => held.length === 2);
    held[1]!.write(OK);
    await second.untilText('ok');
    expect(fixture.cluster.snapshot().admission).toMatchObject({ activeCount: 0 });
  });

  it('asks another endpoint when one takes no more', async () => {
    const held: OriginConnection[] = [];
    await start((connection) => void held.push(connection), {
      origins: 2,
      cluster: {
        admission: {
          concurrency: { per: 'endpoint', initialLimit: 1, minLimit: 1, maxLimit: 1 },
        },
      },
    });
    const clients = [await fixture.connect(), await fixture.connect(), await fixture.connect()];
    clients[0]!.send(GET);
    clients[1]!.send(GET);
    await fixture.until(() => held.length === 2);
    clients[2]!.send(GET);
    await clients[2]!.untilText('503');
    for (const connection of held) connection.write(OK);
    await clients[0]!.untilText('ok');
    await clients[1]!.untilText('ok');
    expect(new Set(held.map(({ socket }) => socket.localPort)).size).toBe(2);
    expect(fixture.cluster.snapshot().totals.activeCount).toBe(0);
  });

  it('limits the rate with 429', async () => {
    await start(answering(OK), {
      cluster: { admission: { rateLimit: { requestsPerSecond: 0.01, burst: 1 } } },
    });
    const client = await fixture.connect();
    client.send(GET);
    await client.untilText('200 OK');
    client.send(GET);
    await client.untilText('429');
  });
});
