/** Endpoints and clients that misbehave, over real sockets. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { once } from 'node:events';
import { afterEach, describe, expect, it } from 'vitest';
import { createCluster } from '@evenkeel/core';
import { createProxy } from '../index.ts';
import { type FixtureOptions, ProxyFixture } from './test-support/proxy-fixture.ts';
import { RawClient } from './test-support/raw-client.ts';
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
const POST = 'POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 2\r\n\r\nhi';
const UNAVAILABLE = 'HTTP/1.1 503 Busy\r\ncontent-length: 0\r\n\r\n';

/** Sends requests one after the other on one connection. @returns the statuses */
async function statuses(requests: readonly string[]): Promise<number[]> {
  const client = await fixture.connect();
  const seen = (): number[] =>
    [...client.received.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, status]) => Number(status));
  for (const [index, request] of requests.entries()) {
    client.send(request);
    await client.until(() => seen().length > index || client.closed, `answer ${index}`);
  }
  return seen();
}

describe('an endpoint', () => {
  it('that answers 503 is not the last word on a GET', async () => {
    await start((connection, origin) => connection.write(origin === 0 ? UNAVAILABLE : OK), {
      origins: 2,
    });
    expect(await statuses([GET, GET, GET, GET])).toEqual([200, 200, 200, 200]);
    expect(fixture.proxy.stats.counters.retryCount).toBeGreaterThan(0);
  });

  it('that answers 503 to a POST is', async () => {
    await start((connection) => connection.write(UNAVAILABLE), { origins: 2 });
    expect(await statuses([POST])).toEqual([503]);
    expect(fixture.proxy.stats.counters.retryCount).toBe(0);
  });

  it('that answers 503 is, if there is no other', async () => {
    await start((connection) => connection.write(UNAVAILABLE));
    expect(await statuses([GET])).toEqual([503]);
    expect(fixture.proxy.stats.counters.retryCount).toBe(0);
  });

  it('that breaks off before its answer is left for another one, by a GET', async () => {
    await start(
      (connection, origin) => {
        if (origin === 0) connection.socket.destroy();
        else connection.write(OK);
      },
      { origins: 2 },
    );
    expect(await statuses([GET, GET, GET])).toEqual([200, 200, 200]);
  });

  it('that breaks off before its answer fails a POST', async () => {
    await start((connection) => connection.socket.destroy(), { origins: 2 });
    expect(await statuses([POST])).toEqual([502]);
    expect(fixture.origins.flatMap(({ connections }) => connections)).toHaveLength(1);
  });

  it('that is gone is left for another one, by whatever request', async () => {
    await start((connection) => connection.write(OK), { origins: 2 });
    await fixture.origins[0]!.close();
    expect(await statuses([POST, POST, POST, POST])).toEqual([200, 200, 200, 200]);
  });

  it('that closes idle connections costs no request', async () => {
    await start((connection) => {
      if (!connection.received.endsWith('\r\n\r\n')) return;
      connection.received = '';
      connection.write(OK);
      setImmediate(() => connection.socket.destroy());
    });
    const sent = Array.from({ length: 20 }, () => GET);
    expect(await statuses(sent)).toEqual(sent.map(() => 200));
  });

  it('that does not answer is left for another one when the time is over', async () => {
    await start(
      (connection, origin) => {
        if (origin === 1) connection.write(OK);
      },
      { origins: 2, proxy: { timeouts: { responseHeadMs: 100 } } },
    );
    expect(await statuses([GET, GET])).toEqual([200, 200]);
    await fixture.close();
    await start(() => undefined, { proxy: { timeouts: { responseHeadMs: 100 } } });
    expect(await statuses([POST])).toEqual([504]);
    expect(fixture.cluster.snapshot().totals.outcomes.timeout).toBe(1);
  });

  it('that falls silent within a body is cut off', async () => {
    await start(
      (connection) => connection.write('HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nabc'),
      {
        proxy: { timeouts: { bodyIdleMs: 100 } },
      },
    );
    const client = await fixture.connect();
    client.send(GET);
    await client.until(() => client.closed);
    expect(client.ended).toBe(false);
  });

  it('that answers before the request is complete is heard, and the connection ends', async () => {
    await start((connection) => {
      if (connection.received.includes('\r\n\r\n')) connection.write(OK);
    });
    const client = await fixture.connect();
    client.send('POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 1000\r\n\r\nonly this');
    await client.untilEnd();
    expect(client.received).toContain('200 OK');
  });
});

