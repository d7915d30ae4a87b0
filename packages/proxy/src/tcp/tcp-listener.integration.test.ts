/** What a listener has to do beside relaying: leave endpoints, do without rebuilt sockets, hold its bounds. */
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { type Cluster, createCluster, createRuntime } from '@evenkeel/core';
import { RetryBudget, RetryPolicy } from '@evenkeel/core/resilience';
import { Sweeper } from '../socket/sweeper.ts';
import { TcpCounters } from './tcp-counters.ts';
import { Usage } from '../runtime/usage.ts';
import { Dialer } from './dialer.ts';
import { TcpConnections } from './tcp-connections.ts';
import { TcpListener } from './tcp-listener.ts';
import { changingDiscovery } from './test-support/changing-discovery.ts';
import {
  drainOf,
  patternAt,
  TcpFixture,
  tcpServer,
  type TestServer,
  until,
} from './test-support/tcp-fixture.ts';

const echo = (socket: net.Socket): void => {
  socket.pipe(socket);
};

describe('an endpoint that leaves its cluster', () => {
  let fixture: TcpFixture;
  afterEach(() => fixture.close());

  it('keeps its connections for the time that the cluster gives it, and no longer', async () => {
    const server = await tcpServer(echo);
    const discovery = changingDiscovery([server.port]);
    fixture = await TcpFixture.start([server], {
      cluster: { discovery, drain: { timeoutMs: 100 } },
    });
    const client = await fixture.connect();
    client.write('a');
    await once(client, 'data');
    discovery.deliver([]);
    client.write('b');
    await once(client, 'data');
    expect((await drainOf(client)).code).toBe('ECONNRESET');
    expect(fixture.counters.cutOffCount).toBe(1);
    expect(fixture.activeCount).toBe(0);
  });
});

describe('an endpoint at a path', () => {
  let fixture: TcpFixture;
  let folder: string;
  let server: net.Server;
  afterEach(async () => {
    await fixture.close();
    server.close();
    await rm(folder, { recursive: true });
  });

  it('is relayed to like any other, but for the reset, which Unix sockets do not know', async () => {
    folder = await mkdtemp(join(tmpdir(), 'evenkeel-tcp-'));
    const path = join(folder, 'socket');
    let closed = 0;
    server = net.createServer({ allowHalfOpen: true }, (socket) => {
      socket.on('close', () => closed++).on('error', () => undefined);
      echo(socket);
    });
    server.listen(path);
    await once(server, 'listening');
    fixture = await TcpFixture.start([], { cluster: { discovery: [`unix:${path}`] } });
    const client = await fixture.connect();
    client.end('hello');
    expect(await drainOf(client)).toEqual({ text: 'hello', code: '' });
    const other = await fixture.connect();
    other.write('x');
    await once(other, 'data');
    other.resetAndDestroy();
    await until(() => closed === 2);
    expect(fixture.activeCount).toBe(0);
  });
});

