import { once } from 'node:events';
import {
  get,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type ServerResponse,
} from 'node:http';
import { createServer as createHttp2Server, connect as connectHttp2 } from 'node:http2';
import { text } from 'node:stream/consumers';
import { afterEach, describe, expect, it } from 'vitest';
import { decodeProbeAnswer } from '../probe-answer.ts';
import { readLoadReport } from '../read-load-report.ts';
import { ask, Closers, hello, portOf, scripted } from '../test-support/reporter-bench.ts';
import { createLoadReporter, type Handler } from './load-reporter.ts';
import { createProbeHandler } from './probe-handler.ts';

const closers = new Closers();
afterEach(() => closers.close());

describe('a server with a load reporter', () => {
  it('tells its load with every answer, in three lines of code', async () => {
    const reporter = createLoadReporter();
    const port = await closers.listen(reporter.wrap(hello));
    const { body, headers, report } = await ask(port);
    expect(body).toBe('hello');
    expect(headers['endpoint-load-metrics']).toMatch(
      /^TEXT mem_utilization=0\.\d+, named_metrics\.rif=0$/,
    );
    expect(report?.namedMetrics.get('rif')).toBe(0);
    expect(report?.memoryUtilization).toBeGreaterThan(0);
  });

  it('tells rates, errors, utilisation and latency in the words of ORCA', async () => {
    const { reporter, clock, meter } = scripted();
    const port = await closers.listen(
      reporter.wrap((request, response) => {
        clock.set(clock.nowMs() + 20);
        response.statusCode = request.url === '/bad' ? 500 : 200;
        response.end();
      }),
    );
    for (let request = 0; request < 4; request++)
      await ask(port, { path: request === 0 ? '/bad' : '/' });
    await expect.poll(() => reporter.probeAnswer().requestsInFlight).toBe(0);
    meter.set({ cpuMs: 400, loopActiveMs: 700 });
    clock.set(1_000);
    // 4 requests in 1 s of which one failed; 400 ms of 2 processors; each took 20 ms alone in the server.
    const report = reporter.report();
    expect(report).toMatchObject({
      requestsPerSecond: 4,
      errorsPerSecond: 1,
      cpuUtilization: 0.2,
      memoryUtilization: 0.25,
      applicationUtilization: 0.7,
    });
    expect(report.namedMetrics.get('latency_ms')).toBe(20);
    const { headers } = await ask(port);
    expect(headers['endpoint-load-metrics']).toBe(
      'TEXT cpu_utilization=0.2, mem_utilization=0.25, application_utilization=0.7, rps_fractional=4, eps=1, ' +
        'named_metrics.rif=0, named_metrics.latency_ms=20.000',
    );
    expect(reporter.probeAnswer()).toEqual({
      requestsInFlight: 0,
      latencyMs: 20,
      errorRatio: 0.25,
    });
  });

  it('counts what is in flight, without the request that is answered', async () => {
    const { reporter } = scripted();
    const waiting: ServerResponse[] = [];
    const port = await closers.listen(
      reporter.wrap((request, response) => {
        if (request.url === '/wait') waiting.push(response);
        else response.end();
      }),
    );
    const pending = [1, 2, 3].map(() => ask(port, { path: '/wait' }));
    await expect.poll(() => waiting.length).toBe(3);
    expect((await ask(port)).report?.namedMetrics.get('rif')).toBe(3);
    expect(reporter.probeAnswer().requestsInFlight).toBe(3);
    for (const response of waiting) response.end();
    await Promise.all(pending);
    await expect.poll(() => reporter.report().namedMetrics.get('rif')).toBe(0);
  });

  it('counts a request once whose caller goes away, and takes nothing from it for a latency', async () => {
    const { reporter, clock } = scripted();
    let arrived = 0;
    const port = await closers.listen(reporter.wrap(() => void arrived++));
    const request = get({ host: '127.0.0.1', port, agent: false });
    request.on('error', () => undefined);
    await expect.poll(() => arrived).toBe(1);
    expect(reporter.probeAnswer().requestsInFlight).toBe(1);
    clock.set(500);
    request.destroy();
    await expect.poll(() => reporter.probeAnswer().requestsInFlight).toBe(0);
    expect(reporter.probeAnswer().latencyMs).toBe(0);
  });

  it.for(['json', 'binary'] as const)('writes %s when told to', async (format) => {
    const { reporter } = scripted({ format, namedMetrics: () => ({ queue: 4 }) });
    const { headers, report } = await ask(await closers.listen(reporter.wrap(hello)));
    expect(headers['endpoint-load-metrics']).toMatch(format === 'json' ? /^JSON \{/ : /^BIN \S+$/);
    expect(report?.memoryUtilization).toBe(0.25);
    expect(report?.namedMetrics).toEqual(
      new Map([
        ['queue', 4],
        ['rif', 0],
      ]),
    );
  });

  it.for<[string, Handler]>([
    [
      'writeHead with an object',
      (_request, response) => response.writeHead(201, { 'x-own': '1' }).end('x'),
    ],
    [
      'writeHead with a reason',
      (_request, response) => response.writeHead(201, 'Fine', { 'x-own': '1' }).end('x'),
    ],
    [
      'writeHead with a list',
      (_request, response) => response.writeHead(201, ['x-own', '1']).end('x'),
    ],
    [
      'write',
      (_request, response) => {
        response.statusCode = 201;
        response.setHeader('x-own', '1');
        response.write('x');
        response.end();
      },
    ],
    [
      'flushHeaders',
      (_request, response) => {
        response.statusCode = 201;
        response.setHeader('x-own', '1').flushHeaders();
        response.end('x');
      },
    ],
  ])('adds to an answer sent with %s and changes nothing else', async ([, handler]) => {
    const { reporter } = scripted();
    const { status, headers, body, report } = await ask(
      await closers.listen(reporter.wrap(handler)),
    );
    expect([status, headers['x-own'], body]).toEqual([201, '1', 'x']);
    expect(report?.memoryUtilization).toBe(0.25);
  });

  it('is middleware: of a chain with next, and mounted once for all routes', async () => {
    const { reporter } = scripted();
    type Middleware = (
      request: IncomingMessage,
      response: ServerResponse,
      next: () => unknown,
    ) => unknown;
    const chain: readonly Middleware[] = [
      createProbeHandler(reporter),
      reporter.middleware,
      (_request, response) => response.end('route'),
    ];
    const port = await closers.listen((request, response) => {
      const run = (at: number): unknown => chain[at]?.(request, response, () => run(at + 1));
      run(0);
    });
    const { body, report } = await ask(port);
    expect([body, report?.namedMetrics.get('rif')]).toEqual(['route', 0]);
    const probe = await ask(port, { path: '/.evenkeel/probe' });
    expect(decodeProbeAnswer(probe.body)?.requestsInFlight).toBe(0);
    expect(probe.report).toBeUndefined();
  });

  it('works over HTTP/2 through the same handler', async () => {
    const { reporter } = scripted();
    const handler = reporter.wrap(hello) as unknown as Parameters<typeof createHttp2Server>[1];
    const server = createHttp2Server({}, handler).listen(0, '127.0.0.1');
    const session = connectHttp2(`http://127.0.0.1:${await portOf(server)}`);
    closers.add(async () => {
      session.close();
      server.close();
      await once(server, 'close');
    });
    const stream = session.request({ ':path': '/' });
    const [headers] = (await once(stream, 'response')) as [IncomingHttpHeaders];
    expect(await text(stream)).toBe('hello');
    expect(readLoadReport(headers)?.memoryUtilization).toBe(0.25);
    await expect.poll(() => reporter.probeAnswer().requestsInFlight).toBe(0);
  });
});

describe('the probe handler', () => {
  const probed = {
    probeAnswer: () => ({ requestsInFlight: 4, latencyMs: 7.5, errorRatio: 0.125 }),
  };

  it('answers a GET of its path, with a query or without, and passes on the rest', async () => {
    const probe = createProbeHandler(probed, { path: '/load' });
    const port = await closers.listen((request, response) => {
      if (!probe(request, response)) response.end('application');
    });
    for (const path of ['/load', '/load?x=1']) {
      const { status, headers, body } = await ask(port, { path });
      expect(status).toBe(200);
      expect(headers).toMatchObject({
        'content-type': 'application/json',
        'cache-control': 'no-store',
      });
      expect(decodeProbeAnswer(body)).toEqual({
        requestsInFlight: 4,
        latencyMs: 7.5,
        errorRatio: 0.125,
      });
    }
    for (const options of [{ path: '/loads' }, { path: '/' }, { path: '/load', method: 'POST' }]) {
      expect((await ask(port, options)).body).toBe('application');
    }
  });
});
