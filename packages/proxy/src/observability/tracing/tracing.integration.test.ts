/** Traces over real sockets, recorded by the SDK of OpenTelemetry. */
import { SpanKind, SpanStatusCode } from '@opentelemetry/api';
import {
  AlwaysOffSampler,
  BasicTracerProvider,
  InMemorySpanExporter,
  type ReadableSpan,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-base';
import { afterEach, describe, expect, it } from 'vitest';
import { ProxyFixture } from '../../engine/test-support/proxy-fixture.ts';
import type { OriginConnection } from '../../engine/test-support/scripted-origin.ts';
import type { ProxyOptions, RouteOptions, TracingOptions } from '../../index.ts';
import { openTelemetry } from './index.ts';

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const SPAN = 'b7ad6b7169203331';
const PARENT = `traceparent: 00-${TRACE}-${SPAN}-01\r\n`;
const OK = 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok';
const BROKEN = 'HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\n\r\n';

const exporter = new InMemorySpanExporter();
const tracerProvider = new BasicTracerProvider({
  spanProcessors: [new SimpleSpanProcessor(exporter)],
});

/** What came to the origins, head by head. */
let heads: string[] = [];
let fixture: ProxyFixture;

afterEach(async () => {
  await fixture.close();
  exporter.reset();
  heads = [];
});

interface StartOptions {
  readonly tracing?: TracingOptions;
  readonly route?: Partial<RouteOptions>;
  readonly proxy?: Partial<ProxyOptions>;
  readonly origins?: number;
  /** What origins answer, one after the other; the last one goes on. */
  readonly answers?: readonly string[];
}

async function start({
  tracing = { spans: openTelemetry({ tracerProvider }), continue: 'all' },
  route = {},
  proxy = {},
  origins = 1,
  answers = [OK],
}: StartOptions = {}): Promise<void> {
  let turn = 0;
  const onData = (connection: OriginConnection): void => {
    for (;;) {
      const end = connection.received.indexOf('\r\n\r\n');
      if (end < 0) return;
      heads.push(connection.received.slice(0, end));
      connection.received = connection.received.slice(end + 4);
      connection.write(answers[Math.min(turn++, answers.length - 1)]!);
    }
  };
  const routes: RouteOptions[] = [
    { name: 'all', cluster: 'origin', ...route },
    { name: 'here', match: { path: { exact: '/here' } }, respond: { status: 204 } },
  ];
  fixture = await ProxyFixture.start(onData, {
    origins,
    proxy: { listeners: [{ listen: '127.0.0.1:0', http: { routes } }], tracing, ...proxy },
  });
}

/** @returns the answer, head and all */
async function ask(lines = '', start_ = 'GET /a?b=secret'): Promise<string> {
  const client = await fixture.connect();
  client.send(`${start_} HTTP/1.1\r\nhost: a.example:8080\r\nuser-agent: test\r\n${lines}\r\n`);
  await client.until(({ received }) => /\r\n\r\n(ok|\d{3} |$)/.test(received));
  return client.received;
}

async function spans(count: number): Promise<readonly ReadableSpan[]> {
  await fixture.until(() => exporter.getFinishedSpans().length >= count);
  expect(exporter.getFinishedSpans()).toHaveLength(count);
  return exporter.getFinishedSpans();
}

const kindOf = (all: readonly ReadableSpan[], kind: SpanKind): ReadableSpan[] =>
  all.filter((span) => span.kind === kind);

const told = (at = 0): string[] => /traceparent: (.*)/.exec(heads[at]!)?.[1]?.split('-') ?? [];

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
    expect(heads[0]!.match(/trace(parent|state):.*/g)).toHaveLength(2);
    expect(heads[0]).toContain('tracestate: vendor=1');
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
    const { port } = fixture.origins[0]!;
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

  it('end when the client leaves', async () => {
    await start({ answers: [''] });
    const client = await fixture.connect();
    client.send('GET /a HTTP/1.1\r\nhost: a\r\n\r\n');
    await fixture.until(() => heads.length === 1);
    client.socket.resetAndDestroy();
    const all = await spans(2);
    expect(kindOf(all, SpanKind.SERVER)[0]!.attributes['error.type']).toBe('aborted');
    const [one] = kindOf(all, SpanKind.CLIENT);
    expect(one!.attributes['evenkeel.outcome']).toBe('cancelled');
    expect(one!.status.code).toBe(SpanStatusCode.UNSET);
  });

  it('of a response that is cut off are errors', async () => {
    await start({ answers: ['HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\npart'] });
    const client = await fixture.connect();
    client.send('GET /a HTTP/1.1\r\nhost: a\r\n\r\n');
    await client.untilText('part');
    fixture.origins[0]!.connections[0]!.socket.destroy();
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

describe('the trace of a client', () => {
  it.each([
    ['trusted', [], false],
    ['trusted', ['127.0.0.1'], true],
    ['all', [], true],
    ['none', ['127.0.0.1'], false],
  ] as const)('with continue: %s and trusted peers %j goes on: %s', async (rule, peers, goesOn) => {
    await start({
      tracing: { spans: openTelemetry({ tracerProvider }), continue: rule },
      proxy: { trustedProxies: peers },
    });
    await ask(`${PARENT}tracestate: vendor=1\r\n`);
    const [server] = kindOf(await spans(2), SpanKind.SERVER);
    expect(server!.spanContext().traceId === TRACE).toBe(goesOn);
    expect(told()[1]).toBe(server!.spanContext().traceId);
    expect(heads[0]!.includes('vendor=1')).toBe(goesOn);
  });

  it.each([
    ['nobody', {}],
    ['no SDK', { spans: openTelemetry() }],
  ])('is passed on as it is where %s records', async (_, tracing) => {
    await start({ tracing: { ...tracing, continue: 'all' } });
    await ask(PARENT);
    expect(told()).toEqual(['00', TRACE, SPAN, '01']);
    await ask(PARENT.replace('-01\r', '-00\r'));
    expect(told(1)).toEqual(['00', TRACE, SPAN, '00']);
  });

  it('begins here where there is none, sampled as the options say', async () => {
    await start({ tracing: { sampleRatio: 0 } });
    await ask();
    await ask('traceparent: nonsense\r\n');
    for (const at of [0, 1])
      expect(told(at)).toEqual([
        '00',
        expect.stringMatching(/^[0-9a-f]{32}$/),
        expect.stringMatching(/^[0-9a-f]{16}$/),
        '02',
      ]);
    expect(told(0)[1]).not.toBe(told(1)[1]);
  });

  it('passes like any other header without tracing', async () => {
    await start({ proxy: { tracing: undefined } });
    await ask(`${PARENT}tracestate: vendor=1\r\n`);
    expect(told()).toEqual(['00', TRACE, SPAN, '01']);
    expect(heads[0]).toContain('tracestate: vendor=1');
  });

  it('stays what a filter writes', async () => {
    const own = `00-${'1'.repeat(32)}-${'2'.repeat(16)}-01`;
    await start({ route: { filters: [{ headers: { request: { set: { traceparent: own } } } }] } });
    await ask();
    expect(told().join('-')).toBe(own);
    await spans(2);
  });

  it('is told to the client and the log where that is wanted', async () => {
    const lines: string[] = [];
    await start({
      tracing: { continue: 'all', responseHeader: 'X-Trace-Id' },
      answers: ['HTTP/1.1 200 OK\r\nx-trace-id: theirs\r\ncontent-length: 2\r\n\r\nok'],
      proxy: {
        accessLog: { format: '%{traceId} %{spanId}', write: (text) => lines.push(text) },
      },
    });
    const answer = await ask(PARENT);
    expect(answer.match(/x-trace-id.*/g)).toEqual([`x-trace-id: ${TRACE}`]);
    expect(await ask(PARENT, 'GET /here')).toContain(`x-trace-id: ${TRACE}`);
    await fixture.close();
    expect(lines.join('')).toBe(`${TRACE} ${SPAN}\n`.repeat(2));
  });
});

describe('server-timing', () => {
  it('tells how long it took here and at the endpoint, beside what that says', async () => {
    await start({
      tracing: {},
      answers: ['HTTP/1.1 200 OK\r\nserver-timing: db;dur=5\r\ncontent-length: 2\r\n\r\nok'],
      proxy: { serverTiming: true },
    });
    const answer = await ask();
    expect(answer).toContain('server-timing: db;dur=5\r\n');
    const times = /server-timing: proxy;dur=([\d.]+), upstream;dur=([\d.]+)\r\n/.exec(answer);
    for (const time of times!.slice(1)) expect(Number(time)).toBeLessThan(5_000);
    expect(Number(times![2])).toBeGreaterThan(0);
    expect(await ask('', 'GET /here')).toMatch(/server-timing: proxy;dur=[\d.]+\r\n/);
    expect(await ask('', 'GET /here')).not.toContain('upstream');
  });
});

describe('options of tracing', () => {
  it.each([
    [{ continue: 'some' }, 'createProxy.tracing.continue'],
    [{ spans: {} }, 'openTelemetry() of @evenkeel/proxy/tracing'],
    [{ sampleRatio: 2 }, 'createProxy.tracing.sampleRatio'],
    [{ responseHeader: 'a b' }, 'createProxy.tracing.responseHeader'],
    [{ responseHeader: 'Content-Length' }, 'a header that nothing else is in'],
  ])('%j are refused', async (tracing, message) => {
    await expect(start({ tracing: tracing as TracingOptions })).rejects.toThrow(message);
    await start();
  });
});