describe('a client', () => {
  it.each([
    ['a bare LF', 'GET / HTTP/1.1\nhost: a\n\n', 400],
    [
      'two lengths',
      'POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 1\r\ncontent-length: 1\r\n\r\n',
      400,
    ],
    [
      'a length beside chunks',
      'POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 4\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n',
      400,
    ],
    ['an odd coding', 'POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: xchunked\r\n\r\n', 501],
    ['a target that is too long', `GET /${'x'.repeat(9_000)} HTTP/1.1\r\nhost: a\r\n\r\n`, 414],
    [
      'a head that is too large',
      `GET / HTTP/1.1\r\nhost: a\r\nx: ${'y'.repeat(17_000)}\r\n\r\n`,
      431,
    ],
    ['HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 505],
    ['CONNECT', 'CONNECT a:1 HTTP/1.1\r\nhost: a\r\n\r\n', 405],
    ['a bad chunk', 'POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n', 400],
  ])('with %s is refused, and what follows is not read', async (_, request, status) => {
    const routes = [{ cluster: 'origin' }];
    const listeners = [{ listen: '127.0.0.1:0', http: { routes, http2: false } }];
    await start(answering(OK), { proxy: { listeners } });
    const client = await fixture.connect();
    client.send(`${request}GET /smuggled HTTP/1.1\r\nhost: a\r\n\r\n`);
    await client.untilEnd();
    expect(client.received).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
    expect(client.received.match(/HTTP\/1\.1/g)).toHaveLength(1);
    expect(client.received).toContain('connection: close');
    expect(fixture.receivedBy(0)).not.toContain('smuggled');
  });

  it('that is slow with its head gets 408', async () => {
    await start(answering(OK), { proxy: { timeouts: { headMs: 150 } } });
    const client = await fixture.connect();
    client.send('GET / HTTP/1.1\r\n');
    await client.untilText('408 Request Timeout');
    const silent = await fixture.connect();
    await silent.untilEnd();
    expect(silent.received).toBe('');
  });

  it('that stops within its body gets 408, and the endpoint is left alone', async () => {
    await start(() => undefined, { proxy: { timeouts: { bodyIdleMs: 150 } } });
    const client = await fixture.connect();
    client.send('POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 10\r\n\r\nabc');
    await client.untilText('408 Request Timeout');
    expect(fixture.cluster.snapshot().totals.outcomes.cancelled).toBe(1);
    await fixture.until(() => fixture.proxy.stats.upstreamCount === 0);
  });

  it('that leaves takes its request with it', async () => {
    let asked: OriginConnection | undefined;
    await start((connection) => {
      asked = connection;
    });
    const client = await fixture.connect();
    client.send(GET);
    await fixture.until(() => asked !== undefined);
    client.socket.resetAndDestroy();
    await fixture.until(() => asked?.socket.destroyed === true);
    expect(fixture.cluster.snapshot().totals).toMatchObject({
      activeCount: 0,
      outcomes: { cancelled: 1 },
    });
    expect(fixture.proxy.stats).toMatchObject({ clientCount: 0, upstreamCount: 0 });
  });

  it('that half-closes after its request gets the response', async () => {
    await start((connection) => setTimeout(() => connection.write(OK), 20));
    const client = await fixture.connect();
    client.send(GET);
    client.socket.end();
    await client.untilEnd();
    expect(client.received).toContain('200 OK');
  });

  it('that does not read holds up its endpoint, not the memory', async () => {
    const piece = Buffer.alloc(65_536, 'x');
    let written = 0;
    await start((connection) => {
      connection.socket.write('HTTP/1.1 200 OK\r\ncontent-length: 200000000\r\n\r\n');
      const pump = (): void => {
        while (written < 200_000_000) {
          written += piece.length;
          if (!connection.socket.write(piece)) {
            connection.socket.once('drain', pump);
            return;
          }
        }
      };
      pump();
    });
    const client = await fixture.connect();
    client.socket.pause();
    client.send(GET);
    let before = -1;
    while (before !== written) {
      before = written;
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
    expect(written).toBeLessThan(40_000_000);
    client.destroy();
  });
});

describe('a tunnel', () => {
  const UPGRADE = 'GET /chat HTTP/1.1\r\nhost: a\r\nconnection: Upgrade\r\nupgrade: Echo/1\r\n\r\n';

  it('carries bytes both ways, also those that came early, until both sides end', async () => {
    await start((connection) => {
      if (connection.received.includes('\r\n\r\n')) {
        expect(connection.received).toContain('connection: upgrade\r\nupgrade: Echo/1\r\n');
        const early = connection.received.split('\r\n\r\n')[1]!;
        connection.received = '';
        connection.write(
          `HTTP/1.1 101 Go\r\nconnection: upgrade\r\nupgrade: Echo/1\r\n\r\n[${early}]`,
        );
      } else {
        connection.write(`<${connection.received}>`);
        connection.received = '';
      }
    });
    const client = await fixture.connect();
    client.send(`${UPGRADE}`);
    await client.untilText('[]');
    client.send('ping');
    await client.untilText('<ping>');
    expect(fixture.proxy.stats.counters.tunnelCount).toBe(1);
    client.socket.end();
    await client.untilEnd();
    await fixture.until(() => fixture.proxy.stats.clientCount === 0);
    expect(fixture.cluster.snapshot().totals.activeCount).toBe(0);
  });

  it('holds what the client sends until the endpoint has agreed', async () => {
    await start((connection) => {
      if (connection.received.endsWith('\r\n\r\n'))
        setTimeout(() => connection.write('HTTP/1.1 101 Go\r\nupgrade: Echo/1\r\n\r\n'), 30);
      else connection.write('got it');
    });
    const client = await fixture.connect();
    client.send(`${UPGRADE}early`);
    await client.untilText('got it');
    expect(fixture.receivedBy(0).endsWith('\r\n\r\nearly')).toBe(true);
  });

  it('is not opened when the endpoint declines', async () => {
    await start(answering(OK));
    const client = await fixture.connect();
    client.send(UPGRADE);
    await client.untilText('ok');
    client.send(GET);
    await client.until(() => client.received.split('200 OK').length === 3);
  });
});

describe('a pool', () => {
  it('makes requests wait for a connection, and refuses those beyond its limits', async () => {
    const held: OriginConnection[] = [];
    await start((connection) => void held.push(connection), {
      proxy: { limits: { maxConnectionsPerEndpoint: 1, maxPendingPerEndpoint: 1 } },
    });
    const first = await fixture.connect();
    first.send(GET);
    await first.until(() => true);
    await fixture.until(() => held.length === 1);
    const second = await fixture.connect();
    second.send(GET);
    await fixture.until(() => fixture.proxy.stats.counters.requestCount === 2);
    const third = await fixture.connect();
    third.send(GET);
    await third.untilText('503');
    held[0]!.write(OK);
    await first.untilText('ok');
    await fixture.until(() => held.length === 2);
    held[1]!.write(OK);
    await second.untilText('ok');
    expect(fixture.origins[0]!.connections).toHaveLength(1);
  });
});

describe('closing', () => {
  it('lets requests under way finish, and accepts nobody', async () => {
    let waiting: OriginConnection | undefined;
    await start((connection) => {
      waiting = connection;
    });
    const busy = await fixture.connect();
    const idle = await fixture.connect();
    busy.send(GET);
    await fixture.until(() => waiting !== undefined);
    const closed = fixture.proxy.close();
    await idle.untilEnd();
    const late = new RawClient(fixture.port);
    await late.until(() => late.closed);
    waiting!.write(OK);
    await busy.untilEnd();
    expect(busy.received).toContain('200 OK');
    expect(busy.received).toContain('connection: close');
    busy.destroy();
    idle.destroy();
    await closed;
    expect(fixture.proxy.stats).toMatchObject({ clientCount: 0, upstreamCount: 0 });
  });
});

describe('node:http behind the proxy', () => {
  it('is spoken to rightly under load, with every body intact', async () => {
    await start(answering(OK));
    const server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const body = Buffer.concat(chunks);
        if (body.length % 2 === 0) response.setHeader('content-length', body.length);
        response.end(body);
      });
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const cluster = createCluster({
      name: 'echo',
      discovery: [`127.0.0.1:${(server.address() as AddressInfo).port}`],
    });
    await cluster.ready();
    const proxy = await createProxy({
      clusters: [cluster],
      listeners: [{ listen: '127.0.0.1:0', http: { routes: [{ cluster: 'echo' }] } }],
    });
    const url = `http://127.0.0.1:${proxy.addresses[0]!.port}/`;
    const worker = async (seed: number): Promise<void> => {
      for (let index = 0; index < 60; index++) {
        const body = `${seed}-${index}-`.repeat((seed * 7 + index * 131) % 9_000);
        const response = await fetch(url, { method: 'POST', body });
        expect(await response.text()).toBe(body);
      }
    };
    await Promise.all(Array.from({ length: 16 }, (_, seed) => worker(seed)));
    expect(cluster.snapshot().totals.outcomes.success).toBe(960);
    await proxy.close({ drainTimeoutMs: 500 });
    await cluster.close();
    server.closeAllConnections();
    server.close();
  });
});
