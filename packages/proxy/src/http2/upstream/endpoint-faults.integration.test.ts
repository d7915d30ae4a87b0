/** Endpoints that refuse, leave, hang, die, or speak something else. */
import http2 from 'node:http2';
import net from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import type { ProxyOptions } from '../../index.ts';
import { changingDiscovery } from '../../tcp/test-support/changing-discovery.ts';
import { bytesOf } from '../test-support/bytes.ts';
import {
  ask,
  closeEndpoints,
  endpointOf,
  listen,
  type OnStream,
  type Response1,
} from '../test-support/endpoint.ts';
import { Http2World } from '../test-support/http2-world.ts';

let world: Http2World | undefined;
const here = (): Http2World => world as Http2World;

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

const echo: OnStream = (stream) => {
  stream.respond({ ':status': 200 });
  stream.pipe(stream);
};

describe('an endpoint that speaks HTTP/2', () => {
  it('is not asked again for what it has begun with, and another one is for what it refuses', async () => {
    const refusing = await endpointOf((stream) =>
      stream.close(http2.constants.NGHTTP2_REFUSED_STREAM),
    );
    const good = await endpointOf((stream) => {
      stream.respond({ ':status': 200 });
      stream.end('good');
    });
    const { port, counts } = await start([refusing, good]);
    for (let count = 0; count < 6; count++) {
      const { status, body } = await ask(port, { method: 'POST' }, 'x');
      expect([status, body.toString()]).toEqual([200, 'good']);
    }
    expect(counts.refusedUpstreamStreamCount).toBeGreaterThan(0);
    const breaking = await endpointOf((stream) =>
      stream.close(http2.constants.NGHTTP2_INTERNAL_ERROR),
    );
    await (world as Http2World).close();
    const second = await start([breaking, good]);
    const statuses = [];
    for (let count = 0; count < 4; count++)
      statuses.push((await ask(second.port, { method: 'POST' }, 'x')).status);
    expect(statuses).toContain(502);
    const idempotent = await Promise.all(Array.from({ length: 4 }, () => ask(second.port)));
    expect(idempotent.every(({ status }) => status === 200)).toBe(true);
  });

  it('may send its clients away (GOAWAY): nothing is lost', async () => {
    const answerSoon: OnStream = (stream) => {
      setTimeout(() => {
        if (stream.destroyed) return;
        stream.respond({ ':status': 200 });
        stream.end('ok');
      }, 20);
    };
    const origin = await endpointOf(answerSoon);
    const { port, until } = await start([origin, await endpointOf(answerSoon)]);
    const answers: Promise<Response1>[] = [];
    for (let round = 0; round < 8; round++) {
      for (let count = 0; count < 10; count++) answers.push(ask(port));
      await new Promise((resolve) => setTimeout(resolve, 10));
      // Graceful: streams that are open are finished.
      for (const session of origin.sessions) session.close();
    }
    const settled = await Promise.all(answers);
    expect(settled.map(({ status }) => status)).toEqual(settled.map(() => 200));
    expect(origin.sessionCount).toBeGreaterThan(3);
    await until(() => (world as Http2World).counts.openUpstreamStreamCount === 0);
  });

  it('is left alone when there is nothing to do', async () => {
    const origin = await endpointOf(echo);
    const { port, until } = await start(
      [origin],
      { http2: true },
      { timeouts: { upstreamIdleMs: 300 } },
    );
    await ask(port);
    await until(() => origin.sessions.size === 0);
    expect((await ask(port)).status).toBe(200);
    expect(origin.sessionCount).toBe(2);
  });

  it.each([
    ['says nothing', () => undefined],
    ['speaks HTTP/1.1', (socket: net.Socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n')],
    ['closes', (socket: net.Socket) => socket.destroy()],
    ['talks nonsense', (socket: net.Socket) => socket.write(bytesOf(1_000))],
  ])('is given up when it %s', async (_, onData) => {
    const server = net.createServer((socket) => {
      socket.on('error', () => undefined);
      socket.once('data', () => onData(socket));
    });
    const origin = await listen(server);
    const { port, counts } = await start(
      [origin],
      { http2: true },
      { timeouts: { connectMs: 200 } },
    );
    const { status } = await ask(port, { method: 'POST' }, 'x');
    expect(status).toBe(502);
    expect(counts.upstreamStreamCount).toBe(0);
  });

  it('is given up when it hangs in the middle', async () => {
    const origin = await endpointOf((stream, headers) => {
      if (headers[':path'] === '/head') return;
      stream.respond({ ':status': 200, 'content-length': '10' });
      stream.write('half');
    });
    const { port, until } = await start(
      [origin],
      { http2: true },
      {
        timeouts: { responseHeadMs: 300, bodyIdleMs: 300 },
      },
    );
    expect((await ask(port, { path: '/head', method: 'POST' }, 'x')).status).toBe(504);
    await expect(ask(port, { path: '/body' })).rejects.toThrow(/aborted|hang up|ECONNRESET/);
    await until(() => (world as Http2World).counts.openUpstreamStreamCount === 0);
  });

  it('may die: what it has begun with fails, and the rest goes elsewhere', async () => {
    const one = await endpointOf((stream) => {
      stream.respond({ ':status': 200 });
      stream.write('begun');
    });
    const two = await endpointOf((stream) => {
      stream.respond({ ':status': 200 });
      stream.end('two');
    });
    const { port, until, counts } = await start([one, two]);
    const first = Promise.allSettled(Array.from({ length: 20 }, () => ask(port)));
    await until(() => one.streamCount > 0 && two.streamCount > 0);
    for (const session of one.sessions) session.destroy();
    one.server.close();
    const settled = await first;
    expect(settled.filter(({ status }) => status === 'rejected')).toHaveLength(one.streamCount);
    const later = await Promise.all(Array.from({ length: 20 }, () => ask(port)));
    expect(later.map(({ body }) => body.toString())).toEqual(later.map(() => 'two'));
    expect(counts.openUpstreamStreamCount).toBe(0);
  });

  it('may be taken out: its streams finish, and its connections close', async () => {
    const held: http2.ServerHttp2Stream[] = [];
    const leaving = await endpointOf((stream) => void held.push(stream));
    const staying = await endpointOf((stream) => {
      stream.respond({ ':status': 200 });
      stream.end('stays');
    });
    const discovery = changingDiscovery([leaving.port]);
    world = await Http2World.start({
      endpoints: [],
      cluster: { discovery },
      proxy: { upstreams: { origin: { http2: true } } },
    });
    const { port, until } = world;
    const first = ask(port);
    await until(() => held.length === 1);
    discovery.deliver([staying.port]);
    const isKnown = ({ id }: { readonly id: string }): boolean => id.endsWith(`:${staying.port}`);
    await until(() => here().cluster.snapshot().endpoints.some(isKnown));
    expect((await ask(port)).body.toString()).toBe('stays');
    expect(leaving.sessions.size).toBe(1);
    held[0]?.respond({ ':status': 200 });
    held[0]?.end('finished');
    expect((await first).body.toString()).toBe('finished');
    await until(() => leaving.sessions.size === 0);
  });
});
