/** A port on which several protocols meet, over real sockets. */
import { once } from 'node:events';
import net from 'node:net';
import tls from 'node:tls';
import { createCluster } from '@evenkeel/core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { ProxyFixture } from '../engine/test-support/proxy-fixture.ts';
import { answering, OK } from '../engine/test-support/scripted-origin.ts';
import type { ListenerOptions, ProxyOptions } from '../index.ts';
import { drainOf, until } from '../tcp/test-support/tcp-fixture.ts';
import { type IssuedCertificate, openssl, TestAuthority } from '../tls/test-support/authority.ts';
import { visit } from '../tls/test-support/secure-client.ts';

const REQUEST = 'GET /a?b HTTP/1.1\r\nhost: a.example:80\r\nconnection: close\r\n\r\n';

describe.skipIf(openssl === undefined)('a mixed port', () => {
  let authority: TestAuthority;
  let own: IssuedCertificate;
  let theirs: IssuedCertificate;
  const closing: (() => Promise<void> | void)[] = [];

  beforeAll(async () => {
    authority = await TestAuthority.create();
    own = await authority.issue({ names: ['a.example'] });
    theirs = await authority.issue({ names: ['b.example'] });
  });
  afterEach(async () => {
    for (const close of closing.splice(0).reverse()) await close();
  });
  afterAll(() => authority.dispose());

  /** An endpoint that has TLS of its own. */
  async function secureServer(): Promise<number> {
    const server = tls.createServer(theirs.pem, (socket) => {
      socket.on('error', () => undefined);
      // Nobody else asks for anything.
      socket.once('data', () => socket.end('HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\ntheirs'));
    });
    server.on('tlsClientError', () => undefined);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    closing.push(() => void server.close());
    return (server.address() as net.AddressInfo).port;
  }

  async function start(
    listener: Partial<ListenerOptions>,
    http: Partial<ListenerOptions['http']> = {},
    options: Partial<ProxyOptions> = {},
  ): Promise<ProxyFixture> {
    const passed = createCluster({
      name: 'passed',
      discovery: [`127.0.0.1:${await secureServer()}`],
    });
    await passed.ready();
    const fixture = await ProxyFixture.start(answering(OK), {
      proxyOf: (origin) => ({
        clusters: [origin, passed],
        listeners: [
          {
            listen: '127.0.0.1:0',
            tls: { certificates: [own.pem] },
            http: { routes: [{ cluster: 'origin' }], ...http },
            ...listener,
          },
        ],
        ...options,
      }),
    });
    closing.push(
      () => passed.close(),
      () => fixture.close(),
    );
    return fixture;
  }

  async function plain(port: number, bytes: string, at = bytes.length): Promise<string> {
    const socket = net.connect({ port, host: '127.0.0.1' });
    closing.push(() => void socket.destroy());
    socket.on('error', () => undefined);
    socket.write(bytes.slice(0, at));
    if (at < bytes.length) {
      await new Promise((resolve) => setTimeout(resolve, 5));
      socket.write(bytes.slice(at));
    }
    return (await drainOf(socket)).text;
  }

  const sni = { tcp: { sni: [{ names: ['b.example'], cluster: 'passed' }] } };

  it('ends TLS for its own names, and passes that for others through', async () => {
    const { port, proxy } = await start(sni);
    const mine = await visit(port, { ca: authority.cert, servername: 'a.example' });
    expect(mine.response).toMatch(/^HTTP\/1\.1 200 OK\r\n[\s\S]*ok$/);
    const passed = await visit(port, { ca: authority.cert, servername: 'b.example' });
    expect(passed.response).toMatch(/theirs$/);
    expect(proxy.stats.tcp.counters).toMatchObject({ connectCount: 1 });
    await until(() => proxy.stats.tcp.activeCount === 0 && proxy.stats.clientCount === 0);
  });

  it('closes what is not TLS, unless it is told otherwise', async () => {
    const { port, proxy } = await start(sni);
    expect(await plain(port, REQUEST)).toBe('');
    expect(proxy.stats.counters.handshakeErrorCount).toBe(1);
  });

  it.each([1, 3, REQUEST.length])('serves clear text beside TLS, split at %i', async (at) => {
    const { port } = await start({}, { clearText: 'serve' });
    expect(await plain(port, REQUEST, at)).toMatch(/^HTTP\/1\.1 200 OK\r\n[\s\S]*ok$/);
    const secure = await visit(port, { ca: authority.cert, servername: 'a.example' });
    expect(secure.response).toMatch(/ok$/);
  });

  it('sends clear text to https', async () => {
    const { port } = await start({}, { clearText: 'redirect' });
    const response = await plain(port, REQUEST);
    expect(response).toMatch(/^HTTP\/1\.1 308 /);
    expect(response).toContain('location: https://a.example/a?b\r\n');
    const secure = await visit(port, { ca: authority.cert, servername: 'a.example' });
    expect(secure.response).toMatch(/ok$/);
  });

  it('closes who says nothing, in time', async () => {
    const { port, proxy } = await start(
      {},
      { clearText: 'serve' },
      { timeouts: { handshakeMs: 50 } },
    );
    expect(await plain(port, '')).toBe('');
    expect(proxy.stats.counters.handshakeTimeoutCount).toBe(1);
  });

  it('cuts off what is passed through when the proxy closes', async () => {
    const { port, proxy } = await start(sni);
    const socket = tls.connect({
      port,
      host: '127.0.0.1',
      servername: 'b.example',
      ca: authority.cert,
    });
    socket.on('error', () => undefined);
    await once(socket, 'secureConnect');
    const gone = new Promise((resolve) => socket.once('close', resolve));
    await proxy.close({ drainTimeoutMs: 0 });
    await gone;
    expect(proxy.stats.tcp.activeCount).toBe(0);
  });
});

