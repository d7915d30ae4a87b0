/** Clients and servers of @grpc/grpc-js, with the proxy between them. */
import { status as Code } from '@grpc/grpc-js';
import { once } from 'node:events';
import http from 'node:http';
import http2 from 'node:http2';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import type { ClusterOptions } from '@evenkeel/core';
import type { ProxyOptions } from '../index.ts';
import { GrpcClient, GrpcServer } from './test-support/grpc-service.ts';
import { Http2World } from './test-support/http2-world.ts';

let world: Http2World | undefined;
const servers: GrpcServer[] = [];
const clients: GrpcClient[] = [];
const others: http2.Http2Server[] = [];

afterEach(async () => {
  for (const client of clients.splice(0)) client.close();
  await world?.close();
  world = undefined;
  for (const server of servers.splice(0)) server.kill();
  for (const server of others.splice(0)) server.close();
});

async function serverOf(name: string): Promise<GrpcServer> {
  const server = await new GrpcServer(name).listen();
  servers.push(server);
  return server;
}

async function start(
  ports: readonly number[],
  proxy: Partial<ProxyOptions> = {},
  cluster: Partial<ClusterOptions> = {},
): Promise<GrpcClient> {
  world = await Http2World.start({
    endpoints: ports,
    proxy: { upstreams: { origin: { http2: true } }, ...proxy },
    cluster,
  });
  return clientOf(world);
}

function clientOf({ port }: Http2World): GrpcClient {
  const client = new GrpcClient(port);
  clients.push(client);
  return client;
}

const here = (): Http2World => world as Http2World;

