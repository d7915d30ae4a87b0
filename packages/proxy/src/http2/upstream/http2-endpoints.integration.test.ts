/** Endpoints of node:http2 behind clients of HTTP/1.1 and HTTP/2. */
import { once } from 'node:events';
import http from 'node:http';
import http2 from 'node:http2';
import net, { type AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import type { ProxyOptions } from '../../index.ts';
import { openssl, TestAuthority } from '../../tls/test-support/authority.ts';
import { bytesOf, hashOf } from '../test-support/bytes.ts';
import {
  ask,
  closeEndpoints,
  endpointOf,
  listen,
  type OnStream,
} from '../test-support/endpoint.ts';
import { Http2World } from '../test-support/http2-world.ts';

let world: Http2World | undefined;

afterEach(async () => {
  await world?.close();
  world = undefined;
  closeEndpoints();
});

async function start(
  ports: readonly { readonly port: number }[],
  upstream: NonNullable<ProxyOptions['upstreams']>[string] = { http2: true },
  proxy: Partial<ProxyOptions> = {},
): Promise<Http2World> {
  world = await Http2World.start({
    endpoints: ports.map(({ port }) => port),
    proxy: { upstreams: { origin: upstream }, ...proxy },
  });
  return world;
}

const echo: OnStream = (stream, headers) => {
  stream.respond({ 'x-seen': JSON.stringify(headers) });
  stream.pipe(stream);
};

describe('an endpoint that speaks HTTP/2 in clear text', () => {
  it('gets requests of HTTP/1.1 as its own', async () => {
    const origin = await endpointOf(echo);
    const { port } = await start([origin]);
    const { status, headers, body } = await ask(
      port,
      {
        method: 'POST',
        path: '/a?b',
        headers: { 'X-Mixed': 'Case', connection: 'x-hop', 'x-hop': '1' },
      },
      'hello',
    );
    expect(status).toBe(200);
    expect(body.toString()).toBe('hello');
    const seen = JSON.parse(headers['x-seen'] as string) as Record<string, string>;
    expect(seen).toMatchObject({
      ':method': 'POST',
      ':path': '/a?b',
      ':scheme': 'http',
      ':authority': `127.0.0.1:${port}`,
      'x-mixed': 'Case',
      'x-forwarded-for': '127.0.0.1',
    });
    for (const name of ['host', 'connection', 'transfer-encoding', 'x-hop'])
      expect(seen).not.toHaveProperty(name);
  });

  it.each([0, 1, 65_535, 65_536, 1_000_000])('gets and sends %i bytes', async (count) => {
    const origin = await endpointOf(echo);
    const { port, connect } = await start([origin]);
    const bytes = bytesOf(count);
    const { body } = await ask(port, { method: 'POST' }, bytes);
    expect(hashOf(body)).toBe(hashOf(bytes));
    const answer = await connect.call(world as Http2World).post('/', bytes);
    expect(hashOf(answer.body)).toBe(hashOf(bytes));
  });

  it('shares one connection among many clients', async () => {
    const origin = await endpointOf((stream, headers) => {
      setTimeout(() => {
        stream.respond({ ':status': 200 });
        stream.end(`${headers[':path']}`.repeat(100));
      }, 5);
    });
    const { port } = await start([origin]);
    for (let round = 0; round < 3; round++) {
      const answers = await Promise.all(
        Array.from({ length: 60 }, (_, index) => ask(port, { path: `/${index}/` })),
      );
      for (const [index, { body }] of answers.entries())
        expect(body.toString()).toBe(`/${index}/`.repeat(100));
    }
    expect(origin.sessionCount).toBe(1);
    expect(origin.streamCount).toBe(180);
    expect((world as Http2World).counts).toMatchObject({
      upstreamSessionCount: 1,
      upstreamStreamCount: 180,
      openUpstreamStreamCount: 0,
    });
  });

  it('is given as many streams as it wants, and connections as it takes', async () => {
    let mostStreams = 0;
    let open = 0;
    const origin = await endpointOf(
      (stream) => {
        mostStreams = Math.max(mostStreams, ++open);
        setTimeout(() => {
          open--;
          stream.respond({ ':status': 200 });
          stream.end('ok');
        }, 10);
      },
      { settings: { maxConcurrentStreams: 5 } },
    );
    const { port } = await start([origin], { http2: { maxConnectionsPerEndpoint: 3 } });
    const answers = await Promise.all(Array.from({ length: 100 }, () => ask(port)));
    expect(answers.every(({ status }) => status === 200)).toBe(true);
    expect(origin.sessionCount).toBeLessThanOrEqual(3);
    expect(mostStreams).toBeLessThanOrEqual(15);
    expect(mostStreams).toBeGreaterThan(5);
  });

  it('passes its trailers on, to HTTP/1.1 and HTTP/2', async () => {
    const origin = await endpointOf((stream) => {
      stream.respond({ ':status': 200, trailer: 'x-sum' }, { waitForTrailers: true });
      stream.on('wantTrailers', () => stream.sendTrailers({ 'x-sum': '7' }));
      stream.end('body');
    });
    const { port, connect } = await start([origin]);
    expect(await ask(port)).toMatchObject({ status: 200, trailers: { 'x-sum': '7' } });
    expect((await connect.call(world as Http2World).get('/')).trailers).toMatchObject({
      'x-sum': '7',
    });
  });

  it('gets the trailers of a request', async () => {
    let seen: http2.IncomingHttpHeaders | undefined = undefined;
    const origin = await endpointOf((stream) => {
      stream.on('trailers', (trailers) => (seen = trailers));
      stream.resume().on('end', () => {
        stream.respond({ ':status': 200 });
        stream.end();
      });
    });
    const { port } = await start([origin]);
    const request = http.request({
      port,
      host: '127.0.0.1',
      method: 'POST',
      headers: { trailer: 'x-mine' },
    });
    request.write('a');
    request.addTrailers({ 'x-mine': 'yes' });
    request.end();
    const [response] = (await once(request, 'response')) as [http.IncomingMessage];
    response.resume();
    await once(response, 'end');
    expect(seen).toMatchObject({ 'x-mine': 'yes' });
    request.destroy();
  });

  it('may send informational responses', async () => {
    const origin = await endpointOf((stream) => {
      stream.additionalHeaders({ ':status': 103, link: '</a>' });
      stream.respond({ ':status': 200 });
      stream.end('ok');
    });
    const { connect } = await start([origin]);
    const { informational, body } = await connect.call(world as Http2World).get('/');
    expect(informational).toMatchObject([{ ':status': 103, link: '</a>' }]);
    expect(body.toString()).toBe('ok');
  });

  it.each([
    ['HEAD', 200],
    ['GET', 204],
    ['GET', 304],
  ])('answers %s with %i without a body', async (method, status) => {
    const origin = await endpointOf((stream) => {
      stream.respond(
        { ':status': status, ...(status === 200 && { 'content-length': '99' }) },
        { endStream: true },
      );
    });
    const { port } = await start([origin]);
    for (let count = 0; count < 2; count++) {
      const answer = await ask(port, { method });
      expect(answer.status).toBe(status);
      expect(answer.headers['content-length']).toBe(status === 200 ? '99' : undefined);
    }
    expect(origin.sessionCount).toBe(1);
  });

  it('moves both directions at once', async () => {
    const origin = await endpointOf((stream) => {
      stream.respond({ ':status': 200 });
      stream.on('data', (chunk: Buffer) => stream.write(chunk.toString().toUpperCase()));
      stream.on('end', () => stream.end('.'));
    });
    const { connect } = await start([origin]);
    const stream = connect.call(world as Http2World).session.request({ ':method': 'POST' });
    for (const word of ['one', 'two', 'three']) {
      stream.write(word);
      const [chunk] = (await once(stream, 'data')) as [Buffer];
      expect(chunk.toString()).toBe(word.toUpperCase());
    }
    stream.end();
    const [last] = (await once(stream, 'data')) as [Buffer];
    expect(last.toString()).toBe('.');
    await once(stream, 'close');
  });

  it('may answer before the request is whole', async () => {
    const origin = await endpointOf((stream) => {
      stream.respond({ ':status': 403 });
      stream.end('no');
      stream.on('finish', () => stream.close(http2.constants.NGHTTP2_NO_ERROR));
    });
    const { connect } = await start([origin]);
    const client = connect.call(world as Http2World);
    const stream = client.session.request({ ':method': 'POST' });
    stream.on('error', () => undefined);
    stream.write(bytesOf(1_000));
    const [headers] = (await once(stream, 'response')) as [http2.IncomingHttpHeaders];
    expect(headers[':status' as keyof typeof headers]).toBe(403);
    stream.resume();
    await once(stream, 'close');
    expect(stream.rstCode).toBe(http2.constants.NGHTTP2_NO_ERROR);
  });

  it('holds back a client when it does not read', async () => {
    let reading: http2.ServerHttp2Stream | undefined = undefined;
    const origin = await endpointOf((stream) => {
      reading = stream;
      stream.pause();
      stream.on('end', () => {
        stream.respond({ ':status': 200 });
        stream.end('whole');
      });
    });
    const { port, until } = await start([origin]);
    const request = http.request({ port, host: '127.0.0.1', method: 'POST' });
    const total = 256;
    let written = 0;
    const chunk = Buffer.alloc(65_536, 'x');
    const write = (): void => {
      while (written < total) {
        written++;
        if (request.write(chunk)) continue;
        request.once('drain', write);
        return;
      }
      request.end();
    };
    write();
    await until(() => reading !== undefined);
    let before = -1;
    while (before !== written) {
      before = written;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    expect(written).toBeLessThan(total / 2);
    (reading as http2.ServerHttp2Stream | undefined)?.resume();
    const [response] = (await once(request, 'response')) as [http.IncomingMessage];
    const [body] = (await once(response, 'data')) as [Buffer];
    expect(body.toString()).toBe('whole');
    request.destroy();
  });

  it('hears of a client that leaves, and others lose nothing', async () => {
    let closedWith: number | undefined = undefined;
    const origin = await endpointOf((stream, headers) => {
      if (headers[':path'] === '/slow') stream.on('close', () => (closedWith = stream.rstCode));
      else {
        stream.respond({ ':status': 200 });
        stream.end('ok');
      }
    });
    const { port, until } = await start([origin]);
    const socket = net.connect(port, '127.0.0.1');
    socket.write('GET /slow HTTP/1.1\r\nhost: a\r\n\r\n');
    await until(() => origin.streamCount === 1);
    socket.resetAndDestroy();
    await until(() => closedWith !== undefined);
    expect(closedWith).toBe(http2.constants.NGHTTP2_CANCEL);
    expect((await ask(port)).body.toString()).toBe('ok');
    expect(origin.sessionCount).toBe(1);
  });
});

describe.skipIf(openssl === undefined)('an endpoint with TLS', () => {
  const issue = async (): Promise<{ authority: TestAuthority; key: string; cert: string }> => {
    const authority = await TestAuthority.create();
    const { pem } = await authority.issue({ names: ['127.0.0.1'] });
    return { authority, ...pem };
  };

  it('is spoken to in what ALPN says', async () => {
    const { authority, key, cert } = await issue();
    const versions: string[] = [];
    const onRequest = (
      request: http2.Http2ServerRequest,
      response: http2.Http2ServerResponse,
    ): void => {
      versions.push(request.httpVersion);
      response.end(request.httpVersion);
    };
    const speaksBoth = await listen(
      http2.createSecureServer({ key, cert, allowHTTP1: true }, onRequest),
    );
    const https = await import('node:https');
    const old = https.createServer({ key, cert }, (request, response) =>
      response.end(request.httpVersion),
    );
    old.listen(0, '127.0.0.1');
    await once(old, 'listening');
    const { port: oldPort } = old.address() as AddressInfo;
    const tls = { ca: authority.cert };
    const { port } = await start([speaksBoth, { port: oldPort }], { tls, http2: 'auto' });
    const answers = await Promise.all(Array.from({ length: 40 }, () => ask(port)));
    const bodies = answers.map(({ body }) => body.toString());
    expect(bodies.filter((body) => body === '2.0')).toHaveLength(20);
    expect(bodies.filter((body) => body === '1.1')).toHaveLength(20);
    expect(speaksBoth.sessionCount).toBe(1);
    await (world as Http2World).close();
    // Without the option nothing changes.
    const plain = await start([speaksBoth], { tls });
    expect((await ask(plain.port)).body.toString()).toBe('1.1');
    await plain.close();
    // And who has to speak HTTP/2 and does not is not reached.
    const strict = await start([{ port: oldPort }], { tls, http2: true });
    expect((await ask(strict.port)).status).toBe(502);
    old.closeAllConnections();
    old.close();
    await authority.dispose();
  });
});
