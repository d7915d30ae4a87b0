/** Other options for listeners with TLS, and for those that pass on bytes and datagrams. */
import { X509Certificate } from 'node:crypto';
import dgram from 'node:dgram';
import { once } from 'node:events';
import net from 'node:net';
import type { AddressInfo } from 'node:net';
import { type Cluster, createCluster } from '@evenkeel/core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createProxy, type ListenerOptions, type Proxy, type ProxyOptions } from '../index.ts';
import { changingDiscovery } from '../tcp/test-support/changing-discovery.ts';
import { tcpServer, type TestServer, until } from '../tcp/test-support/tcp-fixture.ts';
import { type IssuedCertificate, openssl, TestAuthority } from '../tls/test-support/authority.ts';
import { connectSecure, visit } from '../tls/test-support/secure-client.ts';
import { closeOrigins, namedOrigin } from './test-support/origins.ts';

let proxy: Proxy | undefined;
const clusters: Cluster[] = [];
const servers: TestServer[] = [];

afterEach(async () => {
  await proxy?.close({ drainTimeoutMs: 0 });
  proxy = undefined;
  for (const cluster of clusters.splice(0)) await cluster.close();
  for (const server of servers.splice(0)) await server.close();
  await closeOrigins();
});

async function start(options: ProxyOptions): Promise<Proxy> {
  proxy = await createProxy(options);
  return proxy;
}

async function clusterOf(name: string, port: number): Promise<Cluster> {
  const cluster = createCluster({ name, discovery: [`127.0.0.1:${port}`] });
  clusters.push(cluster);
  await cluster.ready();
  return cluster;
}

