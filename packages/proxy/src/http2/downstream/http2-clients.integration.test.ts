/** Clients of node:http2 in front of endpoints that speak HTTP/1.1. */
import { once } from 'node:events';
import http from 'node:http';
import http2 from 'node:http2';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import type { ProxyOptions } from '../../index.ts';
import { openssl, TestAuthority } from '../../tls/test-support/authority.ts';
import { bytesOf, hashOf } from '../test-support/bytes.ts';
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
