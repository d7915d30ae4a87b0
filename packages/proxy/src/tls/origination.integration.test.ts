/** TLS to endpoints, over real sockets. */
import https, { type Server } from 'node:https';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type Cluster, createCluster } from '@evenkeel/core';
import { createProxy, type Proxy, type UpstreamTlsOptions } from '../index.ts';
import { type IssuedCertificate, openssl, TestAuthority } from './test-support/authority.ts';

describe.skipIf(openssl === undefined)('TLS to endpoints', () => {
  let authority: TestAuthority;
  let stranger: TestAuthority;
  let certificate: IssuedCertificate;
  let origin: Server | undefined;
  let cluster: Cluster | undefined;
  let proxy: Proxy | undefined;
  /** Of each connection to the origin. */
  let sockets: TLSSocket[] = [];

  beforeAll(async () => {
    authority = await TestAuthority.create();
    stranger = await TestAuthority.create('Stranger');
    certificate = await authority.issue({ names: ['origin.example', '127.0.0.1'] });
  });
  afterEach(async () => {
    await proxy?.close({ drainTimeoutMs: 0 });
    await cluster?.close();
    origin?.closeAllConnections();
    origin?.close();
    sockets = [];
  });
  afterAll(() => Promise.all([authority.dispose(), stranger.dispose()]));

  const start = async (
    tls: UpstreamTlsOptions,
    options: { readonly hostname?: string; readonly server?: https.ServerOptions } = {},
  ): Promise<Proxy> => {
    origin = https.createServer({ ...certificate.pem, ...options.server }, (request, response) => {
      request.resume().on('end', () => response.end('over TLS'));
    });
    origin.on('secureConnection', (socket) => sockets.push(socket));
    origin.listen(0, '127.0.0.1');
    await once(origin, 'listening');
    const { port } = origin.address() as AddressInfo;
    const { hostname } = options;
    cluster = createCluster({
      name: 'origin',
      discovery: [{ host: '127.0.0.1', port, ...(hostname !== undefined && { hostname }) }],
      outlierDetection: false,
    });
    await cluster.ready();
    proxy = await createProxy({
      clusters: [cluster],
      listeners: [{ listen: '127.0.0.1:0', http: { routes: [{ cluster: 'origin' }] } }],
      upstreams: { origin: { tls } },
    });
    return proxy;
  };
  const get = async (method = 'GET', body?: string): Promise<string> => {
    const url = `http://127.0.0.1:${proxy!.addresses[0]!.port}/`;
    const response = await fetch(url, { method, ...(body !== undefined && { body }) });
    return `${response.status} ${(await response.text()).trim()}`;
  };

  it('carries requests and bodies, on connections that are kept', async () => {
    const { stats } = await start({ ca: authority.cert });
    expect(await get()).toBe('200 over TLS');
    expect(await get('POST', 'x'.repeat(500_000))).toBe('200 over TLS');
    expect(sockets).toHaveLength(1);
    expect(stats.counters.reuseCount).toBe(1);
    expect(sockets[0]!.alpnProtocol).toBe('http/1.1');
  });

  it.each([
    ['its hostname', {}, 'origin.example', 'origin.example'],
    ['a name for all', { servername: 'origin.example' }, 'wrong.example', 'origin.example'],
    ['its address', {}, undefined, false],
  ] as const)('asks an endpoint to prove %s', async (_, tls, hostname, sent) => {
    await start({ ca: authority.cert, ...tls }, { ...(hostname !== undefined && { hostname }) });
    expect(await get()).toBe('200 over TLS');
    expect((sockets[0] as TLSSocket & { servername: unknown }).servername).toBe(sent);
  });

  it.each([
    ['nobody known has signed', undefined, undefined],
    ['another one has signed', 'stranger', undefined],
    ['is for another name', 'authority', 'other.example'],
  ])('does not send to a server whose certificate %s', async (_, ca, hostname) => {
    await start(
      { ...(ca !== undefined && { ca: (ca === 'stranger' ? stranger : authority).cert }) },
      { ...(hostname !== undefined && { hostname }) },
    );
    expect(await get('POST', 'secret')).toBe('502 502 Bad Gateway');
    expect(cluster!.snapshot().totals.outcomes.connectFailure).toBeGreaterThan(0);
  });

  it('takes any certificate, if told so', async () => {
    await start({ rejectUnauthorized: false }, { hostname: 'other.example' });
    expect(await get()).toBe('200 over TLS');
  });

  it('shows a certificate, and another one from a change of its files on', async () => {
    const own = await authority.issue({ names: ['proxy-1'] });
    await start(
      { ca: authority.cert, certificate: own.files },
      { server: { requestCert: true, ca: authority.cert } },
    );
    const nameOf = (socket: TLSSocket | undefined): string | undefined =>
      socket?.getPeerX509Certificate()?.subject;
    expect(await get()).toBe('200 over TLS');
    expect(nameOf(sockets[0])).toBe('CN=proxy-1');
    const next = await authority.issue({ names: ['proxy-2'] });
    const { rename } = await import('node:fs/promises');
    await rename(next.files.certFile, own.files.certFile);
    await expect(proxy!.reloadCertificates()).rejects.toMatchObject({
      issues: [{ path: 'createProxy.upstreams.origin.tls.certificate.keyFile' }],
    });
    await rename(next.files.keyFile, own.files.keyFile);
    await proxy!.reloadCertificates();
    // A connection that is there stays as it is.
    expect(await get()).toBe('200 over TLS');
    expect(sockets).toHaveLength(1);
    sockets[0]!.destroy();
    await once(sockets[0]!, 'close');
    expect(await get()).toBe('200 over TLS');
    expect(nameOf(sockets.at(-1))).toBe('CN=proxy-2');
  });

  it('goes on with a session on the next connection', async () => {
    await start({ ca: authority.cert });
    expect(await get()).toBe('200 over TLS');
    sockets[0]!.destroy();
    await once(sockets[0]!, 'close');
    expect(await get()).toBe('200 over TLS');
    expect(sockets.at(-1)!.isSessionReused()).toBe(true);
  });

  it('gives up on an endpoint that does not speak TLS', async () => {
    await start({ ca: authority.cert });
    const plain = (await import('node:net')).createServer((socket) => {
      socket.on('error', () => undefined);
      socket.end('220 hello\r\n');
    });
    plain.listen(0, '127.0.0.1');
    await once(plain, 'listening');
    const { port } = plain.address() as AddressInfo;
    await cluster!.close();
    await proxy!.close();
    cluster = createCluster({ name: 'origin', discovery: [`127.0.0.1:${port}`] });
    await cluster.ready();
    proxy = await createProxy({
      clusters: [cluster],
      listeners: [{ listen: '127.0.0.1:0', http: { routes: [{ cluster: 'origin' }] } }],
      upstreams: { origin: { tls: {} } },
    });
    expect(await get('POST', 'x')).toBe('502 502 Bad Gateway');
    plain.close();
  });
});
