/** TCP through the proxy, over real sockets. */
import { once } from 'node:events';
import { createHash } from 'node:crypto';
import type { Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import {
  closedPort,
  drainOf,
  patternAt,
  TcpFixture,
  type TcpFixtureOptions,
  tcpServer,
  type TestServer,
  until,
} from './test-support/tcp-fixture.ts';

let fixture: TcpFixture;
afterEach(() => fixture.close());

const start = async (
  servers: readonly (TestServer | number)[],
  options?: TcpFixtureOptions,
): Promise<void> => {
  fixture = await TcpFixture.start(servers, options);
};

const echo = (socket: Socket): void => {
  socket.pipe(socket);
};

describe('a connection', () => {
  it('is passed on both ways, and counted on its endpoint until it ends', async () => {
    await start([await tcpServer(echo)]);
    const client = await fixture.connect();
    client.write('ping');
    expect(String((await once(client, 'data'))[0])).toBe('ping');
    expect(fixture.activeCount).toBe(1);
    expect(fixture.proxy.stats.tcp.activeCount).toBe(1);
    client.end('bye');
    expect(await drainOf(client)).toEqual({ text: 'bye', code: '' });
    await until(() => fixture.proxy.stats.tcp.activeCount === 0);
    expect(fixture.activeCount).toBe(0);
    expect(fixture.outcomes()).toEqual({ success: 1 });
    expect(fixture.counters).toMatchObject({
      acceptedCount: 1,
      connectCount: 1,
      clientByteCount: 7,
      endpointByteCount: 7,
    });
  });

  it('may be begun by the endpoint', async () => {
    await start([await tcpServer((socket) => void socket.end('220 hello\r\n'))]);
    expect(await drainOf(await fixture.connect())).toEqual({ text: '220 hello\r\n', code: '' });
  });

  it('goes on one way after the client has sent its FIN', async () => {
    await start([
      await tcpServer((socket) => {
        const parts: Buffer[] = [];
        socket.on('data', (bytes: Buffer) => parts.push(bytes));
        socket.on('end', () => socket.end(`got ${Buffer.concat(parts).toString()}`));
      }),
    ]);
    const client = await fixture.connect();
    client.end('question');
    expect(await drainOf(client)).toEqual({ text: 'got question', code: '' });
  });

  it('goes on the other way after the endpoint has sent its FIN', async () => {
    const received: string[] = [];
    const server = await tcpServer((socket) => {
      socket.end('done');
      socket.on('data', (bytes: Buffer) => received.push(bytes.toString()));
    });
    await start([server]);
    const client = await fixture.connect();
    expect((await drainOf(client)).text).toBe('done');
    client.write('one ');
    await until(() => received.join('') === 'one ');
    client.end('two');
    await until(() => received.join('') === 'one two');
    await until(() => fixture.proxy.stats.tcp.activeCount === 0);
    expect(fixture.outcomes()).toEqual({ success: 1 });
  });

  it('hands a FIN on that came before the endpoint was there', async () => {
    await start([await tcpServer((socket) => void socket.on('end', () => socket.end('late')))]);
    const client = await fixture.connect();
    client.resume().end();
    const text = (await once(client, 'data'))[0] as Buffer;
    expect(text.toString()).toBe('late');
  });

  it.each(['client', 'endpoint'] as const)(
    'that the %s resets is reset on the other side',
    async (side) => {
      const server = await tcpServer(echo);
      await start([server]);
      const client = await fixture.connect();
      client.write('x');
      await once(client, 'data');
      const [from, to] =
        side === 'client' ? [client, server.sockets[0]!] : [server.sockets[0]!, client];
      const seen = new Promise((resolve) => to.once('close', resolve));
      let code = '';
      to.on('error', (error: NodeJS.ErrnoException) => (code = error.code ?? ''));
      from.resetAndDestroy();
      await seen;
      expect(code).toBe('ECONNRESET');
      await until(() => fixture.proxy.stats.tcp.activeCount === 0);
      expect(fixture.outcomes()).toEqual(side === 'client' ? { success: 1 } : { reset: 1 });
      expect(fixture.counters).toMatchObject(
        side === 'client' ? { clientResetCount: 1 } : { endpointResetCount: 1 },
      );
    },
  );

  it('carries 64 MiB each way unchanged', async () => {
    await start([await tcpServer(echo)]);
    const total = 64 * 1_024 * 1_024;
    const piece = 1_000_003;
    const sent = createHash('sha256');
    const received = createHash('sha256');
    const client = await fixture.connect();
    let count = 0;
    client.on('data', (bytes: Buffer) => {
      received.update(bytes);
      count += bytes.length;
    });
    for (let at = 0; at < total; at += piece) {
      const bytes = patternAt(at, Math.min(piece, total - at));
      sent.update(bytes);
      if (!client.write(bytes)) await once(client, 'drain');
    }
    client.end();
    await once(client, 'end');
    expect(count).toBe(total);
    expect(received.digest('hex')).toBe(sent.digest('hex'));
  });

  it('keeps the bytes of many connections apart', async () => {
    await start([await tcpServer(echo), await tcpServer(echo)]);
    const exchange = async (seed: number): Promise<void> => {
      const client = await fixture.connect();
      const bytes = patternAt(seed * 7_919, 700_000 + seed);
      const parts: Buffer[] = [];
      client.on('data', (part: Buffer) => parts.push(part));
      client.end(bytes);
      await once(client, 'end');
      expect(Buffer.concat(parts).equals(bytes)).toBe(true);
    };
    await Promise.all(Array.from({ length: 40 }, (_, seed) => exchange(seed)));
    await until(() => fixture.proxy.stats.tcp.activeCount === 0);
    expect(fixture.outcomes()).toEqual({ success: 40 });
  });

  it('is read only as fast as the other side takes it', async () => {
    let sent = 0;
    const server = await tcpServer((socket) => {
      const piece = patternAt(0, 65_536);
      const send = (): void => {
        while (!socket.destroyed && sent < 256 * 1_024 * 1_024) {
          sent += piece.length;
          if (!socket.write(piece)) return;
        }
      };
      socket.on('drain', send);
      send();
    });
    await start([server]);
    const client = await fixture.connect();
    client.pause();
    let before = -1;
    // Until nothing moves any more: what is under way fills the buffers of the kernel and stops.
    for (let still = 0; still < 20; still = sent === before ? still + 1 : 0) {
      before = sent;
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    const { endpointByteCount } = fixture.counters;
    // All else is in the kernel: at most what its send buffer to the client and the client's own take.
    let taken = 0;
    client.on('data', (bytes: Buffer) => (taken += bytes.length)).resume();
    server.sockets[0]!.removeAllListeners('drain');
    await until(() => taken >= endpointByteCount);
    expect(endpointByteCount).toBeLessThan(32 * 1_024 * 1_024);
  });
});

describe('an endpoint', () => {
  it('that refuses is left for another one, with what the client has sent', async () => {
    await start([await closedPort(), await tcpServer(echo)]);
    for (let turn = 0; turn < 4; turn++) {
      const client = await fixture.connect();
      client.end('early');
      expect(await drainOf(client)).toEqual({ text: 'early', code: '' });
    }
    expect(fixture.counters.retryCount).toBeGreaterThan(0);
    expect(fixture.outcomes()).toMatchObject({
      success: 4,
      connectFailure: fixture.counters.connectFailureCount,
    });
    expect(fixture.activeCount).toBe(0);
  });

  it('that refuses, if it is the only one, is asked again and then given up with a reset', async () => {
    await start([await closedPort()]);
    expect((await drainOf(await fixture.connect())).code).toBe('ECONNRESET');
    expect(fixture.counters).toMatchObject({ connectCount: 3, retryCount: 2 });
    expect(fixture.outcomes()).toEqual({ connectFailure: 3 });
  });

  it('that refuses is not left for another one, if the options say so', async () => {
    await start([await closedPort()], { tcp: { retry: false } });
    expect((await drainOf(await fixture.connect())).code).toBe('ECONNRESET');
    expect(fixture.counters).toMatchObject({ connectCount: 1, retryCount: 0 });
  });

  it('that dies after the connection is there ends it', async () => {
    const server = await tcpServer(echo);
    await start([server, await tcpServer(echo)]);
    const client = await fixture.connect();
    client.write('x');
    await once(client, 'data');
    const gone = drainOf(client);
    await server.close();
    client.end();
    await gone;
    await until(() => fixture.proxy.stats.tcp.activeCount === 0);
    expect(fixture.counters.retryCount).toBe(0);
  });

  it('that keeps refusing is ejected, so that no more connections are tried on it', async () => {
    await start([await closedPort(), await tcpServer(echo), await tcpServer(echo)]);
    for (let turn = 0; turn < 12; turn++) {
      const client = await fixture.connect();
      client.end('x');
      expect((await drainOf(client)).text).toBe('x');
    }
    expect(fixture.counters.connectFailureCount).toBe(3);
    expect(fixture.cluster.snapshot().endpoints[0]!.state).toBe('ejected');
  });

  it('that nobody listens for in time counts as one without a connection', async () => {
    // 192.0.2.0/24 is for documentation only (RFC 5737): nothing answers, or the network refuses at once.
    await start([], {
      cluster: { discovery: ['192.0.2.1:9'] },
      tcp: { connectTimeoutMs: 50, retry: false },
    });
    expect((await drainOf(await fixture.connect())).code).toBe('ECONNRESET');
    expect(fixture.outcomes()).toEqual({ connectFailure: 1 });
  });

  it('is chosen by the address of the client where the cluster says so', async () => {
    const servers = await Promise.all([1, 2, 3, 4].map(() => tcpServer(echo)));
    await start(servers, {
      cluster: { policy: { name: 'ring-hash', hashKey: { sourceAddress: true } } },
    });
    for (let turn = 0; turn < 8; turn++) {
      const client = await fixture.connect();
      client.end('x');
      await drainOf(client);
    }
    expect(servers.map(({ sockets }) => sockets.length).sort()).toEqual([0, 0, 0, 8]);
  });
});

describe('the limits of a TCP listener', () => {
  it('end a silent connection, which speaks against an endpoint that owes an answer', async () => {
    await start([await tcpServer((socket) => void socket.resume())], {
      tcp: { idleTimeoutMs: 50 },
    });
    const silent = await fixture.connect();
    expect((await drainOf(silent)).code).toBe('ECONNRESET');
    const asking = await fixture.connect();
    asking.write('hello?');
    expect((await drainOf(asking)).code).toBe('ECONNRESET');
    expect(fixture.counters.idleTimeoutCount).toBe(2);
    expect(fixture.outcomes()).toEqual({ success: 1, timeout: 1 });
  });

  it('leave connections alone as long as one side speaks', async () => {
    await start([await tcpServer(echo)], { tcp: { idleTimeoutMs: 400 } });
    const client = await fixture.connect();
    const from = Date.now();
    while (Date.now() - from < 1_000) {
      client.write('x');
      await once(client, 'data');
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    expect(fixture.counters.idleTimeoutCount).toBe(0);
  });
});

describe('closing', () => {
  it('lets connections end in their own time, and accepts no others', async () => {
    await start([await tcpServer(echo)]);
    const client = await fixture.connect();
    client.write('x');
    await once(client, 'data');
    const closed = fixture.proxy.close({ drainTimeoutMs: 5_000 });
    await expect(fixture.connect()).rejects.toThrow('ECONNREFUSED');
    client.end('still here');
    expect(await drainOf(client)).toEqual({ text: 'still here', code: '' });
    await closed;
    expect(fixture.counters.cutOffCount).toBe(0);
  });

  it('resets what is left at its deadline', async () => {
    await start([await tcpServer(echo)]);
    const client = await fixture.connect();
    client.write('x');
    await once(client, 'data');
    const end = drainOf(client);
    await fixture.proxy.close({ drainTimeoutMs: 50 });
    expect((await end).code).toBe('ECONNRESET');
    expect(fixture.counters.cutOffCount).toBe(1);
    expect(fixture.activeCount).toBe(0);
  });
});