describe.skipIf(openssl === undefined)('other certificates', () => {
  let authority: TestAuthority;
  let first: IssuedCertificate;
  let other: IssuedCertificate;

  beforeAll(async () => {
    authority = await TestAuthority.create();
    first = await authority.issue({ names: ['a.example', '127.0.0.1'] });
    other = await authority.issue({ names: ['a.example', '127.0.0.1'] });
  });
  afterAll(() => authority.dispose());

  const fingerprintOf = ({ pem }: IssuedCertificate): string =>
    new X509Certificate(pem.cert).fingerprint256;
  const secure = (certificate: IssuedCertificate): readonly ListenerOptions[] => [
    {
      listen: '127.0.0.1:0',
      tls: { certificates: [certificate.pem] },
      http: { routes: [{ cluster: 'a' }] },
    },
  ];

  it('are for the next handshake, and no connection hears of it', async () => {
    const a = await namedOrigin('a');
    const options: ProxyOptions = { clusters: [a.cluster], listeners: secure(first) };
    const { addresses, apply } = bound(await start(options));
    const port = addresses[0]!.port;
    const trusting = { ca: authority.cert, servername: 'a.example' };
    const stays = await connectSecure(port, trusting);
    await apply({ ...options, listeners: secure(other) });
    const visited = await visit(port, trusting);
    expect(visited.fingerprint).toBe(fingerprintOf(other));
    stays.write('GET /1 HTTP/1.1\r\nhost: a\r\n\r\n');
    const [answer] = (await once(stays, 'data')) as [Buffer];
    expect(answer.toString()).toContain('200 OK');
    stays.destroy();
  });

  it('that are wrong leave the others in force', async () => {
    const a = await namedOrigin('a');
    const options: ProxyOptions = { clusters: [a.cluster], listeners: secure(first) };
    const { addresses, apply } = bound(await start(options));
    const mixed = { ...other, pem: { cert: other.pem.cert, key: first.pem.key } };
    await expect(apply({ ...options, listeners: secure(mixed) })).rejects.toMatchObject({
      issues: [{ path: 'apply.listeners[0].tls.certificates[0].key', actual: 'another key' }],
    });
    const { fingerprint } = await visit(addresses[0]!.port, {
      ca: authority.cert,
      servername: 'a.example',
    });
    expect(fingerprint).toBe(fingerprintOf(first));
  });

  it('that were given by reloadCertificates last until the next options', async () => {
    const a = await namedOrigin('a');
    const options: ProxyOptions = { clusters: [a.cluster], listeners: secure(first) };
    const running = await start(options);
    const shown = (): string | undefined => running.certificates[0]?.fingerprint;
    await running.reloadCertificates([{ listener: 0, certificates: [other.pem] }]);
    expect(shown()).toBe(fingerprintOf(other));
    await running.reloadCertificates();
    expect(shown()).toBe(fingerprintOf(other));
    await running.apply(options);
    expect(shown()).toBe(fingerprintOf(first));
  });

  it('may take over a port from clear text and give it back', async () => {
    const a = await namedOrigin('a');
    const server = net.createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const listen = `127.0.0.1:${(server.address() as AddressInfo).port}`;
    server.close();
    await once(server, 'close');
    const clear = [{ listen, http: { routes: [{ cluster: 'a' }] } }];
    const secured = secure(first).map((listener) => ({ ...listener, listen }));
    const { addresses, apply } = bound(await start({ clusters: [a.cluster], listeners: clear }));
    const { port } = addresses[0]!;
    const trusting = { ca: authority.cert, servername: 'a.example' };
    const report = await apply({ clusters: [a.cluster], listeners: secured });
    expect(report.listeners).toMatchObject({
      added: [`https ${listen}`],
      removed: [`http ${listen}`],
    });
    expect((await visit(port, trusting)).response).toContain('200 OK');
    await apply({ clusters: [a.cluster], listeners: clear });
    expect((await visit(port, trusting)).failure).toBeDefined();
  });

  it('to trust for endpoints make new connections of what was in clear text', async () => {
    const a = await namedOrigin('a');
    const options: ProxyOptions = {
      clusters: [a.cluster],
      listeners: [{ listen: '127.0.0.1:0', http: { routes: [{ cluster: 'a', retry: false }] } }],
    };
    const running = await start(options);
    const { port } = running.addresses[0]!;
    const client = net.connect(port, '127.0.0.1');
    const ask = async (): Promise<string> => {
      client.write('GET /1 HTTP/1.1\r\nhost: a\r\n\r\n');
      const [bytes] = (await once(client, 'data')) as [Buffer];
      return bytes.toString().slice(9, 12);
    };
    expect(await ask()).toBe('200');
    const upstreams = { a: { tls: { ca: authority.cert } } };
    const { clusters: changed, drained } = await running.apply({ ...options, upstreams });
    expect(changed.changed).toEqual(['a']);
    // The server speaks no TLS.
    expect(await ask()).toBe('502');
    await running.apply(options);
    expect(await ask()).toBe('200');
    await drained;
    client.destroy();
  });
});

/** For destructuring. */
function bound(running: Proxy): Pick<Proxy, 'addresses' | 'apply'> {
  return {
    addresses: running.addresses,
    apply: (options, how) => running.apply(options, how),
  };
}

