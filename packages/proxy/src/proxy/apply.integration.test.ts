/** Other options for a proxy that serves, over real sockets. */
import { once } from 'node:events';
import net, { type AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import type { ListenerOptions, ProxyOptions } from '../index.ts';
import { until } from '../tcp/test-support/tcp-fixture.ts';
import { ANY, Applying, freePort, get, http, isRefused } from './test-support/applying.ts';
import { namedOrigin } from './test-support/origins.ts';

const test = new Applying();
afterEach(() => test.close());

describe('other routes', () => {
  it('are for the next request of a connection that stays', async () => {
    const [a, b] = [await namedOrigin('a'), await namedOrigin('b')];
    const options = await test.start([a, b]);
    const client = await test.connect();
    await client.send(get('/1')).untilText('a/1');
    const report = await test.proxy.apply({ ...options, listeners: [http('b')] });
    await client.send(get('/2')).untilText('b/2');
    expect(report).toMatchObject({
      generation: 2,
      listeners: { added: [], changed: [`http ${ANY}`], kept: [], removed: [] },
      routes: { changed: [`http ${ANY} /*`] },
      clusters: { kept: ['a', 'b'] },
      settings: [],
    });
    expect(test.proxy.stats.counters.acceptedCount).toBe(1);
  });

  it('leave requests under way where they are, and those that come after them on the connection, not', async () => {
    const [a, b] = [await namedOrigin('a'), await namedOrigin('b')];
    const options = await test.start([a, b]);
    a.hold();
    const client = await test.connect();
    client.send(get('/1'));
    await until(() => a.origin.connections[0]?.received.includes('/1') === true);
    const { drained } = await test.proxy.apply({ ...options, listeners: [http('b')] });
    client.send(get('/2'));
    let isDrained = false;
    void drained.then(() => (isDrained = true));
    expect(test.connectionsTo('a')).toBe(1);
    a.release();
    await client.untilText('b/2');
    expect(client.received.indexOf('a/1')).toBeLessThan(client.received.indexOf('b/2'));
    await drained;
    expect(isDrained).toBe(true);
    expect(test.connectionsTo('a')).toBe(0);
  });

  it('keep the pools of clusters that they go on naming', async () => {
    const a = await namedOrigin('a');
    const options = await test.start([a]);
    const client = await test.connect();
    await client.send(get('/1')).untilText('a/1');
    const listeners = [{ listen: ANY, http: { routes: [{ name: 'other', cluster: 'a' }] } }];
    await (
      await test.proxy.apply({ ...options, listeners })
    ).drained;
    await client.send(get('/2')).untilText('a/2');
    expect(a.origin.connections).toHaveLength(1);
    expect(test.proxy.stats.counters.connectCount).toBe(1);
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
    const options = await test.start([a], { listeners: on(route('x', '/x'), route('y', '/y')) });
    const client = await test.connect();
    await client.send(get('/x')).untilText('a/x');
    await client.send(get('/y')).untilText('a/y');
    await test.proxy.apply({ ...options, listeners: on(route('x', '/z'), route('w', '/w')) });
    await client.send(get('/z')).untilText('a/z');
    const counts = test.proxy.stats.routes.map((meter) => [meter.route, meter.statusCounts[2]]);
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
    const options = await test.start([a], {
      listeners: [http('a'), http('a', `127.0.0.1:${free}`)],
    });
    const stays = await test.connect();
    const idle = await test.connect(free);
    const late = await test.connect(free);
    const busy = await test.connect(free);
    await stays.send(get('/0')).untilText('a/0');
    await idle.send(get('/0')).untilText('a/0');
    await late.send(get('/0')).untilText('a/0');
    a.hold();
    busy.send(get('/1'));
    await until(() => a.origin.connections.some(({ received }) => received.includes('/1')));
    const [before] = test.proxy.addresses;
    const other = await freePort();
    const listeners = [http('a', `127.0.0.1:${other}`), http('a')];
    const report = await test.proxy.apply({ ...options, listeners }, { drainTimeoutMs: 1_000 });
    expect(report.listeners).toEqual({
      added: [`http 127.0.0.1:${other}`],
      changed: [],
      kept: [`http ${ANY}`],
      removed: [`http 127.0.0.1:${free}`],
    });
    expect(test.proxy.addresses).toEqual([{ host: '127.0.0.1', port: other }, before]);
    expect(await isRefused(free)).toBe(true);
    a.release();
    // It had not heard of it.
    await late.send(get('/late')).untilText('a/late');
    expect(late.received).toContain('connection: close');
    await late.untilEnd();
    await idle.untilEnd();
    await busy.untilEnd();
    expect(busy.received).toMatch(/connection: close[^]*a\/1$/);
    await report.drained;
    await stays.send(get('/2')).untilText('a/2');
    expect(await test.answerAt(other)).toContain('a/');
  });

  it('are cut off when their time is over', async () => {
    const a = await namedOrigin('a');
    const free = await freePort();
    const options = await test.start([a], {
      listeners: [http('a'), http('a', `127.0.0.1:${free}`)],
    });
    a.hold();
    const client = await test.connect(free);
    client.send(get('/1'));
    await until(() => a.origin.connections[0]?.received.includes('/1') === true);
    const { drained } = await test.proxy.apply(
      { ...options, listeners: [http('a')] },
      { drainTimeoutMs: 50 },
    );
    await client.untilEnd();
    await drained;
    expect(client.received).toBe('');
    expect(test.proxy.stats.clientCount).toBe(0);
  });

  it('may take over the port of one of another kind', async () => {
    const a = await namedOrigin('a');
    const listen = `127.0.0.1:${await freePort()}`;
    const options = await test.start([a], { listeners: [http('a', listen)] });
    const port = test.portOf();
    const client = await test.connect(port);
    await client.send(get('/1')).untilText('a/1');
    const listeners: readonly ListenerOptions[] = [{ listen, tcp: { cluster: 'a' } }];
    const report = await test.proxy.apply({ ...options, listeners }, { drainTimeoutMs: 200 });
    expect(report.listeners).toMatchObject({
      added: [`tcp ${listen}`],
      removed: [`http ${listen}`],
    });
    await client.untilEnd();
    expect(await test.answerAt(port, '/2')).toContain('a/2');
    expect(test.proxy.stats.tcp.counters.acceptedCount).toBe(1);
    const back = await test.proxy.apply(options, { drainTimeoutMs: 200 });
    await back.drained;
    expect(await test.answerAt(port, '/3')).toContain('a/3');
    expect(test.proxy.stats.tcp.counters.acceptedCount).toBe(1);
  });

  it('give back the port when another one cannot be had', async () => {
    const a = await namedOrigin('a');
    const foreign = net.createServer().listen(0, '127.0.0.2');
    await once(foreign, 'listening');
    const { port } = foreign.address() as AddressInfo;
    const options = await test.start([a], { listeners: [http('a', `127.0.0.1:${port}`)] });
    // Free for us as soon as ours is closed, but for the stranger.
    const listeners = [http('a', `0.0.0.0:${port}`)];
    await expect(test.proxy.apply({ ...options, listeners })).rejects.toThrow(
      /^apply\.listeners\[0\]\.listen: expected an address that can be listened on, got .*EADDRINUSE/,
    );
    expect(await test.answerAt(port, '/1')).toContain('a/1');
    foreign.close();
    await once(foreign, 'close');
    await test.proxy.apply({ ...options, listeners });
    expect(await test.answerAt(port, '/2')).toContain('a/2');
  });
});

describe('other settings', () => {
  it('are those of connections that are there already', async () => {
    const a = await namedOrigin('a');
    const options = await test.start([a]);
    const client = await test.connect();
    await client.send(get('/1')).untilText('a/1');
    const { settings } = await test.proxy.apply({
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
    const idle = await test.connect();
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
    const options = await test.start([a], { accessLog: logTo('one') });
    a.hold();
    const client = await test.connect();
    client.send(get('/1'));
    await until(() => a.origin.connections[0]?.received.includes('/1') === true);
    const { drained } = await test.proxy.apply({ ...options, accessLog: logTo('two') });
    client.send(get('/2'));
    a.release();
    await client.untilText('a/2');
    await drained;
    expect(lines.one).toBe('one /1\n');
    await test.proxy.apply(options);
    await until(() => lines.two === 'two /2\n');
  });

  it('limit the connections of pools that stay', async () => {
    const a = await namedOrigin('a');
    const options = await test.start([a], { limits: { maxConnectionsPerEndpoint: 1 } });
    a.hold();
    const [one, two] = [await test.connect(), await test.connect()];
    one.send(get('/1'));
    await until(() => a.origin.connections.length === 1);
    await test.proxy.apply({ ...options, limits: { maxConnectionsPerEndpoint: 2 } });
    two.send(get('/2'));
    await until(() => a.origin.connections.length === 2);
    await test.proxy.apply({
      ...options,
      limits: { maxConnectionsPerEndpoint: 2, maxPendingPerEndpoint: 0 },
    });
    const three = await test.connect();
    await three.send(get('/3')).untilText('503');
    a.release();
    await one.untilText('a/1');
    await two.untilText('a/2');
  });
});

describe('another cluster of the same name', () => {
  it('gets the next requests, and the old one finishes what it has', async () => {
    const [old, other] = [await namedOrigin('a'), await namedOrigin('a')];
    const options = await test.start([old]);
    old.hold();
    const client = await test.connect();
    client.send(get('/1'));
    await until(() => old.origin.connections[0]?.received.includes('/1') === true);
    const report = await test.proxy.apply({ ...options, clusters: [other.cluster] });
    expect(report.clusters.changed).toEqual(['a']);
    const second = await test.connect();
    await second.send(get('/2')).untilText('a/2');
    expect(other.origin.connections).toHaveLength(1);
    old.release();
    await client.untilText('a/1');
    await report.drained;
    // Nothing is left of it.
    await until(() => old.origin.connections.every(({ socket }) => socket.destroyed));
    expect(test.connectionsTo('a')).toBe(1);
  });
});
