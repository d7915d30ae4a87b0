/** Clients of HTTP/2 that leave, break rules or limits, and what they are refused. */
import { once } from 'node:events';
import http from 'node:http';
import http2 from 'node:http2';
import net, { type AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import type { ProxyOptions } from '../../index.ts';
import { bytesOf } from '../test-support/bytes.ts';
import { Http2World } from '../test-support/http2-world.ts';

let world: Http2World | undefined;
let origin: http.Server | undefined;

afterEach(async () => {
  await world?.close();
  world = undefined;
  origin?.closeAllConnections();
  origin?.close();
  origin = undefined;
});

async function start(
  onRequest: http.RequestListener,
  proxy: Partial<ProxyOptions> = {},
): Promise<Http2World> {
  origin = http.createServer(onRequest).listen(0, '127.0.0.1');
  await once(origin, 'listening');
  const { port } = origin.address() as AddressInfo;
  world = await Http2World.start({ endpoints: [port], proxy });
  return world;
}

const echo: http.RequestListener = (request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    response.setHeader('x-seen', JSON.stringify(request.headers));
    response.setHeader('x-trailers', JSON.stringify(request.trailers));
    response.end(Buffer.concat(chunks));
  });
};

describe('a client that speaks HTTP/2', () => {
  it('breaks off a request, and the endpoint hears of it', async () => {
    let isClosed = false;
    await start((request) => {
      request.on('close', () => (isClosed = true));
    });
    const client = (world as Http2World).connect();
    const stream = client.session.request({});
    stream.on('error', () => undefined);
    await (world as Http2World).until(
      () => (world as Http2World).proxy.stats.upstreams[0]?.connectionCount === 1,
    );
    stream.close(http2.constants.NGHTTP2_CANCEL);
    await (world as Http2World).until(() => isClosed);
    const { counts, proxy } = world as Http2World;
    expect(counts).toMatchObject({ resetStreamCount: 1, openStreamCount: 0 });
    expect(proxy.stats.counters.clientAbortCount).toBe(1);
    expect(proxy.stats.upstreams[0]?.connectionCount).toBe(0);
  });

  it('is told when a response breaks off', async () => {
    await start((_request, response) => {
      response.writeHead(200, { 'content-length': '1000' });
      response.write('part');
      setTimeout(() => response.destroy(), 20);
    });
    const client = (world as Http2World).connect();
    await expect(client.get('/')).rejects.toThrow(/NGHTTP2_INTERNAL_ERROR|code 2/);
    expect((await client.get('/').catch((error: Error) => error)) instanceof Error).toBe(true);
  });

  it('gets an answer that comes before its request is whole', async () => {
    await start((_request, response) => {
      response.writeHead(413, { connection: 'close' });
      response.end('too much');
    });
    const client = (world as Http2World).connect();
    const stream = client.session.request({ ':method': 'POST' });
    stream.on('error', () => undefined);
    stream.write(bytesOf(100_000));
    const [headers] = (await once(stream, 'response')) as [http2.IncomingHttpHeaders];
    expect(headers[':status' as keyof typeof headers]).toBe(413);
    let body = '';
    stream.on('data', (chunk: Buffer) => (body += chunk.toString()));
    await once(stream, 'close');
    expect(body).toBe('too much');
    expect(stream.rstCode).toBe(http2.constants.NGHTTP2_NO_ERROR);
    expect((await client.get('/')).status).toBe(413);
  });

  it.each([
    ['no route', { ':path': '/elsewhere' }, 404],
    ['CONNECT', { ':method': 'CONNECT', ':authority': 'a.example:443' }, 405],
    ['an expectation', { expect: 'miracles' }, 417],
    [
      'too many fields',
      Object.fromEntries(Array.from({ length: 105 }, (_, at) => [`x-${at}`, '1'])),
      431,
    ],
  ])('is refused for %s, and may go on', async (_, headers, status) => {
    await start(echo, {
      listeners: [
        {
          listen: '127.0.0.1:0',
          http: {
            routes: [
              { match: { path: { exact: '/' } }, cluster: 'origin' },
              { match: { path: { prefix: '/a' } }, cluster: 'origin' },
            ],
          },
        },
      ],
    });
    const client = (world as Http2World).connect();
    const isConnect = ':method' in headers;
    const stream = client.session.request(headers as http2.OutgoingHttpHeaders, {
      endStream: !isConnect,
    });
    const [fields] = (await once(stream, 'response')) as [Record<string, unknown>];
    expect(fields[':status']).toBe(status);
    stream.resume().close();
    expect((await client.get('/')).status).toBe(200);
  });

  it('finishes what is under way when the proxy closes', async () => {
    let answer: (() => void) | undefined = undefined;
    await start((_request, response) => {
      answer = () => response.end('finished');
    });
    const { proxy, until, counts } = world as Http2World;
    const client = (world as Http2World).connect();
    const pending = client.get('/');
    await until(() => answer !== undefined);
    const goaway = once(client.session, 'goaway');
    const closed = proxy.close({ drainTimeoutMs: 5_000 });
    await goaway;
    (answer as (() => void) | undefined)?.();
    expect((await pending).body.toString()).toBe('finished');
    await closed;
    expect(counts).toMatchObject({ openSessionCount: 0, openStreamCount: 0 });
  });

  it('is closed when it asks for nothing', async () => {
    await start(echo, { timeouts: { keepAliveMs: 200 } });
    const client = (world as Http2World).connect();
    await client.get('/');
    await once(client.session, 'close');
    await (world as Http2World).until(() => (world as Http2World).counts.openSessionCount === 0);
  });

  it('may not reset streams as fast as it likes', async () => {
    let requestCount = 0;
    const http2Limits = { maxResetsPerSecond: 10, maxConcurrentStreams: 20 };
    await start(
      (_request, response) => {
        requestCount++;
        setTimeout(() => response.end('late'), 1_000);
      },
      {
        listeners: [
          {
            listen: '127.0.0.1:0',
            http: { http2: http2Limits, routes: [{ cluster: 'origin' }] },
          },
        ],
      },
    );
    const client = (world as Http2World).connect();
    await once(client.session, 'remoteSettings');
    const closed = new Promise((resolve) => client.session.on('close', resolve));
    const goaway = new Promise((resolve) => client.session.on('goaway', resolve));
    const flood = setInterval(() => {
      for (let count = 0; count < 20 && !client.session.destroyed; count++) {
        const stream = client.session.request({});
        stream.on('error', () => undefined);
        stream.close(http2.constants.NGHTTP2_CANCEL);
      }
    }, 1);
    const code = await goaway;
    clearInterval(flood);
    await closed;
    expect(code).toBe(http2.constants.NGHTTP2_ENHANCE_YOUR_CALM);
    // Bursts of five seconds' worth are allowed.
    expect(requestCount).toBeLessThanOrEqual(5 * 10 + 20);
    expect((world as Http2World).counts.openStreamCount).toBe(0);
  });

  it('is not spoken to in HTTP/2 where that is switched off', async () => {
    await start(echo, {
      listeners: [
        { listen: '127.0.0.1:0', http: { http2: false, routes: [{ cluster: 'origin' }] } },
      ],
    });
    const socket = net.connect((world as Http2World).port, '127.0.0.1');
    socket.write('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
    const [bytes] = (await once(socket, 'data')) as [Buffer];
    expect(bytes.toString()).toContain('HTTP/1.1 505 ');
    socket.destroy();
  });

  it('may send its first bytes one by one', async () => {
    await start(echo);
    const socket = net.connect((world as Http2World).port, '127.0.0.1');
    socket.setNoDelay(true);
    const preface = Buffer.concat([
      Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'),
      Buffer.from('000000040000000000', 'hex'),
    ]);
    for (const byte of preface) {
      socket.write(Buffer.of(byte));
      await new Promise((resolve) => setImmediate(resolve));
    }
    const [bytes] = (await once(socket, 'data')) as [Buffer];
    expect(bytes[3]).toBe(4);
    // A request of HTTP/1.1 that begins like it.
    const other = net.connect((world as Http2World).port, '127.0.0.1');
    for (const byte of 'PRIME / HTTP/1.1\r\nhost: a\r\n\r\n') {
      other.write(byte);
      await new Promise((resolve) => setImmediate(resolve));
    }
    const [answer] = (await once(other, 'data')) as [Buffer];
    expect(answer.toString()).toMatch(/^HTTP\/1\.1 \d+ /);
    socket.destroy();
    other.destroy();
  });
});
