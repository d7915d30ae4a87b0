/** Other options for a proxy that serves, over real sockets. */
import { once } from 'node:events';
import net, { type AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { RawClient } from '../engine/test-support/raw-client.ts';
import { createProxy, type ListenerOptions, type Proxy, type ProxyOptions } from '../index.ts';
import { until } from '../tcp/test-support/tcp-fixture.ts';
import { closeOrigins, type NamedOrigin, namedOrigin } from './test-support/origins.ts';

let proxy: Proxy;
const clients: RawClient[] = [];

afterEach(async () => {
  for (const client of clients.splice(0)) client.destroy();
  await proxy.close({ drainTimeoutMs: 0 });
  await closeOrigins();
});

const ANY = '127.0.0.1:0';
const get = (path = '/'): string => `GET ${path} HTTP/1.1\r\nhost: a\r\n\r\n`;
const all = (cluster: string): ListenerOptions['http'] => ({ routes: [{ cluster }] });
const http = (cluster: string, listen = ANY): ListenerOptions => ({ listen, http: all(cluster) });
const portOf = (at = 0): number => proxy.addresses[at]!.port;

async function start(
  origins: readonly NamedOrigin[],
  options: Partial<ProxyOptions> = {},
): Promise<ProxyOptions> {
  const made: ProxyOptions = {
    clusters: origins.map(({ cluster }) => cluster),
    listeners: [http(origins[0]!.cluster.name)],
    ...options,
  };
  proxy = await createProxy(made);
  return made;
}

async function connect(port = portOf()): Promise<RawClient> {
  const client = new RawClient(port);
  clients.push(client);
  return client.connected();
}

/** One request and its answer, over a connection of its own. */
async function answerAt(port: number, path = '/'): Promise<string> {
  const client = await connect(port);
  client.send(`GET ${path} HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n`);
  await client.until(({ received }) => /\r\n\r\n./.test(received), 'an answer');
  return client.received;
}

async function isRefused(port: number): Promise<boolean> {
  const socket = net.connect(port, '127.0.0.1');
  return new Promise((resolve) => {
    socket.on('connect', () => {
      socket.destroy();
      resolve(false);
    });
    socket.on('error', () => resolve(true));
  });
}

/** Of the proxy's, in the names of clusters. */
const connectionsTo = (cluster: string): number =>
  proxy.stats.upstreams
    .filter((upstream) => upstream.cluster === cluster)
    .reduce((sum, { connectionCount }) => sum + connectionCount, 0);

describe('other routes', () => {
  it('are for the next request of a connection that stays', async () => {
    const [a, b] = [await namedOrigin('a'), await namedOrigin('b')];
    const options = await start([a, b]);
    const client = await connect();
    await client.send(get('/1')).untilText('a/1');
    const report = await proxy.apply({ ...options, listeners: [http('b')] });
    await client.send(get('/2')).untilText('b/2');
    expect(report).toMatchObject({
      generation: 2,
      listeners: { added: [], changed: [`http ${ANY}`], kept: [], removed: [] },
      routes: { changed: [`http ${ANY} /*`] },
      clusters: { kept: ['a', 'b'] },
      settings: [],
    });
    expect(proxy.stats.counters.acceptedCount).toBe(1);
  });

  it('leave requests under way where they are, and those that come after them on the connection, not', async () => {
    const [a, b] = [await namedOrigin('a'), await namedOrigin('b')];
    const options = await start([a, b]);
    a.hold();
    const client = await connect();
    client.send(get('/1'));
    await until(() => a.origin.connections[0]?.received.includes('/1') === true);
    const { drained } = await proxy.apply({ ...options, listeners: [http('b')] });
    client.send(get('/2'));
    let isDrained = false;
    void drained.then(() => (isDrained = true));
    expect(connectionsTo('a')).toBe(1);
    a.release();
    await client.untilText('b/2');
    expect(client.received.indexOf('a/1')).toBeLessThan(client.received.indexOf('b/2'));
    await drained;
    expect(isDrained).toBe(true);
    expect(connectionsTo('a')).toBe(0);
  });

  it('keep the pools of clusters that they go on naming', async () => {
    const a = await namedOrigin('a');
    const options = await start([a]);
    const client = await connect();
    await client.send(get('/1')).untilText('a/1');
    const listeners = [{ listen: ANY, http: { routes: [{ name: 'other', cluster: 'a' }] } }];
    await (
      await proxy.apply({ ...options, listeners })
    ).drained;
    await client.send(get('/2')).untilText('a/2');
    expect(a.origin.connections).toHaveLength(1);
    expect(proxy.stats.counters.connectCount).toBe(1);
  });

  it('keep their meters, and lose those of routes that are gone', async () => {
    const a = await namedOrigin('a');
    const route = (name: string, exact: string) => ({
      name,
      match: { path: { exact } },
      cluster: 'a',
    });
    const on = (...routes: ReturnType<typeof route>[]): readonly ListenerOptions[] => [
      { listen: ANY, http: { routes } },
    ];
    const options = await start([a], { listeners: on(route('x', '/x'), route('y', '/y')) });
    const client = await connect();
    await client.send(get('/x')).untilText('a/x');
    await client.send(get('/y')).untilText('a/y');
    await proxy.apply({ ...options, listeners: on(route('x', '/z'), route('w', '/w')) });
    await client.send(get('/z')).untilText('a/z');
    const counts = proxy.stats.routes.map((meter) => [meter.route, meter.statusCounts[2]]);
    expect(counts).toEqual([
      ['', 0],
      ['x', 2],
      ['w', 0],
    ]);
  });
});

describe('other listeners', () => {
  it('are added and removed, while those that stay keep their connections', async () => {
    const a = await namedOrigin('a');
    const free = await freePort();
    const options = await start([a], { listeners: [http('a'), http('a', `127.0.0.1:${free}`)] });
    const stays = await connect();
    const idle = await connect(free);
    const busy = await connect(free);
    await stays.send(get('/0')).untilText('a/0');
    await idle.send(get('/0')).untilText('a/0');
    a.hold();
    busy.send(get('/1'));
    await until(() => a.origin.connections.some(({ received }) => received.includes('/1')));
    const [before] = proxy.addresses;
    const other = await freePort();
    const listeners = [http('a', `127.0.0.1:${other}`), http('a')];
    const report = await proxy.apply({ ...options, listeners });
    expect(report.listeners).toEqual({
      added: [`http 127.0.0.1:${other}`],
      changed: [],
      kept: [`http ${ANY}`],
      removed: [`http 127.0.0.1:${free}`],
    });
    expect(proxy.addresses).toEqual([{ host: '127.0.0.1', port: other }, before]);
    expect(await isRefused(free)).toBe(true);
    await idle.untilEnd();
    a.release();
    await busy.untilEnd();
    expect(busy.received).toMatch(/connection: close[^]*a\/1$/);
    await report.drained;
    await stays.send(get('/2')).untilText('a/2');
    expect(await answerAt(other)).toContain('a/');
  });

  it('are cut off when their time is over', async () => {
    const a = await namedOrigin('a');
    const free = await freePort();
    const options = await start([a], { listeners: [http('a'), http('a', `127.0.0.1:${free}`)] });
    a.hold();
    const client = await connect(free);
    client.send(get('/1'));
    await until(() => a.origin.connections[0]?.received.includes('/1') === true);
    const { drained } = await proxy.apply(
      { ...options, listeners: [http('a')] },
      { drainTimeoutMs: 50 },
    );
    await client.untilEnd();
    await drained;
    expect(client.received).toBe('');
    expect(proxy.stats.clientCount).toBe(0);
  });

  it('may take over the port of one of another kind', async () => {
    const a = await namedOrigin('a');
    const listen = `127.0.0.1:${await freePort()}`;
    const options = await start([a], { listeners: [http('a', listen)] });
    const port = portOf();
    const client = await connect(port);
    await client.send(get('/1')).untilText('a/1');
    const listeners: readonly ListenerOptions[] = [{ listen, tcp: { cluster: 'a' } }];
    const report = await proxy.apply({ ...options, listeners });
    expect(report.listeners).toMatchObject({
      added: [`tcp ${listen}`],
      removed: [`http ${listen}`],
    });
    await client.untilEnd();
    expect(await answerAt(port, '/2')).toContain('a/2');
    expect(proxy.stats.tcp.counters.acceptedCount).toBe(1);
    await (
      await proxy.apply(options)
    ).drained;
    expect(await answerAt(port, '/3')).toContain('a/3');
    expect(proxy.stats.tcp.counters.acceptedCount).toBe(1);
  });

  it('give back the port when another one cannot be had', async () => {
    const a = await namedOrigin('a');
    const foreign = net.createServer().listen(0, '127.0.0.2');
    await once(foreign, 'listening');
    const { port } = foreign.address() as AddressInfo;
    const options = await start([a], { listeners: [http('a', `127.0.0.1:${port}`)] });
    // Free for us as soon as ours is closed, but for the stranger.
    const listeners = [http('a', `0.0.0.0:${port}`)];
    await expect(proxy.apply({ ...options, listeners })).rejects.toThrow(
      /^apply\.listeners\[0\]\.listen: expected an address that can be listened on, got .*EADDRINUSE/,
    );
    expect(await answerAt(port, '/1')).toContain('a/1');
    foreign.close();
    await once(foreign, 'close');
    await proxy.apply({ ...options, listeners });
    expect(await answerAt(port, '/2')).toContain('a/2');
  });
});

describe('other settings', () => {
  it('are those of connections that are there already', async () => {
    const a = await namedOrigin('a');
    const options = await start([a]);
    const client = await connect();
    await client.send(get('/1')).untilText('a/1');
    const { settings } = await proxy.apply({
      ...options,
      limits: { maxTargetBytes: 16 },
      timeouts: { keepAliveMs: 300 },
      via: 'other',
      requestId: true,
    });
    expect([...settings].sort()).toEqual(['limits', 'requestId', 'timeouts', 'via']);
    a.hold();
    client.send(get('/2'));
    const [connection] = a.origin.connections;
    await until(() => connection?.received.includes('/2') === true);
    expect(connection?.received).toContain('\r\nvia: 1.1 other\r\n');
    expect(connection?.received).toMatch(/\r\nx-request-id: [0-9a-f]{32}\r\n/);
    a.release();
    await client.untilText('a/2');
    client.send(get(`/${'x'.repeat(20)}`));
    await client.untilText('414');
    const idle = await connect();
    await idle.send(get('/3')).untilText('a/3');
    await idle.untilEnd();
  });

  it('write the lines of a request to the log that it began with', async () => {
    const a = await namedOrigin('a');
    const lines: Record<'one' | 'two', string> = { one: '', two: '' };
    const logTo = (name: 'one' | 'two'): ProxyOptions['accessLog'] => ({
      format: `${name} %{path}`,
      write: (text) => (lines[name] += text),
    });
    const options = await start([a], { accessLog: logTo('one') });
    a.hold();
    const client = await connect();
    client.send(get('/1'));
    await until(() => a.origin.connections[0]?.received.includes('/1') === true);
    const { drained } = await proxy.apply({ ...options, accessLog: logTo('two') });
    client.send(get('/2'));
    a.release();
    await client.untilText('a/2');
    await drained;
    expect(lines.one).toBe('one /1\n');
    await proxy.apply(options);
    await until(() => lines.two === 'two /2\n');
  });

  it('limit the connections of pools that stay', async () => {
    const a = await namedOrigin('a');
    const options = await start([a], { limits: { maxConnectionsPerEndpoint: 1 } });
    a.hold();
    const [one, two] = [await connect(), await connect()];
    one.send(get('/1'));
    await until(() => a.origin.connections.length === 1);
    await proxy.apply({ ...options, limits: { maxConnectionsPerEndpoint: 2 } });
    two.send(get('/2'));
    await until(() => a.origin.connections.length === 2);
    await proxy.apply({
      ...options,
      limits: { maxConnectionsPerEndpoint: 2, maxPendingPerEndpoint: 0 },
    });
    const three = await connect();
    await three.send(get('/3')).untilText('503');
    a.release();
    await one.untilText('a/1');
    await two.untilText('a/2');
  });
});

describe('another cluster of the same name', () => {
  it('gets the next requests, and the old one finishes what it has', async () => {
    const [old, other] = [await namedOrigin('a'), await namedOrigin('a')];
    const options = await start([old]);
    old.hold();
    const client = await connect();
    client.send(get('/1'));
    await until(() => old.origin.connections[0]?.received.includes('/1') === true);
    const report = await proxy.apply({ ...options, clusters: [other.cluster] });
    expect(report.clusters.changed).toEqual(['a']);
    const second = await connect();
    await second.send(get('/2')).untilText('a/2');
    expect(other.origin.connections).toHaveLength(1);
    old.release();
    await client.untilText('a/1');
    await report.drained;
    // Nothing is left of it.
    await until(() => old.origin.connections.every(({ socket }) => socket.destroyed));
    expect(connectionsTo('a')).toBe(1);
  });
});

describe('a change that is refused', () => {
  it.each<[string, (options: ProxyOptions) => unknown, string]>([
    ['a wrong option', (options) => ({ ...options, via: 'a b' }), 'apply.via'],
    [
      'an unknown cluster',
      (options) => ({ ...options, listeners: [http('nobody')] }),
      'apply.listeners[0].http.routes[0].cluster',
    ],
    [
      'a certificate that is not there',
      (options) => ({
        ...options,
        listeners: [
          http('a'),
          { ...http('a'), tls: { certificates: [{ certFile: '/no/c', keyFile: '/no/k' }] } },
        ],
      }),
      'apply.listeners[1].tls.certificates[0].certFile',
    ],
    [
      'one address twice',
      (options) => ({ ...options, listeners: [http('a', 'a:1'), http('a', 'a:1')] }),
      'apply.listeners[1].listen',
    ],
    [
      'an address of another machine',
      (options) => ({ ...options, listeners: [http('a'), http('a', '192.0.2.1:80')] }),
      'apply.listeners[1].listen',
    ],
  ])('because of %s changes nothing', async (_, optionsOf, path) => {
    const a = await namedOrigin('a');
    const options = await start([a]);
    const client = await connect();
    await client.send(get('/1')).untilText('a/1');
    const refused = proxy.apply(optionsOf(options) as ProxyOptions);
    await expect(refused).rejects.toMatchObject({
      code: 'EVENKEEL_CONFIG',
      issues: expect.arrayContaining([expect.objectContaining({ path })]),
    });
    await client.send(get('/2')).untilText('a/2');
    expect(await answerAt(portOf(), '/3')).toContain('a/3');
    expect((await proxy.apply(options)).generation).toBe(2);
  });

  it('because of one port opens none of the others', async () => {
    const a = await namedOrigin('a');
    const options = await start([a]);
    const foreign = net.createServer().listen(0, '127.0.0.1');
    await once(foreign, 'listening');
    const taken = (foreign.address() as AddressInfo).port;
    const free = await freePort();
    const listeners = [http('a'), http('a', `127.0.0.1:${free}`), http('a', `127.0.0.1:${taken}`)];
    await expect(proxy.apply({ ...options, listeners })).rejects.toThrow('listeners[2].listen');
    expect(await isRefused(free)).toBe(true);
    foreign.close();
    await once(foreign, 'close');
    await proxy.apply({ ...options, listeners });
    expect(await answerAt(free)).toContain('a/');
  });

  it('says what its options are called where they come from', async () => {
    const a = await namedOrigin('a');
    const options = await start([a]);
    const refused = proxy.apply({ ...options, requestId: 7 as never }, { path: '' });
    await expect(refused).rejects.toThrow(/^requestId: expected/);
  });
});

describe('changes at a time', () => {
  it('are made one after the other, and the last one stays', async () => {
    const [a, b] = [await namedOrigin('a'), await namedOrigin('b')];
    const options = await start([a, b]);
    const names = ['b', 'a', 'b', 'a', 'b'];
    const reports = await Promise.all(
      names.map((name) => proxy.apply({ ...options, listeners: [http(name)] })),
    );
    expect(reports.map(({ generation }) => generation)).toEqual([2, 3, 4, 5, 6]);
    expect(await answerAt(portOf())).toContain('b/');
  });

  it('go on after one that was refused', async () => {
    const [a, b] = [await namedOrigin('a'), await namedOrigin('b')];
    const options = await start([a, b]);
    const refused = proxy.apply({ ...options, listeners: [] });
    const applied = proxy.apply({ ...options, listeners: [http('b')] });
    await expect(refused).rejects.toThrow('apply.listeners: expected at least one listener');
    await applied;
    expect(await answerAt(portOf())).toContain('b/');
  });

  it('are refused while the proxy closes, and leave no port open', async () => {
    const a = await namedOrigin('a');
    const options = await start([a]);
    const free = await freePort();
    const listeners = [http('a'), http('a', `127.0.0.1:${free}`)];
    const before = proxy.apply({ ...options, listeners });
    const closing = proxy.close();
    const after = proxy.apply(options);
    await expect(before).rejects.toMatchObject({ code: 'EVENKEEL_CLOSED' });
    await expect(after).rejects.toMatchObject({ code: 'EVENKEEL_CLOSED' });
    await closing;
    expect(await isRefused(free)).toBe(true);
  });
});

async function freePort(): Promise<number> {
  const server = net.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
