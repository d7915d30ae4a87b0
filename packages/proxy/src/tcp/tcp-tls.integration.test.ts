/** TLS and the PROXY protocol around connections that are passed on. */
import { once } from 'node:events';
import net, { type Socket } from 'node:net';
import tls from 'node:tls';
import { type Cluster, createCluster } from '@evenkeel/core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createProxy, type ListenerOptions, type Proxy, type ProxyOptions } from '../index.ts';
import { readProxyHeader } from '../proxy-protocol/proxy-header.ts';
import { type IssuedCertificate, openssl, TestAuthority } from '../tls/test-support/authority.ts';
import {
  drainOf,
  patternAt,
  tcpServer,
  type TestServer,
  until,
} from './test-support/tcp-fixture.ts';

const BYTES = 3_000_000;

describe.skipIf(openssl === undefined)('a listener that passes on connections', () => {
  let authority: TestAuthority;
  let certificate: IssuedCertificate;
  const closing: (() => Promise<void> | void)[] = [];
  const sockets: Socket[] = [];

  beforeAll(async () => {
    authority = await TestAuthority.create();
    certificate = await authority.issue({ names: ['a.example', '127.0.0.1'] });
  });
  afterEach(async () => {
    for (const socket of sockets.splice(0)) socket.destroy();
    for (const close of closing.splice(0).reverse()) await close();
  });
  afterAll(() => authority.dispose());

  async function start(
    server: { readonly port: number },
    listener: Partial<ListenerOptions>,
    options: Partial<ProxyOptions> = {},
  ): Promise<{ proxy: Proxy; cluster: Cluster; port: number }> {
    const cluster = createCluster({ name: 'origin', discovery: [`127.0.0.1:${server.port}`] });
    closing.push(() => cluster.close());
    await cluster.ready();
    const proxy = await createProxy({
      clusters: [cluster],
      listeners: [{ listen: '127.0.0.1:0', tcp: { cluster: 'origin' }, ...listener }],
      ...options,
    });
    closing.push(() => proxy.close({ drainTimeoutMs: 0 }));
    return { proxy, cluster, port: proxy.addresses[0]!.port };
  }

  async function serve(onSocket: (socket: Socket) => void): Promise<TestServer> {
    const server = await tcpServer(onSocket);
    closing.push(() => server.close());
    return server;
  }

  async function serveSecure(
    onSocket: (socket: tls.TLSSocket) => void,
    options: tls.TlsOptions = {},
  ): Promise<{ port: number }> {
    const server = tls.createServer({ ...certificate.pem, ...options }, onSocket);
    server.on('tlsClientError', () => undefined);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    closing.push(() => void server.close());
    return server.address() as net.AddressInfo;
  }

  const secure = async (port: number): Promise<tls.TLSSocket> => {
    const socket = tls.connect({ port, host: '127.0.0.1', ca: authority.cert });
    sockets.push(socket);
    socket.on('error', () => undefined);
    await once(socket, 'secureConnect');
    return socket;
  };
  const plain = async (port: number): Promise<Socket> => {
    const socket = net.connect({ port, host: '127.0.0.1', allowHalfOpen: true });
    sockets.push(socket);
    socket.on('error', () => undefined);
    await once(socket, 'connect');
    return socket;
  };

  /** Sends much and gets it back, whole. */
  async function exchange(socket: Socket): Promise<void> {
    const parts: Buffer[] = [];
    socket.on('data', (bytes: Buffer) => parts.push(bytes));
    const sent = patternAt(0, BYTES);
    socket.end(sent);
    await once(socket, 'end');
    expect(Buffer.concat(parts).equals(sent)).toBe(true);
  }

  const echo = (socket: Socket): void => void socket.pipe(socket);

  it('decrypts what comes in where it has certificates', async () => {
    const seen: Buffer[] = [];
    const server = await serve((socket) => {
      socket.on('data', (bytes: Buffer) => seen.push(bytes));
      echo(socket);
    });
    const { port, proxy, cluster } = await start(server, {
      tls: { certificates: [certificate.pem] },
    });
    await exchange(await secure(port));
    expect(Buffer.concat(seen).equals(patternAt(0, BYTES))).toBe(true);
    await until(() => proxy.stats.tcp.activeCount === 0);
    expect(cluster.snapshot().totals).toMatchObject({ activeCount: 0 });
  });

  it('closes who does not come through the handshake', async () => {
    const server = await serve(echo);
    const { port, proxy } = await start(
      server,
      { tls: { certificates: [certificate.pem] } },
      { timeouts: { handshakeMs: 50 } },
    );
    const talker = await plain(port);
    talker.write('this is not TLS\r\n\r\n');
    await drainOf(talker);
    await drainOf(await plain(port));
    expect(proxy.stats.tcp.counters).toMatchObject({
      acceptedCount: 2,
      connectCount: 0,
      handshakeErrorCount: 2,
      handshakeTimeoutCount: 1,
    });
  });

  it('encrypts what goes out where the cluster has TLS, and checks who is there', async () => {
    const server = await serveSecure(echo);
    const upstreams = { origin: { tls: { ca: authority.cert } } };
    const { port } = await start(server, {}, { upstreams });
    await exchange(await plain(port));
    const { port: doubtful, proxy } = await start(
      server,
      {},
      { upstreams: { origin: { tls: {} } } },
    );
    expect((await drainOf(await plain(doubtful))).text).toBe('');
    expect(proxy.stats.tcp.counters.connectFailureCount).toBeGreaterThan(0);
  });

  it('does both', async () => {
    const server = await serveSecure(echo);
    const { port } = await start(
      server,
      { tls: { certificates: [certificate.pem] } },
      { upstreams: { origin: { tls: { ca: authority.cert } } } },
    );
    await exchange(await secure(port));
  });

  it.each(['v1', 'v2'] as const)('tells endpoints in %s whose a connection is', async (version) => {
    let seen = Buffer.alloc(0);
    const server = await serve((socket) => {
      socket.on('data', (bytes: Buffer) => (seen = Buffer.concat([seen, bytes])));
      socket.on('end', () => socket.end('done'));
    });
    const { port } = await start(
      server,
      {},
      { upstreams: { origin: { sendProxyProtocol: version } } },
    );
    const client = await plain(port);
    const { localPort } = client;
    client.end('hello');
    expect((await drainOf(client)).text).toBe('done');
    const header = readProxyHeader(seen);
    expect(header).toMatchObject({ address: '127.0.0.1', port: localPort });
    const { length } = header as { length: number };
    expect(seen.subarray(length).toString()).toBe('hello');
  });

  it('tells it before TLS', async () => {
    const inner = await serveSecure(echo);
    let header = '';
    const server = await serve((socket) => {
      socket.once('data', (bytes: Buffer) => {
        const end = bytes.indexOf('\r\n') + 2;
        header = bytes.subarray(0, end).toString();
        const onward = net.connect(inner.port, '127.0.0.1');
        onward.on('error', () => undefined);
        onward.write(bytes.subarray(end));
        socket.pipe(onward).pipe(socket);
      });
    });
    const { port } = await start(
      server,
      {},
      { upstreams: { origin: { tls: { ca: authority.cert }, sendProxyProtocol: 'v1' } } },
    );
    await exchange(await plain(port));
    expect(header).toMatch(/^PROXY TCP4 127\.0\.0\.1 127\.0\.0\.1 \d+ \d+\r\n$/);
  });

  it.each([0, 5, 200])('believes trusted peers whose a connection is, split at %i', async (at) => {
    let seen = Buffer.alloc(0);
    const server = await serve((socket) => {
      socket.on('data', (bytes: Buffer) => (seen = Buffer.concat([seen, bytes])));
      socket.on('end', () => socket.end('done'));
    });
    const { port } = await start(
      server,
      { proxyProtocol: 'required' },
      {
        trustedProxies: ['127.0.0.0/8'],
        upstreams: { origin: { sendProxyProtocol: 'v1' } },
      },
    );
    const client = await plain(port);
    const message = 'PROXY TCP4 192.0.2.7 192.0.2.1 4321 443\r\nhello';
    client.write(message.slice(0, at));
    if (at > 0) await new Promise((resolve) => setTimeout(resolve, 5));
    client.end(message.slice(at));
    expect((await drainOf(client)).text).toBe('done');
    expect(seen.toString()).toMatch(/^PROXY TCP4 192\.0\.2\.7 127\.0\.0\.1 4321 \d+\r\nhello$/);
  });

  it('turns away who has to tell whose it is, and does not', async () => {
    const server = await serve(echo);
    const { port, proxy } = await start(
      server,
      { proxyProtocol: 'required' },
      { trustedProxies: ['127.0.0.0/8'] },
    );
    const client = await plain(port);
    client.write('GET / HTTP/1.1\r\n\r\n');
    await drainOf(client);
    expect(proxy.stats.tcp.counters).toMatchObject({ handshakeErrorCount: 1, connectCount: 0 });
  });
});
