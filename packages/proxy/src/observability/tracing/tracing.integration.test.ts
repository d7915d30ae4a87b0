/** Spans of requests over real sockets, recorded by the SDK of OpenTelemetry. */
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import http2 from 'node:http2';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SpanKind, SpanStatusCode } from '@opentelemetry/api';
import {
  AlwaysOffSampler,
  BasicTracerProvider,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-base';
import { afterEach, describe, expect, it } from 'vitest';
import { ProxyFixture } from '../../engine/test-support/proxy-fixture.ts';
import { openProxyFile } from '../../index.ts';
import { openTelemetry } from './index.ts';
import {
  ask,
  BROKEN,
  end,
  exporter,
  kindOf,
  OK,
  PARENT,
  SPAN,
  spans,
  start,
  told,
  TRACE,
  tracerProvider,
  world,
} from './test-support/traced-proxy.ts';

afterEach(end);

describe('spans', () => {
  it('are one for the request, and one below it for the try, which the endpoint is told of', async () => {
    await start({ proxy: { requestId: true, trustedProxies: ['127.0.0.1'] } });
    await ask(`x-request-id: abc\r\n${PARENT}tracestate: vendor=1\r\n`);
    const all = await spans(2);
    const [server] = kindOf(all, SpanKind.SERVER);
    const [client] = kindOf(all, SpanKind.CLIENT);
    const context = server!.spanContext();
    expect(context.traceId).toBe(TRACE);
    expect(server!.parentSpanContext?.spanId).toBe(SPAN);
    expect(client!.parentSpanContext?.spanId).toBe(context.spanId);
    expect(told()).toEqual(['00', TRACE, client!.spanContext().spanId, '01']);
    expect(world.heads[0]!.match(/trace(parent|state):.*/g)).toHaveLength(2);
    expect(world.heads[0]).toContain('tracestate: vendor=1');
    expect(server!.name).toBe('GET all');
    expect(server!.attributes).toEqual({
      'http.request.method': 'GET',
      'http.route': 'all',
      'http.response.status_code': 200,
      'url.scheme': 'http',
      'url.path': '/a',
      'server.address': 'a.example',
      'server.port': 8080,
      'client.address': '127.0.0.1',
      'network.peer.address': '127.0.0.1',
      'network.protocol.name': 'http',
      'network.protocol.version': '1.1',
      'user_agent.original': 'test',
      'evenkeel.cluster': 'origin',
      'evenkeel.request_id': 'abc',
    });
    expect(server!.status.code).toBe(SpanStatusCode.UNSET);
    const { port } = world.fixture.origins[0]!;
    expect(client!.name).toBe('GET');
    expect(client!.attributes).toEqual({
      'http.request.method': 'GET',
      'http.response.status_code': 200,
      'url.full': `http://127.0.0.1:${port}/a`,
      'server.address': '127.0.0.1',
      'server.port': port,
      'network.peer.address': '127.0.0.1',
      'network.peer.port': port,
      'evenkeel.cluster': 'origin',
      'evenkeel.endpoint': `127.0.0.1:${port}`,
      'evenkeel.outcome': 'success',
    });
  });

  it('have the query only where that is wanted', async () => {
    await start({ tracing: { spans: openTelemetry({ tracerProvider, recordQuery: true }) } });
    await ask();
    const all = await spans(2);
    expect(kindOf(all, SpanKind.SERVER)[0]!.attributes['url.query']).toBe('b=secret');
    expect(kindOf(all, SpanKind.CLIENT)[0]!.attributes['url.full']).toMatch(/\/a\?b=secret$/);
  });

  it('are one for each try, each told to its own endpoint', async () => {
    await start({
      origins: 2,
      answers: [BROKEN, OK],
      route: { retry: { attempts: 1, statuses: [503], baseBackoffMs: 1 } },
    });
    await ask();
    const all = await spans(3);
    const tries = kindOf(all, SpanKind.CLIENT);
    expect(tries.map(({ attributes }) => attributes['http.request.resend_count'])).toEqual([
      undefined,
      1,
    ]);
    expect(tries.map(({ status }) => status.code)).toEqual([
      SpanStatusCode.ERROR,
      SpanStatusCode.UNSET,
    ]);
    expect(tries[0]!.attributes['error.type']).toBe('503');
    expect([told(0)[2], told(1)[2]]).toEqual(tries.map((one) => one.spanContext().spanId));
    const [server] = kindOf(all, SpanKind.SERVER);
    expect(server!.status.code).toBe(SpanStatusCode.UNSET);
  });

  it('tell why there was no response of an endpoint', async () => {
    await start({ answers: ['no HTTP at all\r\n\r\n'], route: { retry: false } });
    expect(await ask()).toContain('502');
    const all = await spans(2);
    const [server] = kindOf(all, SpanKind.SERVER);
    expect(server!.attributes).toMatchObject({
      'error.type': 'upstream-failed',
      'http.response.status_code': 502,
      'evenkeel.reason': 'upstream-failed',
    });
    expect(server!.status.code).toBe(SpanStatusCode.ERROR);
    const [client] = kindOf(all, SpanKind.CLIENT);
    expect(client!.status.code).toBe(SpanStatusCode.ERROR);
    expect(client!.attributes['error.type']).toBe(client!.attributes['evenkeel.outcome']);
  });

  it('are there for requests that are answered here, or cannot be read', async () => {
    await start();
    await ask('', 'BREW /here');
    expect(await ask('', 'GET /a b')).toContain('400');
    const [brew, bad] = await spans(2);
    expect(brew!.name).toBe('HTTP here');
    expect(brew!.attributes).toMatchObject({
      'http.request.method': '_OTHER',
      'http.request.method_original': 'BREW',
      'http.response.status_code': 204,
    });
    expect(bad!.name).toBe('HTTP');
    expect(bad!.attributes).toMatchObject({ 'evenkeel.reason': 'bad-request' });
    // What clients do wrong is no error of this server.
    expect(bad!.status.code).toBe(SpanStatusCode.UNSET);
  });

  it('are one for each hedge, too, and those that lose are no errors', async () => {
    let turn = 0;
    world.fixture = await ProxyFixture.start(
      (connection) => {
        world.heads.push(connection.received);
        // The first one never answers.
        if (turn++ > 0) connection.write(OK);
      },
      {
        origins: 2,
        proxy: {
          tracing: { spans: openTelemetry({ tracerProvider }) },
          listeners: [
            {
              listen: '127.0.0.1:0',
              http: { routes: [{ cluster: 'origin', hedge: { delayMs: 5 } }] },
            },
          ],
        },
      },
    );
    await ask();
    const tries = kindOf(await spans(3), SpanKind.CLIENT);
    const [lost, won] = tries.toSorted(
      (a, b) =>
        Number(a.attributes['http.request.resend_count'] ?? 0) -
        Number(b.attributes['http.request.resend_count'] ?? 0),
    );
    expect(lost!.attributes['evenkeel.outcome']).toBe('cancelled');
    expect(lost!.status.code).toBe(SpanStatusCode.UNSET);
    expect(won!.attributes['http.response.status_code']).toBe(200);
    expect([told(0)[2], told(1)[2]]).toEqual([lost, won].map((one) => one!.spanContext().spanId));
  });

  it('are the same over HTTP/2, on both sides', async () => {
    const server = http2.createServer((request, response) => {
      world.heads.push(`traceparent: ${String(request.headers['traceparent'])}`);
      response.end('ok');
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    world.fixture = await ProxyFixture.start(() => undefined, {
      cluster: { discovery: [`127.0.0.1:${(server.address() as AddressInfo).port}`] },
      proxy: {
        tracing: { spans: openTelemetry({ tracerProvider }), continue: 'all' },
        upstreams: { origin: { http2: true } },
      },
    });
    const session = http2.connect(`http://127.0.0.1:${world.fixture.port}`);
    const stream = session.request({
      ':path': '/a',
      traceparent: `00-${TRACE}-${SPAN}-01`,
    });
    stream.resume();
    await once(stream, 'end');
    session.close();
    const all = await spans(2);
    const [one] = kindOf(all, SpanKind.CLIENT);
    expect(told()).toEqual(['00', TRACE, one!.spanContext().spanId, '01']);
    expect(kindOf(all, SpanKind.SERVER)[0]!.attributes).toMatchObject({
      'network.protocol.version': '2',
      'http.response.status_code': 200,
    });
    server.close();
  });

  it('are made for a proxy whose options are in a file', async () => {
    await start();
    const folder = await mkdtemp(join(tmpdir(), 'evenkeel-tracing-'));
    const path = join(folder, 'proxy.yaml');
    await writeFile(
      path,
      `
clusters: { origin: { discovery: ['127.0.0.1:${world.fixture.origins[0]!.port}'] } }
listeners: [{ listen: '127.0.0.1:0', http: { routes: [{ cluster: origin }] } }]
tracing: { continue: all }
`,
    );
    const file = await openProxyFile({
      path,
      watch: false,
      spans: openTelemetry({ tracerProvider }),
    });
    const [address] = file.proxy.addresses;
    const response = await fetch(`http://127.0.0.1:${address!.port}/a`, {
      headers: { traceparent: `00-${TRACE}-${SPAN}-01` },
    });
    expect(await response.text()).toBe('ok');
    for (const span of await spans(2)) expect(span.spanContext().traceId).toBe(TRACE);
    await file.close({ drainTimeoutMs: 0 });
    await rm(folder, { recursive: true });
  });

  it('end when the client leaves', async () => {
    await start({ answers: [''] });
    const client = await world.fixture.connect();
    client.send('GET /a HTTP/1.1\r\nhost: a\r\n\r\n');
    await world.fixture.until(() => world.heads.length === 1);
    client.socket.resetAndDestroy();
    const all = await spans(2);
    expect(kindOf(all, SpanKind.SERVER)[0]!.attributes['error.type']).toBe('aborted');
    const [one] = kindOf(all, SpanKind.CLIENT);
    expect(one!.attributes['evenkeel.outcome']).toBe('cancelled');
    expect(one!.status.code).toBe(SpanStatusCode.UNSET);
  });

  it('of a response that is cut off are errors', async () => {
    await start({ answers: ['HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\npart'] });
    const client = await world.fixture.connect();
    client.send('GET /a HTTP/1.1\r\nhost: a\r\n\r\n');
    await client.untilText('part');
    world.fixture.origins[0]!.connections[0]!.socket.destroy();
    const all = await spans(2);
    expect(kindOf(all, SpanKind.SERVER)[0]!.attributes).toMatchObject({
      'error.type': 'truncated',
      'http.response.status_code': 200,
    });
  });

  it('that the sampler does not keep are told to the endpoint as such', async () => {
    const quiet = new BasicTracerProvider({
      sampler: new AlwaysOffSampler(),
      spanProcessors: [new SimpleSpanProcessor(exporter)],
    });
    await start({
      tracing: { spans: openTelemetry({ tracerProvider: quiet }), continue: 'all' },
    });
    await ask(PARENT);
    expect(told()).toEqual(['00', TRACE, expect.stringMatching(/^[0-9a-f]{16}$/), '00']);
    expect(told()[2]).not.toBe(SPAN);
    expect(exporter.getFinishedSpans()).toEqual([]);
  });
});
