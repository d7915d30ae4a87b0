/** What a scrape shows after traffic over real sockets. */
import { Registry } from 'prom-client';
import { afterEach, describe, expect, it } from 'vitest';
import { ProxyFixture } from '../../engine/test-support/proxy-fixture.ts';
import { createProxyMetrics } from './proxy-metrics.ts';

let fixture: ProxyFixture | undefined;
afterEach(async () => {
  await fixture?.close();
  fixture = undefined;
});

/** Samples by name and labels. */
function samplesOf(text: string): Map<string, number> {
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  const samples = lines.map((line): [string, number] => {
    const at = line.lastIndexOf(' ');
    return [line.slice(0, at), Number(line.slice(at + 1))];
  });
  expect(new Set(samples.map(([key]) => key)).size).toBe(samples.length);
  return new Map(samples);
}

const OK = 'HTTP/1.1 200 OK\r\ndate: x\r\ncontent-length: 5\r\n\r\nhello';

describe('metrics of a proxy', () => {
  it('show requests, bytes, refusals, retries and connections', async () => {
    let failures = 1;
    fixture = await ProxyFixture.start(
      (connection) => {
        if (!connection.received.endsWith('\r\n\r\n')) return;
        if (failures-- > 0) connection.socket.resetAndDestroy();
        else connection.write(OK);
      },
      {
        origins: 2,
        proxyOf: (cluster) => ({
          clusters: [cluster],
          listeners: [
            {
              listen: '127.0.0.1:0',
              http: {
                routes: [
                  { match: { path: { prefix: '/api/' } }, cluster: 'origin' },
                  { match: { path: { exact: '/ok' } }, respond: { status: 200 }, name: 'health' },
                ],
              },
            },
          ],
        }),
      },
    );
    const metrics = createProxyMetrics({ proxies: [fixture.proxy] });
    const client = await fixture.connect();
    const request = 'GET /api/x HTTP/1.1\r\nhost: a\r\n\r\n';
    client.send(request);
    await client.untilText('hello');
    client.send('GET /ok HTTP/1.1\r\nhost: a\r\n\r\n');
    await client.untilText('content-length: 0');
    client.send('GET /none HTTP/1.1\r\nhost: a\r\n\r\n');
    await client.untilText(' 404 ');
    client.send('nonsense\r\n\r\n');
    await client.untilText(' 400 ');
    const samples = samplesOf(await metrics.registry.metrics());
    const value = (key: string): number | undefined => samples.get(`evenkeel_proxy_${key}`);
    const labels = 'route="/api/*",cluster="origin"';
    expect(value(`requests_total{${labels},code="2xx"}`)).toBe(1);
    expect(value('requests_total{route="health",cluster="",code="2xx"}')).toBe(1);
    expect(value('requests_total{route="",cluster="",code="4xx"}')).toBe(2);
    expect(value(`retries_total{${labels}}`)).toBe(1);
    expect(value(`received_bytes_total{${labels}}`)).toBe(request.length);
    expect(value(`sent_bytes_total{${labels}}`)).toBe(OK.length);
    expect(value(`requests_active{${labels}}`)).toBe(0);
    expect(value(`request_duration_seconds_count{${labels}}`)).toBe(1);
    expect(value(`request_duration_seconds_bucket{${labels},le="+Inf"}`)).toBe(1);
    expect(value('refusals_total{reason="no-route"}')).toBe(1);
    expect(value('refusals_total{reason="bad-request"}')).toBe(1);
    expect(value('upstream_connections{cluster="origin",state="idle"}')).toBe(1);
    expect(value('client_connections_total')).toBe(1);
    expect(
      samplesOf(await metrics.registry.metrics()).get('evenkeel_proxy_upstream_connects_total'),
    ).toBe(2);
    metrics.close();
  });

  it('count a request that is under way, and one whose client leaves', async () => {
    fixture = await ProxyFixture.start(() => undefined);
    const metrics = createProxyMetrics({ proxies: [fixture.proxy], prefix: 'mine' });
    const client = await fixture.connect();
    client.send('GET / HTTP/1.1\r\nhost: a\r\n\r\n');
    await fixture.until(() => fixture?.receivedBy(0).endsWith('\r\n\r\n') === true);
    const labels = 'route="/*",cluster="origin"';
    const before = samplesOf(await metrics.registry.metrics());
    expect(before.get(`mine_proxy_requests_active{${labels}}`)).toBe(1);
    client.socket.resetAndDestroy();
    await fixture.until(() => fixture?.proxy.stats.clientCount === 0);
    const after = samplesOf(await metrics.registry.metrics());
    expect(after.get(`mine_proxy_requests_active{${labels}}`)).toBe(0);
    expect(after.get(`mine_proxy_requests_total{${labels},code="none"}`)).toBe(1);
    metrics.close();
  });

  it('count a tunnel while it is open, and its bytes both ways', async () => {
    fixture = await ProxyFixture.start((connection) => {
      if (connection.received.endsWith('\r\n\r\n'))
        connection.write('HTTP/1.1 101 Go\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n');
      else if (connection.received.endsWith('ping')) connection.write('pong');
    });
    const metrics = createProxyMetrics({ proxies: [fixture.proxy] });
    const client = await fixture.connect();
    const head = 'GET / HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n';
    client.send(head);
    await client.untilText(' 101 ');
    client.send('ping');
    await client.untilText('pong');
    const labels = 'route="/*",cluster="origin"';
    const open = samplesOf(await metrics.registry.metrics());
    expect(open.get(`evenkeel_proxy_requests_active{${labels}}`)).toBe(1);
    // An endpoint that breaks off must not leave the client talking to a parser of HTTP.
    fixture.origins[0]!.connections[0]!.socket.resetAndDestroy();
    await client.untilEnd();
    const closed = samplesOf(await metrics.registry.metrics());
    expect(closed.get(`evenkeel_proxy_requests_active{${labels}}`)).toBe(0);
    expect(closed.get(`evenkeel_proxy_requests_total{${labels},code="1xx"}`)).toBe(1);
    expect(closed.get(`evenkeel_proxy_received_bytes_total{${labels}}`)).toBe(head.length + 4);
    expect(closed.get(`evenkeel_proxy_sent_bytes_total{${labels}}`)).toBe(client.received.length);
    expect(closed.get(`evenkeel_proxy_request_duration_seconds_count{${labels}}`)).toBe(0);
    metrics.close();
  });

  it('have names that Prometheus advises, and leave the registry as they found it', async () => {
    const registry = new Registry();
    const metrics = createProxyMetrics({ registry });
    for (const { name, type, help } of await registry.getMetricsAsJSON()) {
      expect(name).toMatch(/^evenkeel_proxy_[a-z0-9]+(_[a-z0-9]+)*$/);
      expect(help).toMatch(/^[A-Z].*\.$/);
      expect(name.endsWith('_total'), name).toBe(String(type) === 'counter');
    }
    expect(() => createProxyMetrics({ registry })).toThrow('already been registered');
    metrics.close();
    metrics.close();
    expect(registry.getMetricsAsArray()).toEqual([]);
    expect(() => createProxyMetrics({ prefix: '1x' })).toThrow('prefix');
    expect(() => createProxyMetrics({ maxRoutes: 0 })).toThrow('maxRoutes');
  });
});
