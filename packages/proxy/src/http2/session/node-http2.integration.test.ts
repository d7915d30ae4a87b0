/** Against the HTTP/2 of Node (nghttp2), both ways, over real sockets. */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import http2, { type ClientHttp2Session, type IncomingHttpHeaders } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import {
  answer,
  connectOwn,
  listenOwn,
  type Message,
  type OwnServer,
} from './test-support/loopback.ts';

const cleanups: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function ownServer(...args: Parameters<typeof listenOwn>): Promise<OwnServer> {
  const server = await listenOwn(...args);
  cleanups.push(() => server.close());
  return server;
}

function nodeClient(port: number, options: http2.ClientSessionOptions = {}): ClientHttp2Session {
  const client = http2.connect(`http://127.0.0.1:${port}`, options);
  client.on('error', () => undefined);
  cleanups.push(() => client.destroy());
  return client;
}

async function fetchFrom(
  client: ClientHttp2Session,
  fields: http2.OutgoingHttpHeaders,
  body?: Buffer,
): Promise<{ fields: IncomingHttpHeaders; body: Buffer; trailers: IncomingHttpHeaders }> {
  const stream = client.request(fields, { endStream: body === undefined });
  let head: IncomingHttpHeaders = {};
  let trailers: IncomingHttpHeaders = {};
  stream.on('response', (received) => (head = received));
  stream.on('trailers', (received) => (trailers = received));
  if (body !== undefined) stream.end(body);
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return { fields: head, body: Buffer.concat(chunks), trailers };
}

async function nodeServer(
  handler: (stream: http2.ServerHttp2Stream, fields: IncomingHttpHeaders) => void,
  options: http2.ServerOptions = {},
): Promise<number> {
  const server = http2.createServer(options);
  server.on('stream', (stream: http2.ServerHttp2Stream, fields: IncomingHttpHeaders) => {
    stream.on('error', () => undefined);
    handler(stream, fields);
  });
  server.on('sessionError', () => undefined);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  cleanups.push(() => void server.close());
  return (server.address() as AddressInfo).port;
}

const echo = (request: Message): Partial<Message> => ({
  fields: {
    ':status': '200',
    'x-path': request.fields[':path'] ?? '',
    'x-fixed': 'always the same',
  },
  body: request.body,
  trailers: { 'x-length': String(request.body.length), ...request.trailers },
});