describe('a listener', () => {
  let cluster: Cluster;
  let listener: TcpListener;
  let server: TestServer;
  let sweeper: Sweeper;
  afterEach(async () => {
    listener.close();
    listener.destroy();
    await listener.gone();
    sweeper.close();
    await cluster.close();
    await server.close();
  });

  async function start(options: {
    maxClients?: number;
    rebuildsSockets: boolean;
  }): Promise<TcpCounters> {
    server = await tcpServer(echo);
    cluster = createCluster({ name: 'origin', discovery: [`127.0.0.1:${server.port}`] });
    await cluster.ready();
    const runtime = createRuntime();
    const counters = new TcpCounters();
    const budget = new RetryBudget();
    sweeper = new Sweeper(runtime);
    const dialer = new Dialer({ proxyProtocol: undefined, tls: undefined });
    const retry = new RetryPolicy({}, { budget, random: runtime.random });
    const host = {
      runtime,
      sweeper,
      counters,
      timeouts: { idleTimeoutMs: 5_000, connectTimeoutMs: 5_000, helloTimeoutMs: 5_000 },
      targets: {
        byName: undefined,
        byDefault: { cluster, retry, usage: new Usage(), dialer },
      },
    };
    listener = new TcpListener({
      connections: new TcpConnections(host, options.rebuildsSockets),
      host: { runtime, sweeper, counters, handshakeMs: 5_000 },
      counters,
      maxClients: options.maxClients ?? 100,
      perClient: undefined,
      proxyProtocol: false,
      trusted: undefined,
      credentials: undefined,
    });
    await listener.listen('127.0.0.1', 0);
    return counters;
  }

  const connect = async (): Promise<net.Socket> => {
    const socket = net.connect({
      port: listener.address.port,
      host: '127.0.0.1',
      allowHalfOpen: true,
    });
    socket.on('error', () => undefined);
    await once(socket, 'connect');
    return socket;
  };

  it.each([true, false])(
    'carries bytes unchanged, with sockets rebuilt: %s',
    async (rebuildsSockets) => {
      await start({ rebuildsSockets });
      const bytes = patternAt(0, 5_000_000);
      const client = await connect();
      const parts: Buffer[] = [];
      client.on('data', (part: Buffer) => parts.push(part));
      client.end(bytes);
      await once(client, 'end');
      expect(Buffer.concat(parts).equals(bytes)).toBe(true);
      await until(() => listener.activeCount === 0);
    },
  );

  it.each([true, false])(
    'does not read what it cannot send, with sockets rebuilt: %s',
    async (rebuildsSockets) => {
      const counters = await start({ rebuildsSockets });
      const client = await connect();
      client.pause();
      // An echo that nobody takes back stops the way there, too.
      const piece = patternAt(0, 65_536);
      let sent = 0;
      const limit = 256 * 1_024 * 1_024;
      const send = (): void => {
        while (sent < limit) {
          sent += piece.length;
          if (!client.write(piece)) return;
        }
      };
      client.on('drain', send);
      send();
      let before = -1;
      for (let still = 0; still < 20; still = sent === before ? still + 1 : 0) {
        before = sent;
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
      expect(sent).toBeLessThan(limit);
      const held = counters.clientByteCount - counters.endpointByteCount;
      // Two buffers of ours at most; the rest is in the endpoint and in the kernel.
      expect(held).toBeLessThan(64 * 1_024 * 1_024);
      client.destroy();
      await until(() => listener.activeCount === 0);
    },
  );

  it('resets whoever comes above its bound', async () => {
    const counters = await start({ rebuildsSockets: true, maxClients: 2 });
    const kept = [await connect(), await connect()];
    await until(() => counters.acceptedCount === 2);
    const third = net.connect(listener.address.port, '127.0.0.1');
    expect((await drainOf(third)).code).toBe('ECONNRESET');
    expect(counters.refusedCount).toBe(1);
    for (const socket of kept) socket.destroy();
    await until(() => listener.activeCount === 0);
  });

  it('survives clients that come and go at any moment, and leaves nothing behind', async () => {
    const counters = await start({ rebuildsSockets: true });
    const visit = async (index: number): Promise<void> => {
      const socket = net.connect(listener.address.port, '127.0.0.1');
      socket.on('error', () => undefined);
      if (index % 5 === 0) socket.resetAndDestroy();
      else {
        await once(socket, 'connect');
        socket.write(patternAt(index, 1 + ((index * 977) % 100_000)));
        if (index % 5 === 1) socket.resetAndDestroy();
        else if (index % 5 === 2) socket.destroy();
        else if (index % 5 === 3) socket.end();
        else socket.once('data', () => socket.resetAndDestroy());
      }
      socket.resume();
      if (!socket.closed) await new Promise((resolve) => socket.once('close', resolve));
    };
    for (let round = 0; round < 10; round++)
      await Promise.all(Array.from({ length: 30 }, (_, index) => visit(round * 30 + index)));
    await until(() => listener.activeCount === 0 && sweeper.size === 0);
    const { activeCount } = cluster.snapshot().totals;
    expect(activeCount).toBe(0);
    expect(counters.acceptedCount).toBeGreaterThan(100);
  });
});
