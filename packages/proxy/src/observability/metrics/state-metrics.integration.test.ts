/** What a scrape shows of TCP, UDP, HTTP/2, filters, certificates and the file of a proxy. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import http2 from 'node:http2';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createCluster } from '@evenkeel/core';
import { afterEach, describe, expect, it } from 'vitest';
import { ProxyFixture } from '../../engine/test-support/proxy-fixture.ts';
import { RawClient } from '../../engine/test-support/raw-client.ts';
import { answering, OK } from '../../engine/test-support/scripted-origin.ts';
import { openProxyFile } from '../../index.ts';
import { openssl, TestAuthority } from '../../tls/test-support/authority.ts';
import { createProxyMetrics, type ProxyMetrics } from './index.ts';

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close();
});

async function scrape(metrics: ProxyMetrics): Promise<(key: string) => number | undefined> {
  const text = await metrics.registry.metrics();
  const samples = text.split('\n').map((line) => line.split(/ (?=[^ ]*$)/));
  return (key) => {
    const found = samples.find(([name]) => name === `evenkeel_proxy_${key}`);
    return found && Number(found[1]);
  };
}

describe('metrics of a proxy', () => {
  it('show TCP connections with their bytes, limits and failures', async () => {
    const fixture = await ProxyFixture.start((connection) => connection.write('pong'), {
      proxyOf: (cluster) => ({
        clusters: [cluster, createCluster({ name: 'empty', discovery: [] })],
        listeners: [
          { listen: '127.0.0.1:0', tcp: { cluster: 'origin' }, perClient: { maxConnections: 1 } },
          { listen: '127.0.0.1:0', tcp: { cluster: 'empty' } },
        ],
      }),
    });
    closing.push(() => fixture.close());
    const metrics = createProxyMetrics({ proxies: [fixture.proxy] });
    const client = await fixture.connect();
    await client.send('ping!').untilText('pong');
    await new RawClient(fixture.port).until(({ closed }) => closed);
    await new RawClient(fixture.proxy.addresses[1]!.port).until(({ closed }) => closed);
    await fixture.until(() => fixture.proxy.stats.tcp.activeCount === 1);
    const value = await scrape(metrics);
    expect(value('tcp_connections')).toBe(1);
    expect(value('tcp_connections_total')).toBe(fixture.proxy.stats.tcp.counters.acceptedCount);
    expect(value('tcp_connections_refused_total{limit="client"}')).toBe(1);
    expect(value('tcp_connections_refused_total{limit="listener"}')).toBe(0);
    expect(value('tcp_failures_total{reason="no-endpoint"}')).toBe(1);
    expect(value('tcp_connects_total')).toBe(1);
    expect(value('tcp_bytes_total{from="client"}')).toBe(5);
    expect(value('tcp_bytes_total{from="endpoint"}')).toBe(4);
    client.destroy();
    await fixture.until(() => fixture.proxy.stats.tcp.activeCount === 0);
    expect((await scrape(metrics))('tcp_connections')).toBe(0);
  });

  it('show UDP sessions with their datagrams', async () => {
    const echo = createSocket('udp4');
    echo.on('message', (bytes, { port, address }) => echo.send(bytes, port, address));
    echo.bind(0, '127.0.0.1');
    await once(echo, 'listening');
    closing.push(() => echo.close());
    const fixture = await ProxyFixture.start(() => undefined, {
      cluster: { discovery: [`127.0.0.1:${echo.address().port}`] },
      proxy: { listeners: [{ listen: '127.0.0.1:0', udp: { cluster: 'origin' } }] },
    });
    closing.push(() => fixture.close());
    const metrics = createProxyMetrics({ proxies: [fixture.proxy] });
    const client = createSocket('udp4');
    closing.push(() => client.close());
    const answer = once(client, 'message');
    client.send('hello', fixture.port, '127.0.0.1');
    await answer;
    const value = await scrape(metrics);
    expect(value('udp_sessions')).toBe(1);
    expect(value('udp_sessions_total')).toBe(1);
    for (const from of ['client', 'endpoint']) {
      expect(value(`udp_datagrams_total{from="${from}"}`)).toBe(1);
      expect(value(`udp_bytes_total{from="${from}"}`)).toBe(5);
    }
    expect(value('udp_drops_total{reason="no-endpoint"}')).toBe(0);
    expect(value('udp_sessions_ended_total{reason="expired"}')).toBe(0);
  });

  it('show HTTP/2, answers of filters, and whether the proxy drains', async () => {
    const fixture = await ProxyFixture.start(answering(OK), {
      proxy: {
        listeners: [
          {
            listen: '127.0.0.1:0',
            http: {
              routes: [
                { cluster: 'origin' },
                {
                  match: { path: { exact: '/closed' } },
                  cluster: 'origin',
                  filters: [{ ipAccess: { deny: ['127.0.0.0/8'] } }],
                },
              ],
            },
          },
        ],
      },
    });
    closing.push(() => fixture.close());
    const metrics = createProxyMetrics({ proxies: [fixture.proxy] });
    const session = http2.connect(`http://127.0.0.1:${fixture.port}`);
    session.on('error', () => undefined);
    closing.push(() => session.destroy());
    for (const path of ['/', '/closed']) {
      const stream = session.request({ ':path': path });
      stream.resume();
      await once(stream, 'end');
    }
    const value = await scrape(metrics);
    expect(value('http2_connections{side="downstream"}')).toBe(1);
    expect(value('http2_streams_total{side="downstream"}')).toBe(2);
    expect(value('http2_connections{side="upstream"}')).toBe(0);
    const [word] = [...fixture.proxy.stats.counters.filterAnswers.keys()];
    expect(value(`filter_answers_total{reason="${word}"}`)).toBe(1);
    expect(value('draining')).toBe(0);
    fixture.proxy.drain();
    expect((await scrape(metrics))('draining')).toBe(1);
  });

  it.skipIf(openssl === undefined)('show when certificates end', async () => {
    const authority = await TestAuthority.create();
    closing.push(() => authority.dispose());
    const { files } = await authority.issue({ names: ['a.example', 'b.example'] });
    const fixture = await ProxyFixture.start(answering(OK), {
      proxy: {
        listeners: [
          {
            listen: '127.0.0.1:0',
            tls: { certificates: [files] },
            http: { routes: [{ cluster: 'origin' }] },
          },
        ],
      },
    });
    closing.push(() => fixture.close());
    const value = await scrape(createProxyMetrics({ proxies: [fixture.proxy] }));
    const [certificate] = fixture.proxy.certificates;
    const key = `tls_certificate_expiry_timestamp_seconds{name="${certificate!.names[0]}"}`;
    expect(value(key)).toBe(certificate!.validTo.getTime() / 1_000);
  });

  it('show certificates that end soonest, and no more than a bounded number', async () => {
    const certificates = Array.from({ length: 300 }, (_, at) => ({
      names: [`${at % 250}.example`],
      validTo: new Date(1_000 * (1_000 - at)),
    }));
    const fixture = await ProxyFixture.start(answering(OK));
    closing.push(() => fixture.close());
    const { stats } = fixture.proxy;
    const metrics = createProxyMetrics({ proxies: [{ stats, certificates }] });
    const text = await metrics.registry.metrics();
    expect(text.match(/^evenkeel_proxy_tls_certificate.*{/gm)).toHaveLength(200);
    // The 299th has the name of the 49th, and ends before all others.
    const value = await scrape(metrics);
    expect(value('tls_certificate_expiry_timestamp_seconds{name="49.example"}')).toBe(701);
  });

  it('show the file of a proxy: how often it was applied, and whether it is right', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'evenkeel-metrics-'));
    closing.push(() => rm(folder, { recursive: true, force: true }));
    const path = join(folder, 'proxy.yaml');
    const text = `
clusters: { web: { discovery: ['127.0.0.1:9'] } }
listeners: [{ listen: '127.0.0.1:0', http: { routes: [{ cluster: web }] } }]
`;
    await writeFile(path, text);
    const file = await openProxyFile({ path, watch: false });
    closing.push(() => file.close({ drainTimeoutMs: 0 }));
    const metrics = createProxyMetrics({ files: [file] });
    const label = `{file="${path}"}`;
    const first = await scrape(metrics);
    expect(first(`config_generation${label}`)).toBe(1);
    expect(first(`config_last_reload_successful${label}`)).toBe(1);
    expect(first(`config_applied_timestamp_seconds${label}`)).toBe(file.status.appliedAtMs / 1_000);
    expect(first('client_connections')).toBe(0);
    await writeFile(path, `${text}nonsense: 1\n`);
    await expect(file.reload()).rejects.toThrow('nonsense');
    const second = await scrape(metrics);
    expect(second(`config_last_reload_successful${label}`)).toBe(0);
    expect(second(`config_generation${label}`)).toBe(1);
    metrics.remove(file);
    expect((await scrape(metrics))(`config_generation${label}`)).toBeUndefined();
  });
});