describe('a call of gRPC through the proxy', () => {
  it('carries a message, metadata and trailers both ways', async () => {
    const { port } = await serverOf('a');
    const client = await start([port]);
    const called = await client.unary('hello', { metadata: { 'x-asked': 'yes' } });
    expect(called).toMatchObject({ code: Code.OK, message: 'a: hello' });
    expect(called.head?.get('x-head')).toEqual(['yes']);
    expect(called.trailers?.get('x-trailer')).toEqual(['after']);
  });

  it.each([Code.NOT_FOUND, Code.UNAVAILABLE, Code.INTERNAL, Code.DATA_LOSS])(
    'fails with the code %i of the server',
    async (code) => {
      const { port } = await serverOf('a');
      const client = await start([port]);
      expect(await client.unary(`fail ${code}`)).toMatchObject({
        code,
        details: `wanted: ${code} ü%`,
      });
    },
  );

  it('streams from the server', async () => {
    const { port } = await serverOf('a');
    const client = await start([port]);
    const messages: string[] = [];
    const stream = client.serverStream(2_000);
    stream.on('data', (message: string) => messages.push(message));
    await once(stream, 'end');
    expect(messages).toEqual(Array.from({ length: 2_000 }, (_, at) => `a ${at}`));
  });

  it('streams from the client', async () => {
    const { port } = await serverOf('a');
    const client = await start([port]);
    const answer = Promise.withResolvers<string | undefined>();
    const stream = client.clientStream((error, message) =>
      error === null ? answer.resolve(message) : answer.reject(error),
    );
    const message = 'x'.repeat(10_000);
    for (let count = 0; count < 200; count++)
      if (!stream.write(message)) await once(stream, 'drain');
    stream.end();
    expect(await answer.promise).toBe('a 2000000');
  });

  it('streams both ways, each message before the next', async () => {
    const { port } = await serverOf('a');
    const client = await start([port]);
    const stream = client.bidi();
    for (let count = 0; count < 50; count++) {
      stream.write(`${count}`);
      const [message] = (await once(stream, 'data')) as [string];
      expect(message).toBe(`a ${count}`);
    }
    const status = once(stream, 'status') as Promise<[{ code: number }]>;
    stream.end();
    stream.resume();
    expect((await status)[0].code).toBe(Code.OK);
  });

  it('is cancelled at the server when the client cancels', async () => {
    const server = await serverOf('a');
    const client = await start([server.port]);
    const { call, called } = client.begin('hang');
    await here().until(() => server.callCount === 1);
    call.cancel();
    expect(await called).toMatchObject({ code: Code.CANCELLED });
    await here().until(() => server.cancelledCount === 1);
    const stream = client.serverStream(-1);
    stream.on('error', () => undefined);
    await once(stream, 'data');
    stream.cancel();
    await here().until(() => server.cancelledCount === 2);
  });

  it('ends with its deadline', async () => {
    const server = await serverOf('a');
    const client = await start([server.port]);
    expect(await client.unary('hang', { deadlineMs: 150 })).toMatchObject({
      code: Code.DEADLINE_EXCEEDED,
    });
    await here().until(() => server.cancelledCount === 1);
    expect(await client.unary('more')).toMatchObject({ code: Code.OK });
  });

  it.each([true, false])(
    'has a deadline at the proxy, too (whole request: %s)',
    async (isWhole) => {
      const closed = Promise.withResolvers<number | undefined>();
      const port = await endpoint((stream) => {
        stream.on('error', () => undefined);
        stream.on('close', () => closed.resolve(stream.rstCode));
      });
      await start([port]);
      const client = here().connect();
      const stream = client.session.request({
        ':method': 'POST',
        'content-type': 'application/grpc',
        te: 'trailers',
        'grpc-timeout': '200m',
      });
      stream.on('error', () => undefined);
      if (isWhole) stream.end('x');
      else stream.write('x');
      const [headers] = (await once(stream, 'response')) as [http2.IncomingHttpHeaders];
      expect(headers).toMatchObject({
        ':status': 200,
        'grpc-status': String(Code.DEADLINE_EXCEEDED),
      });
      stream.resume();
      expect(await closed.promise).toBe(http2.constants.NGHTTP2_CANCEL);
      expect(here().cluster.snapshot().totals.outcomes.timeout).toBe(1);
    },
  );

  it('may be silent for longer than bodies may', async () => {
    const { port } = await serverOf('a');
    const client = await start([port], { timeouts: { bodyIdleMs: 200 } });
    const stream = client.bidi();
    for (const word of ['one', 'two']) {
      stream.write(word);
      expect((await once(stream, 'data')) as [string]).toEqual([`a ${word}`]);
      await new Promise((resolve) => setTimeout(resolve, 600));
    }
    const status = once(stream, 'status') as Promise<[{ code: number }]>;
    stream.end();
    stream.resume();
    expect((await status)[0].code).toBe(Code.OK);
  });

  it('is balanced by itself: one connection of a client reaches all servers', async () => {
    const three = await Promise.all(['a', 'b', 'c'].map(serverOf));
    const client = await start(three.map(({ port }) => port));
    const calls = await Promise.all(Array.from({ length: 90 }, () => client.unary('x')));
    expect(calls.every(({ code }) => code === Code.OK)).toBe(true);
    expect(three.map(({ callCount }) => callCount)).toEqual([30, 30, 30]);
    expect(here().counts).toMatchObject({ sessionCount: 1, upstreamSessionCount: 3 });
  });

  it('fails with UNAVAILABLE when its server dies, and the next ones go elsewhere', async () => {
    const [one, two] = [await serverOf('a'), await serverOf('b')];
    const client = await start([one.port, two.port]);
    const held = Array.from({ length: 10 }, () => client.unary('hold'));
    await here().until(() => one.heldCount === 5 && two.heldCount === 5);
    one.kill();
    await here().until(() => here().counts.openUpstreamSessionCount === 1);
    two.release();
    const codes = (await Promise.all(held)).map(({ code }) => code);
    expect(codes.filter((code) => code === Code.OK)).toHaveLength(5);
    expect(codes.filter((code) => code === Code.UNAVAILABLE)).toHaveLength(5);
    const later = await Promise.all(Array.from({ length: 20 }, () => client.unary('x')));
    expect(later.map(({ message }) => message)).toEqual(later.map(() => 'b: x'));
  });

  it('fails with UNAVAILABLE when its server dies in the middle of a stream', async () => {
    const server = await serverOf('a');
    const client = await start([server.port]);
    const stream = client.serverStream(-1);
    const failed = once(stream, 'error').catch((error: unknown) => [error]) as Promise<
      [{ code: number }]
    >;
    await new Promise((resolve) => stream.once('data', resolve));
    server.kill();
    const status = await new Promise<{ code: number }>((resolve) => stream.on('status', resolve));
    expect(status.code).toBe(Code.UNAVAILABLE);
    await failed;
  });

  it('loses nothing when a server leaves in good order', async () => {
    const [one, two] = [await serverOf('a'), await serverOf('b')];
    const client = await start([one.port, two.port]);
    const calls: ReturnType<GrpcClient['unary']>[] = [];
    const leaving = { done: undefined as Promise<void> | undefined };
    for (let round = 0; round < 20; round++) {
      for (let count = 0; count < 10; count++) calls.push(client.unary('x'));
      if (round === 8) leaving.done = one.leave();
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    const codes = (await Promise.all(calls)).map(({ code }) => code);
    expect(codes.filter((code) => code !== Code.OK)).toEqual([]);
    await leaving.done;
  });

  it.each([
    ['no route', '/nowhere', {}, Code.UNIMPLEMENTED],
    ['an endpoint that is not there', '/', {}, Code.UNAVAILABLE],
  ])('is refused in its own way: %s', async (_, prefix, proxy, expected) => {
    const server = http.createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    server.close();
    await once(server, 'close');
    const client = await start([port], {
      listeners: [
        {
          listen: '127.0.0.1:0',
          http: { routes: [{ match: { path: { prefix } }, cluster: 'origin' }] },
        },
      ],
      ...proxy,
    });
    const called = await client.unary('x');
    expect(called.code).toBe(expected);
    expect(called.details).toMatch(/^evenkeel: [\w-]+ \(HTTP status \d{3}\)$/);
  });

  it('is refused with the status of HTTP where it comes by HTTP/1.1', async () => {
    await start([], {}, { outlierDetection: false });
    const response = await fetch(`http://127.0.0.1:${here().port}/`, {
      method: 'POST',
      headers: { 'content-type': 'application/grpc' },
    });
    expect(response.status).toBe(503);
  });

  it('is counted by how it went, whatever its status of HTTP', async () => {
    const { port } = await serverOf('a');
    const client = await start([port], {}, { outlierDetection: false });
    const codes = [Code.UNAVAILABLE, Code.UNAVAILABLE, Code.INTERNAL, Code.NOT_FOUND];
    for (const code of codes) await client.unary(`fail ${code}`);
    await client.unary('x');
    expect(here().cluster.snapshot().totals.outcomes).toMatchObject({
      gatewayError: 2,
      serverError: 1,
      success: 2,
    });
    expect(here().proxy.stats.counters.retryCount).toBe(0);
  });

  it('is counted where the head is all of the answer, too', async () => {
    const port = await endpoint((stream) => {
      const fields = { ':status': 200, 'content-type': 'application/grpc', 'grpc-status': '14' };
      stream.respond(fields, { endStream: true });
    });
    const client = await start([port], {}, { outlierDetection: false });
    expect(await client.unary('x')).toMatchObject({ code: Code.UNAVAILABLE });
    expect(here().cluster.snapshot().totals.outcomes).toMatchObject({ gatewayError: 1 });
  });
});

/** An endpoint that does as it is told. @returns its port */
async function endpoint(onStream: (stream: http2.ServerHttp2Stream) => void): Promise<number> {
  const server = http2.createServer();
  server.on('stream', onStream);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  others.push(server);
  return (server.address() as AddressInfo).port;
}
