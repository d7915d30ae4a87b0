/** Clients of node:http2 in front of endpoints that speak HTTP/1.1. */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import http from 'node:http';
import http2 from 'node:http2';
import net, { type AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import type { ProxyOptions } from '../../index.ts';
import { openssl, TestAuthority } from '../../tls/test-support/authority.ts';
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

const hashOf = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

/** Bytes that no two offsets have in common for long. */
function bytesOf(count: number): Buffer {
  const bytes = Buffer.allocUnsafe(count);
  let state = 1;
  for (let at = 0; at < count; at++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    bytes[at] = state >>> 24;
  }
  return bytes;
}

describe('a client that speaks HTTP/2 in clear text', () => {
  it('gets what endpoints of HTTP/1.1 answer', async () => {
    const { port } = await start((request, response) => {
      response.writeHead(201, { 'x-url': request.url ?? '', 'Set-Cookie': ['a=1', 'b=2'] });
      response.end(`${request.method} ${request.headers.host}`);
    });
    const client = (world as Http2World).connect();
    const { status, headers, body } = await client.get('/a?b=c');
    expect(status).toBe(201);
    expect(headers).toMatchObject({ 'x-url': '/a?b=c', 'set-cookie': ['a=1', 'b=2'] });
    expect(headers).not.toHaveProperty('connection');
    expect(headers).not.toHaveProperty('transfer-encoding');
    expect(body.toString()).toBe(`GET 127.0.0.1:${port}`);
  });

  it('is told to endpoints as any other client is', async () => {
    const { counts } = await start(echo);
    const client = (world as Http2World).connect();
    const { headers } = await client.get('/', {
      cookie: ['a=1', 'b=2'],
      te: 'trailers',
      'x-forwarded-for': '6.6.6.6',
    });
    const seen = JSON.parse(headers['x-seen'] as string) as Record<string, string>;
    expect(seen).toMatchObject({
      cookie: 'a=1; b=2',
      'x-forwarded-for': '127.0.0.1',
      'x-forwarded-proto': 'http',
      via: '2.0 evenkeel',
    });
    expect(seen).not.toHaveProperty('te');
    expect(counts).toMatchObject({ sessionCount: 1, streamCount: 1 });
  });

  it.each([0, 1, 16_384, 16_385, 300_000, 3_000_000])('sends and gets %i bytes', async (count) => {
    const { connect } = await start(echo);
    const client = connect.call(world as Http2World);
    const bytes = bytesOf(count);
    for (const headers of [{}, { 'content-length': String(count) }]) {
      const { status, body } = await client.post('/', bytes, headers);
      expect(status).toBe(200);
      expect(hashOf(body)).toBe(hashOf(bytes));
    }
  });

  it('has many requests under way, each with its own answer', async () => {
    await start((request, response) => {
      const delayMs = Number(request.headers['x-delay']);
      setTimeout(() => response.end(`${request.url}`.repeat(1_000)), delayMs);
    });
    const client = (world as Http2World).connect();
    const paths = Array.from({ length: 300 }, (_, index) => `/${index}/`);
    const answers = await Promise.all(
      paths.map((path, index) => client.get(path, { 'x-delay': String((index * 7) % 20) })),
    );
    for (const [index, { body }] of answers.entries())
      expect(body.toString()).toBe((paths[index] as string).repeat(1_000));
    expect((world as Http2World).counts).toMatchObject({ sessionCount: 1, streamCount: 300 });
  });

  it('gets trailers, and sends them', async () => {
    await start((request, response) => {
      request.resume().on('end', () => {
        response.writeHead(200, { trailer: 'x-sum' });
        response.write(JSON.stringify(request.trailers));
        response.addTrailers({ 'x-sum': '42' });
        response.end();
      });
    });
    const client = (world as Http2World).connect();
    const stream = client.session.request({ ':method': 'POST' }, { waitForTrailers: true });
    stream.on('wantTrailers', () => stream.sendTrailers({ 'x-mine': 'yes' }));
    const answer = client.answerTo(stream);
    stream.end('body');
    const { body, trailers } = await answer;
    expect(body.toString()).toBe('{"x-mine":"yes"}');
    expect(trailers).toMatchObject({ 'x-sum': '42' });
  });

  it('gets informational responses', async () => {
    await start((_request, response) => {
      response.writeEarlyHints({ link: '</a.css>; rel=preload' });
      response.end('ok');
    });
    const { informational, body } = await (world as Http2World).connect().get('/');
    expect(informational).toMatchObject([{ ':status': 103, link: '</a.css>; rel=preload' }]);
    expect(body.toString()).toBe('ok');
  });

  it.each([
    ['HEAD', 200],
    ['GET', 204],
    ['GET', 304],
  ])('gets the answer to %s with %i without a body', async (method, status) => {
    await start((_request, response) => {
      response.writeHead(status, status === 200 ? { 'content-length': '1000' } : {});
      response.end();
    });
    const client = (world as Http2World).connect();
    const answer = await client.get('/', { ':method': method });
    expect(answer.status).toBe(status);
    expect(answer.body).toHaveLength(0);
    expect(answer.headers['content-length']).toBe(status === 200 ? '1000' : undefined);
    expect((await client.get('/', { ':method': method })).status).toBe(status);
  });

  it('is held back by an endpoint that does not read', async () => {
    let isReading = false;
    let request: http.IncomingMessage | undefined = undefined;
    await start((incoming, response) => {
      request = incoming;
      if (isReading) incoming.resume();
      incoming.on('end', () => response.end('whole'));
    });
    const client = (world as Http2World).connect();
    const stream = client.session.request({ ':method': 'POST' });
    const answer = client.answerTo(stream);
    const chunk = bytesOf(65_536);
    let written = 0;
    const total = 256;
    const write = (): void => {
      while (written < total) {
        written++;
        if (stream.write(chunk)) continue;
        stream.once('drain', write);
        return;
      }
      stream.end();
    };
    write();
    await (world as Http2World).until(() => request !== undefined);
    let before = -1;
    // What fits into windows and sockets, and then nothing more.
    while (before !== written) {
      before = written;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    expect(written).toBeLessThan(total / 2);
    isReading = true;
    (request as http.IncomingMessage | undefined)?.resume();
    expect((await answer).body.toString()).toBe('whole');
  });

  it('holds back an endpoint when it does not read', async () => {
    let sent = 0;
    const total = 512;
    await start((_request, response) => {
      const chunk = bytesOf(65_536);
      const write = (): void => {
        while (sent < total) {
          sent++;
          if (response.write(chunk)) continue;
          response.once('drain', write);
          return;
        }
        response.end();
      };
      write();
    });
    const client = (world as Http2World).connect();
    const stream = client.session.request({});
    stream.pause();
    await once(stream, 'response');
    let before = -1;
    while (before !== sent) {
      before = sent;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    expect(sent).toBeLessThan(total / 2);
    // Others are not in its way.
    stream.close(http2.constants.NGHTTP2_CANCEL);
    await once(stream, 'close');
  });

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
    ['a path with a forbidden byte', { ':path': '/a#b' }, 400],
    ['too many fields', Object.fromEntries(Array.from({ length: 105 }, (_, at) => [`x-${at}`, '1'])), 431],
  ])('is refused for %s, and may go on', async (_, headers, status) => {
    await start(echo, {
      listeners: [
        {
          listen: '127.0.0.1:0',
          http: {
            routes: [{ match: { path: { exact: '/' } }, cluster: 'origin' }, { match: { path: { prefix: '/a' } }, cluster: 'origin' }],
          },
        },
      ],
    });
    const client = (world as Http2World).connect();
    const isConnect = ':method' in headers;
    const stream = client.session.request(headers as http2.OutgoingHttpHeaders, { endStream: !isConnect });
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

describe.skipIf(openssl === undefined)('a client that speaks HTTP/2 over TLS', () => {
  it('gets it by ALPN, and HTTP/1.1 where it asks for that', async () => {
    const authority = await TestAuthority.create();
    const { pem } = await authority.issue({ names: ['127.0.0.1'] });
    await start(echo, {
      listeners: [
        {
          listen: '127.0.0.1:0',
          tls: { certificates: [pem] },
          http: { routes: [{ cluster: 'origin' }] },
        },
      ],
    });
    const client = (world as Http2World).connect({ ca: authority.cert });
    const bytes = bytesOf(1_000_000);
    const { headers, body } = await client.post('/', bytes);
    expect(client.session.alpnProtocol).toBe('h2');
    expect(hashOf(body)).toBe(hashOf(bytes));
    expect(JSON.parse(headers['x-seen'] as string)).toMatchObject({ 'x-forwarded-proto': 'https' });
    const tls = await import('node:tls');
    const socket = tls.connect({
      port: (world as Http2World).port,
      host: '127.0.0.1',
      ca: authority.cert,
      ALPNProtocols: ['http/1.1'],
    });
    await once(socket, 'secureConnect');
    expect(socket.alpnProtocol).toBe('http/1.1');
    socket.write('GET / HTTP/1.1\r\nhost: a\r\n\r\n');
    const [answer] = (await once(socket, 'data')) as [Buffer];
    expect(answer.toString()).toContain('HTTP/1.1 200 ');
    socket.destroy();
    await authority.dispose();
  });
});