describe('our server with a client of Node', () => {
  it('answers many streams at once, large bodies both ways, small windows', async () => {
    const server = await ownServer(
      (request, stream, session) => answer(stream, session, echo(request)),
      {
        streamWindowBytes: 20_000,
        connectionWindowBytes: 70_000,
      },
    );
    const client = nodeClient(server.port, { settings: { initialWindowSize: 10_000 } });
    const bodies = Array.from({ length: 60 }, (_, index) => randomBytes(index * 5_000));
    const answers = await Promise.all(
      bodies.map((body, index) =>
        fetchFrom(client, { ':method': 'POST', ':path': `/${index}`, 'x-fixed': 'the same' }, body),
      ),
    );
    for (const [index, { fields, body, trailers }] of answers.entries()) {
      expect(fields).toMatchObject({ ':status': 200, 'x-path': `/${index}` });
      expect(body.equals(bodies[index]!)).toBe(true);
      expect(trailers).toMatchObject({ 'x-length': String(body.length) });
    }
    expect(server.errors).toEqual([]);
  });

  it('keeps both tables in step over thousands of heads', async () => {
    const server = await ownServer((request, stream, session) => {
      const fields: Record<string, string> = { ':status': '200' };
      for (const [name, value] of Object.entries(request.fields))
        if (!name.startsWith(':') && name !== 'host') fields[name] = value;
      answer(stream, session, { fields });
    });
    const client = nodeClient(server.port, { settings: { headerTableSize: 1_000 } });
    for (let round = 0; round < 40; round++) {
      const sent = Array.from({ length: 50 }, (_, index) => ({
        'x-fixed': 'fixed',
        'x-round': String(round),
        'x-index': 'i'.repeat(index * 3),
        [`x-name-${index % 7}`]: `value ${index % 11}`,
        cookie: 'secret',
      }));
      const answers = await Promise.all(
        sent.map((fields) => fetchFrom(client, { ':path': '/', ...fields })),
      );
      for (const [index, { fields }] of answers.entries())
        expect(fields).toMatchObject(sent[index]!);
    }
    expect(server.errors).toEqual([]);
  });

  it('takes resets, and resets', async () => {
    const server = await ownServer((request, stream, session) => {
      if (request.fields[':path'] === '/reset') stream.reset(2);
      else if (request.fields[':path'] === '/ok')
        answer(stream, session, { fields: { ':status': '204' } });
    });
    const client = nodeClient(server.port);
    await expect(fetchFrom(client, { ':path': '/reset' })).rejects.toThrow(
      'NGHTTP2_INTERNAL_ERROR',
    );
    const cancelled = client.request({ ':path': '/never' });
    cancelled.on('error', () => undefined);
    await expect.poll(() => server.sessions.values().next().value?.openCount).toBe(1);
    cancelled.close(http2.constants.NGHTTP2_CANCEL);
    await expect.poll(() => server.codes).toEqual([2, 8]);
    expect((await fetchFrom(client, { ':path': '/ok' })).fields[':status']).toBe(204);
  });

  it('leaves without losing a request', async () => {
    let drained = false;
    const server = await ownServer((request, stream, session) => {
      if (!drained) session.drain();
      drained = true;
      answer(stream, session, echo(request));
    });
    const client = nodeClient(server.port);
    const closed = once(client, 'close');
    const answers = await Promise.all(
      Array.from({ length: 20 }, () =>
        fetchFrom(client, { ':path': '/', ':method': 'POST' }, Buffer.from('x')),
      ),
    );
    expect(answers.every(({ body }) => body.toString() === 'x')).toBe(true);
    await closed;
    await expect.poll(() => server.sessions.size).toBe(0);
    expect(server.errors).toEqual([]);
  });

  it('sends informational answers, and fields longer than a frame', async () => {
    const long = 'v'.repeat(40_000);
    const server = await ownServer((_, stream, session) => {
      answer(stream, session, {
        fields: { ':status': '103', link: '</a>' },
        body: Buffer.alloc(0),
        trailers: { ':status': '200', 'x-long': long },
      });
    });
    const client = nodeClient(server.port, {
      settings: { maxHeaderListSize: 100_000 },
      maxHeaderListPairs: 200,
    });
    const stream = client.request({ ':path': '/' });
    const hints = once(stream, 'headers') as Promise<[IncomingHttpHeaders]>;
    const [head] = (await once(stream, 'response')) as [IncomingHttpHeaders];
    expect((await hints)[0]).toMatchObject({ ':status': 103, link: '</a>' });
    expect(head['x-long']).toBe(long);
    stream.resume();
    await once(stream, 'close');
  });
});

describe('our client with a server of Node', () => {
  it('sends many requests at once, large bodies both ways, small windows', async () => {
    const port = await nodeServer(
      (stream, fields) => {
        stream.respond({ ':status': 200, 'x-path': fields[':path'] }, { waitForTrailers: true });
        stream.on('wantTrailers', () => stream.sendTrailers({ 'x-done': 'yes' }));
        stream.pipe(stream);
      },
      { settings: { initialWindowSize: 12_345, maxConcurrentStreams: 70 } },
    );
    const client = connectOwn(port, { streamWindowBytes: 30_000, connectionWindowBytes: 66_000 });
    const bodies = Array.from({ length: 60 }, (_, index) => randomBytes(index * 5_000));
    const answers = await Promise.all(
      bodies.map((body, index) =>
        client.request({
          fields: { ':method': 'POST', ':scheme': 'http', ':path': `/${index}`, ':authority': 'a' },
          body,
        }),
      ),
    );
    for (const [index, { fields, body, trailers }] of answers.entries()) {
      expect(fields).toMatchObject({ ':status': '200', 'x-path': `/${index}` });
      expect(body.equals(bodies[index]!)).toBe(true);
      expect(trailers).toEqual({ 'x-done': 'yes' });
    }
    client.session.drain();
    await expect(client.closed).resolves.toBeUndefined();
  });

  it('hears of resets and of GOAWAY', async () => {
    const port = await nodeServer((stream, fields) => {
      if (fields[':path'] === '/reset') stream.close(http2.constants.NGHTTP2_ENHANCE_YOUR_CALM);
      else if (fields[':path'] === '/goaway') {
        stream.session?.close();
        stream.respond({ ':status': 200 });
        stream.end('last');
      }
    });
    const client = connectOwn(port);
    const get = (path: string): Promise<Message> =>
      client.request({
        fields: { ':method': 'GET', ':scheme': 'http', ':path': path, ':authority': 'a' },
      });
    await expect(get('/reset')).rejects.toThrow('code 11');
    expect((await get('/goaway')).body.toString()).toBe('last');
    await expect(client.closed).resolves.toBeUndefined();
    expect(client.session.canOpen).toBe(false);
  });
});
