/** WebSockets over HTTP/2 (RFC 8441), on either side of the proxy. */
import { once } from 'node:events';
import http from 'node:http';
import http2 from 'node:http2';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { afterEach, describe, expect, it } from 'vitest';
import { bytesOf, hashOf } from './test-support/bytes.ts';
import { closeEndpoints, endpointOf } from './test-support/endpoint.ts';
import { Http2World } from './test-support/http2-world.ts';
import { webSocketAcceptOf } from './translate/web-socket-key.ts';

let world: Http2World | undefined;
let origin: http.Server | undefined;

afterEach(async () => {
  await world?.close();
  world = undefined;
  origin?.closeAllConnections();
  origin?.close();
  origin = undefined;
  closeEndpoints();
});

/** An endpoint of HTTP/1.1 that sends back what it gets; `/other` it turns down. */
async function echoing(isHonest = true): Promise<number> {
  origin = http.createServer((_request, response) => {
    response.writeHead(200);
    response.end('no socket');
  });
  origin.on('upgrade', (request: http.IncomingMessage, socket: Duplex) => {
    socket.on('error', () => undefined);
    if (request.url === '/other') {
      socket.end('HTTP/1.1 403 Forbidden\r\ncontent-length: 2\r\n\r\nno');
      return;
    }
    const accept = webSocketAcceptOf(isHonest ? String(request.headers['sec-websocket-key']) : '');
    socket.write(
      'HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n' +
        `sec-websocket-accept: ${accept}\r\nsec-websocket-protocol: chat\r\n\r\n`,
    );
    socket.pipe(socket);
  });
  origin.listen(0, '127.0.0.1');
  await once(origin, 'listening');
  return (origin.address() as AddressInfo).port;
}

const asking = (path: string): http2.OutgoingHttpHeaders => ({
  ':method': 'CONNECT',
  ':protocol': 'websocket',
  ':scheme': 'http',
  ':path': path,
  ':authority': 'a.example',
  'sec-websocket-version': '13',
  'sec-websocket-protocol': 'chat',
});

async function open(path: string): Promise<[http2.ClientHttp2Stream, Record<string, unknown>]> {
  const { session } = (world as Http2World).connect();
  await once(session, 'remoteSettings');
  expect(session.remoteSettings.enableConnectProtocol).toBe(true);
  const stream = session.request(asking(path), { endStream: false });
  stream.on('error', () => undefined);
  const [headers] = (await once(stream, 'response')) as [Record<string, unknown>];
  return [stream, headers];
}

describe('a WebSocket in a stream of HTTP/2', () => {
  it('is opened at an endpoint of HTTP/1.1', async () => {
    world = await Http2World.start({ endpoints: [await echoing()] });
    const [stream, headers] = await open('/chat');
    expect(headers).toMatchObject({ ':status': 200, 'sec-websocket-protocol': 'chat' });
    expect(headers).not.toHaveProperty('sec-websocket-accept');
    expect(headers).not.toHaveProperty('upgrade');
    const bytes = bytesOf(500_000);
    const chunks: Buffer[] = [];
    stream.on('data', (chunk: Buffer) => chunks.push(chunk));
    stream.end(bytes);
    await once(stream, 'end');
    expect(hashOf(Buffer.concat(chunks))).toBe(hashOf(bytes));
    await world.until(() => (world as Http2World).counts.openStreamCount === 0);
    expect(world.counts.resetStreamCount).toBe(0);
  });

  it('may send before it is open', async () => {
    world = await Http2World.start({ endpoints: [await echoing()] });
    const { session } = world.connect();
    await once(session, 'remoteSettings');
    const stream = session.request(asking('/chat'), { endStream: false });
    stream.write('early');
    const [chunk] = (await once(stream, 'data')) as [Buffer];
    expect(chunk.toString()).toBe('early');
    stream.close(http2.constants.NGHTTP2_CANCEL);
    await world.until(() => (world as Http2World).proxy.stats.upstreamCount === 0);
  });

  it('may be turned down; what was sent to go through it is no request', async () => {
    world = await Http2World.start({ endpoints: [await echoing()] });
    const { session } = world.connect();
    await once(session, 'remoteSettings');
    const stream = session.request(asking('/other'), { endStream: false });
    stream.on('error', () => undefined);
    stream.write('GET /smuggled HTTP/1.1\r\nhost: a\r\n\r\n');
    const [headers] = (await once(stream, 'response')) as [Record<string, unknown>];
    expect(headers[':status']).toBe(403);
    stream.resume();
    await once(stream, 'close');
    expect(world.proxy.stats.counters.requestCount).toBe(1);
  });

  it('is not open when the endpoint does not prove that it means it', async () => {
    world = await Http2World.start({ endpoints: [await echoing(false)] });
    const { session } = world.connect();
    await once(session, 'remoteSettings');
    const stream = session.request(asking('/chat'), { endStream: false });
    const [error] = (await once(stream, 'error').catch((failure: unknown) => [failure])) as [Error];
    expect(error.message).toContain('NGHTTP2_INTERNAL_ERROR');
  });

  it('is opened at an endpoint of HTTP/2, for clients of both', async () => {
    const endpoint = await endpointOf(
      (stream, headers) => {
        expect(headers).toMatchObject({ ':method': 'CONNECT', ':protocol': 'websocket' });
        expect(headers).not.toHaveProperty('sec-websocket-key');
        stream.respond({ ':status': 200 });
        stream.pipe(stream);
      },
      { settings: { enableConnectProtocol: true } },
    );
    world = await Http2World.start({
      endpoints: [endpoint.port],
      proxy: { upstreams: { origin: { http2: true } } },
    });
    const [stream, headers] = await open('/chat');
    expect(headers[':status']).toBe(200);
    stream.write('hello');
    const [chunk] = (await once(stream, 'data')) as [Buffer];
    expect(chunk.toString()).toBe('hello');
    stream.end();
    await once(stream.resume(), 'close');
    const key = 'dGhlIHNhbXBsZSBub25jZQ==';
    const request = http.request({
      port: world.port,
      host: '127.0.0.1',
      headers: { connection: 'upgrade', upgrade: 'websocket', 'sec-websocket-key': key },
    });
    request.end();
    const [response, socket] = (await once(request, 'upgrade')) as [http.IncomingMessage, Duplex];
    expect(response.headers['sec-websocket-accept']).toBe(webSocketAcceptOf(key));
    socket.write('again');
    const [echo] = (await once(socket, 'data')) as [Buffer];
    expect(echo.toString()).toBe('again');
    socket.end();
    await once(socket.resume(), 'end');
  });

  it('is refused where the endpoint of HTTP/2 knows none', async () => {
    const endpoint = await endpointOf((stream) => {
      stream.respond({ ':status': 200 });
      stream.end();
    });
    world = await Http2World.start({
      endpoints: [endpoint.port],
      proxy: { upstreams: { origin: { http2: true } } },
    });
    const [stream, headers] = await open('/chat');
    expect(headers[':status']).toBe(502);
    stream.close();
    expect(endpoint.streamCount).toBe(0);
  });
});