describe('other options for TCP', () => {
  const greeting = async (text: string): Promise<TestServer> => {
    const server = await tcpServer((socket) => {
      socket.write(text);
      socket.on('data', (bytes) => socket.write(bytes));
      socket.on('end', () => socket.end());
    });
    servers.push(server);
    return server;
  };
  const connect = async (port: number): Promise<{ socket: net.Socket; text: () => string }> => {
    const socket = net.connect(port, '127.0.0.1');
    let text = '';
    socket.on('data', (bytes) => (text += bytes.toString()));
    socket.on('error', () => undefined);
    await once(socket, 'connect');
    return { socket, text: () => text };
  };

  it('are for the next connection; those that there are stay with their cluster', async () => {
    const [a, b] = [await greeting('A'), await greeting('B')];
    const both = [await clusterOf('a', a.port), await clusterOf('b', b.port)];
    const on = (cluster: string): readonly ListenerOptions[] => [
      { listen: '127.0.0.1:0', tcp: { cluster } },
    ];
    const running = await start({ clusters: both, listeners: on('a') });
    const { port } = running.addresses[0]!;
    const old = await connect(port);
    await until(() => old.text() === 'A');
    const { drained, listeners } = await running.apply({ clusters: both, listeners: on('b') });
    expect(listeners.changed).toEqual(['tcp 127.0.0.1:0']);
    const next = await connect(port);
    await until(() => next.text() === 'B');
    old.socket.write('!');
    await until(() => old.text() === 'A!');
    let isDrained = false;
    void drained.then(() => (isDrained = true));
    await until(() => running.stats.tcp.activeCount === 2);
    expect(isDrained).toBe(false);
    old.socket.end();
    await drained;
    expect(running.stats.tcp.activeCount).toBe(1);
    next.socket.destroy();
  });

  it('let connections of a listener that is gone go on, until their time is over', async () => {
    const a = await greeting('A');
    const cluster = await clusterOf('a', a.port);
    const listener: ListenerOptions = { listen: '127.0.0.1:0', tcp: { cluster: 'a' } };
    const http: ListenerOptions = { listen: '127.0.0.1:0', http: { routes: [] } };
    const options: ProxyOptions = { clusters: [cluster], listeners: [listener, http] };
    const running = await start(options);
    const old = await connect(running.addresses[0]!.port);
    await until(() => old.text() === 'A');
    const { drained } = await running.apply(
      { ...options, listeners: [http] },
      { drainTimeoutMs: 200 },
    );
    old.socket.write('!');
    await until(() => old.text() === 'A!');
    await drained;
    await until(() => old.socket.destroyed);
    expect(running.stats.tcp).toMatchObject({ activeCount: 0, counters: { cutOffCount: 1 } });
  });

  it('cut off what goes to an endpoint that leaves a cluster that is not named any more', async () => {
    const [a, b] = [await greeting('A'), await greeting('B')];
    const discovery = changingDiscovery([a.port]);
    const old = createCluster({ name: 'a', discovery, drain: { timeoutMs: 0 } });
    clusters.push(old);
    const other = await clusterOf('b', b.port);
    const on = (cluster: string): readonly ListenerOptions[] => [
      { listen: '127.0.0.1:0', tcp: { cluster } },
    ];
    const running = await start({ clusters: [old, other], listeners: on('a') });
    const client = await connect(running.addresses[0]!.port);
    await until(() => client.text() === 'A');
    await running.apply({ clusters: [other], listeners: on('b') });
    expect(running.stats.tcp.activeCount).toBe(1);
    discovery.deliver([b.port]);
    await until(() => client.socket.destroyed);
    expect(running.stats.tcp).toMatchObject({ activeCount: 0, counters: { cutOffCount: 1 } });
  });
});

describe('other options for UDP', () => {
  const echo = async (name: string): Promise<dgram.Socket> => {
    const socket = dgram.createSocket('udp4');
    socket.on('message', (_, from) => socket.send(name, from.port, from.address));
    socket.bind(0, '127.0.0.1');
    await once(socket, 'listening');
    return socket;
  };

  it('are for the next session', async () => {
    const [a, b] = [await echo('A'), await echo('B')];
    const both = [await clusterOf('a', a.address().port), await clusterOf('b', b.address().port)];
    const on = (cluster: string): readonly ListenerOptions[] => [
      { listen: '127.0.0.1:0', udp: { cluster } },
    ];
    const running = await start({ clusters: both, listeners: on('a') });
    const { port } = running.addresses[0]!;
    const old = dgram.createSocket('udp4');
    const next = dgram.createSocket('udp4');
    const ask = async (socket: dgram.Socket): Promise<string> => {
      socket.send('?', port, '127.0.0.1');
      const [bytes] = (await once(socket, 'message')) as [Buffer];
      return bytes.toString();
    };
    expect(await ask(old)).toBe('A');
    await running.apply({ clusters: both, listeners: on('b') });
    expect(await ask(next)).toBe('B');
    expect(await ask(old)).toBe('A');
    expect(running.stats.udp.activeCount).toBe(2);
    for (const socket of [a, b, old, next]) socket.close();
  });
});