describe('limits of one client', () => {
  const closing: (() => Promise<void> | void)[] = [];
  afterEach(async () => {
    for (const close of closing.splice(0).reverse()) await close();
  });

  const connect = async (port: number): Promise<{ socket: net.Socket; isOpen: boolean }> => {
    const socket = net.connect({ port, host: '127.0.0.1' });
    closing.push(() => void socket.destroy());
    socket.on('error', () => undefined);
    socket.write('GET / HTTP/1.1\r\nhost: a\r\n\r\n');
    const isOpen = await new Promise<boolean>((resolve) => {
      socket.once('data', () => resolve(true)).once('close', () => resolve(false));
    });
    return { socket, isOpen };
  };

  it.each(['http', 'tcp'] as const)('are for connections at a time, with %s', async (kind) => {
    const fixture = await ProxyFixture.start(answering(OK), {
      proxy: {
        listeners: [
          {
            listen: '127.0.0.1:0',
            perClient: { maxConnections: 2 },
            ...(kind === 'http'
              ? { http: { routes: [{ cluster: 'origin' }] } }
              : { tcp: { cluster: 'origin' } }),
          },
        ],
      },
    });
    closing.push(() => fixture.close());
    const { port, proxy } = fixture;
    const first = await connect(port);
    expect(first.isOpen).toBe(true);
    expect((await connect(port)).isOpen).toBe(true);
    expect((await connect(port)).isOpen).toBe(false);
    first.socket.destroy();
    const { stats } = proxy;
    expect(kind === 'http' ? stats.counters.limitedCount : stats.tcp.counters.limitedCount).toBe(1);
    await until(() => proxy.stats.clientCount + proxy.stats.tcp.activeCount === 1);
    expect((await connect(port)).isOpen).toBe(true);
  });

  it('are for new connections per second', async () => {
    const fixture = await ProxyFixture.start(answering(OK), {
      proxy: {
        listeners: [
          {
            listen: '127.0.0.1:0',
            perClient: { connectionsPerSecond: 0.01, burst: 3 },
            http: { routes: [{ cluster: 'origin' }] },
          },
        ],
      },
    });
    closing.push(() => fixture.close());
    const opened: boolean[] = [];
    for (let at = 0; at < 5; at++) opened.push((await connect(fixture.port)).isOpen);
    expect(opened).toEqual([true, true, true, false, false]);
  });
});
