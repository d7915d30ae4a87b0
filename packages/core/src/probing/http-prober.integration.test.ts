import type { RequestListener } from 'node:http';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { createSelfSigned } from '../health/active/test-support/self-signed.ts';
import {
  closedPort,
  eventually,
  listenHttp,
  listenHttps,
  listenTcp,
  type TestServer,
} from '../health/active/test-support/check-bench.ts';
import { createEndpoint, type Endpoint } from '../model/endpoint.ts';
import type { ProbeAnswer, ProbeConfig, ProbeFailure, Prober } from '../policy/probing.ts';
import { type Logger, silentLogger } from '../runtime/logger.ts';
import { createRuntime } from '../runtime/runtime.ts';
import { createManualRuntime } from '../testing/manual-runtime.ts';
import { createHttpProber } from './http-prober.ts';
import { ProbeAttempt } from './probe-attempt.ts';

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

async function start(pending: Promise<TestServer>): Promise<TestServer> {
  const server = await pending;
  closers.push(() => server.close());
  return server;
}

/** A prober of short patience only where the test is about that. */
function create(config: Partial<ProbeConfig> = {}, logger: Logger = silentLogger): Prober {
  const prober = createHttpProber(
    { path: '/probe', timeoutMs: 10_000, maxConcurrent: 64, ...config },
    createRuntime({ logger }),
  );
  closers.push(() => prober.close());
  return prober;
}

type Heard = ProbeAnswer | ProbeFailure;

/** One probe. */
function probe(prober: Prober, endpoint: Endpoint, slot = 3): Promise<Heard> {
  return new Promise((resolve, reject) => {
    const sent = prober.probe(slot, endpoint, {
      onProbeAnswer: (heardSlot, heardEndpoint, answer, nowMs) => {
        expect([heardSlot, heardEndpoint, Number.isFinite(nowMs)]).toEqual([slot, endpoint, true]);
        resolve({ ...answer });
      },
      onProbeFailure: (heardSlot, heardEndpoint, failure) => {
        expect([heardSlot, heardEndpoint]).toEqual([slot, endpoint]);
        resolve(failure);
      },
    });
    if (!sent) reject(new Error('declined'));
  });
}

const answering =
  (statusCode: number, body: string): RequestListener =>
  (_request, response) =>
    void response.writeHead(statusCode).end(body);

const GOOD = answering(200, '{"rif":2,"latencyMs":8,"errorRatio":0.5}');
const ANSWER: ProbeAnswer = { requestsInFlight: 2, latencyMs: 8, errorRatio: 0.5 };

describe('a probe over HTTP', () => {
  it('is a GET that says who is meant, on a connection that is kept', async () => {
    const asked: (string | undefined)[][] = [];
    const server = await start(
      listenHttp((request, response) => {
        asked.push([request.method, request.url, request.headers.host]);
        GOOD(request, response);
      }),
    );
    const prober = create({ path: '/probe?v=1' });
    const endpoint = server.endpoint({ hostname: 'users.internal' });
    for (let round = 0; round < 3; round++) {
      expect(await probe(prober, endpoint)).toEqual(ANSWER);
      // The connection is free again one turn after the answer.
      await new Promise(setImmediate);
    }
    expect(asked).toEqual(
      new Array(3).fill(['GET', '/probe?v=1', `users.internal:${server.port}`]),
    );
    expect(server.acceptedCount).toBe(1);
  });

  it('may go to a port of its own, or to a Unix socket', async () => {
    const server = await start(listenHttp(GOOD));
    const elsewhere = createEndpoint({ host: '127.0.0.1', port: await closedPort() });
    expect(await probe(create({ port: server.port }), elsewhere)).toEqual(ANSWER);
    const folder = mkdtempSync(join(tmpdir(), 'probe-'));
    closers.push(() => rmSync(folder, { recursive: true }));
    const unix = await start(listenHttp(GOOD, join(folder, 's')));
    expect(await probe(create(), createEndpoint({ unix: join(folder, 's') }))).toEqual(ANSWER);
    expect(unix.acceptedCount).toBe(1);
  });

  it.for<[string, RequestListener, Heard]>([
    ['no such path', answering(404, 'what?'), 'not-understood'],
    ['a redirect, which is not followed', answering(302, ''), 'not-understood'],
    ['another success', answering(204, ''), 'not-understood'],
    ['a gateway without a server', answering(503, 'nobody'), 'unreachable'],
    ['a page', answering(200, '<html>'), 'not-understood'],
    ['numbers that cannot be', answering(200, '{"rif":-1}'), 'not-understood'],
    ['no requests in flight', answering(200, '{"latencyMs":1}'), 'not-understood'],
    ['too long an answer', answering(200, `{"rif":1${' '.repeat(2_000)}}`), 'not-understood'],
    [
      'half an answer',
      (_request, response) => {
        response.writeHead(200, { 'content-length': '100' }).write('{"rif"');
        setImmediate(() => response.destroy());
      },
      'unreachable',
    ],
    [
      'an answer that is none of HTTP',
      ({ socket }) => void socket.end('hello\r\n\r\n'),
      'unreachable',
    ],
    ['a closed connection', ({ socket }) => void socket.destroy(), 'unreachable'],
    [
      'an upgrade',
      ({ socket }) =>
        void socket.write(
          'HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n',
        ),
      'not-understood',
    ],
  ])('hears of %s', async ([, handler, expected]) => {
    const server = await start(listenHttp(handler));
    expect(await probe(create(), server.endpoint())).toBe(expected);
  });

  it('finds nobody at a closed port, and a server without HTTP', async () => {
    const nobody = createEndpoint({ host: '127.0.0.1', port: await closedPort() });
    expect(await probe(create(), nobody)).toBe('unreachable');
    const closing = await start(listenTcp((socket) => socket.destroy()));
    expect(await probe(create(), closing.endpoint())).toBe('unreachable');
  });

  it('complains once about endpoints that do not understand', async () => {
    const warned: unknown[] = [];
    const prober = create(
      {},
      { ...silentLogger, warn: (fields: unknown) => void warned.push(fields) },
    );
    const servers = [
      await start(listenHttp(answering(404, ''))),
      await start(listenHttp(answering(404, ''))),
    ];
    for (const server of servers) await probe(prober, server.endpoint());
    expect(warned).toEqual([{ endpoint: servers[0]?.endpoint().id, path: '/probe' }]);
  });

  it('does not trust a certificate that nobody vouches for', async () => {
    const pair = createSelfSigned({ names: ['localhost'], ipv4: ['127.0.0.1'] });
    const server = await start(listenHttps(pair, GOOD));
    expect(await probe(create({ tls: true }), server.endpoint())).toBe('unreachable');
  });
});

describe('probes that get stuck', () => {
  it.for<[string, RequestListener]>([
    ['without an answer', () => undefined],
    ['with headers only', (_request, response) => response.writeHead(200).flushHeaders()],
    [
      'with one byte after the other',
      (_request, response) => {
        const timer = setInterval(() => response.write(' '), 5);
        response.on('close', () => clearInterval(timer));
      },
    ],
  ])('end after their time, %s, and let the connection go', async ([, handler]) => {
    const server = await start(listenHttp(handler));
    expect(await probe(create({ timeoutMs: 60 }), server.endpoint())).toBe('unreachable');
    await server.idle();
  });

  it('do not hold a connection for a body without end that nobody wants', async () => {
    const server = await start(
      listenHttp((_request, response) => {
        response.writeHead(404);
        const timer = setInterval(() => response.write('x'.repeat(1_000)), 1);
        response.on('close', () => clearInterval(timer));
      }),
    );
    expect(await probe(create(), server.endpoint())).toBe('not-understood');
    await server.idle();
  });

  it('are bounded in number: the next are declined', async () => {
    const server = await start(listenHttp(() => undefined));
    const prober = create({ maxConcurrent: 2 });
    const listener = { onProbeAnswer: () => undefined, onProbeFailure: () => undefined };
    const sent = [0, 1, 2].map((slot) => prober.probe(slot, server.endpoint(), listener));
    expect(sent).toEqual([true, true, false]);
    await eventually(() => server.acceptedCount).toBe(2);
  });

  it('are sent again when the endpoint has closed the connection that was kept', async () => {
    let asked = 0;
    const server = await start(
      listenHttp((request, response) => {
        // The second probe on the same connection meets one that is being closed.
        if (++asked === 2) request.socket.destroy();
        else GOOD(request, response);
      }),
    );
    const prober = create();
    expect(await probe(prober, server.endpoint())).toEqual(ANSWER);
    await new Promise(setImmediate);
    expect(await probe(prober, server.endpoint())).toEqual(ANSWER);
    expect(asked).toBe(3);
    expect(server.acceptedCount).toBe(2);
  });

  it('are given up without a word when the prober is closed, and nothing is left', async () => {
    const hung = await start(listenHttp(() => undefined));
    const good = await start(listenHttp(GOOD));
    const prober = create();
    await probe(prober, good.endpoint());
    let heard = 0;
    const listener = { onProbeAnswer: () => heard++, onProbeFailure: () => heard++ };
    prober.probe(0, hung.endpoint(), listener);
    await eventually(() => hung.openCount).toBe(1);
    prober.close();
    prober.close();
    await Promise.all([hung.idle(), good.idle()]);
    expect(heard).toBe(0);
    expect(prober.probe(0, good.endpoint(), listener)).toBe(false);
  });
});

describe('one attempt', () => {
  it('gets as much time again when this process was held up, once', async () => {
    const server = await start(listenTcp(() => undefined));
    const runtime = createManualRuntime();
    const failures: string[] = [];
    const attempt = new ProbeAttempt({
      runtime,
      timeoutMs: 1_000,
      onAnswer: () => expect.unreachable(),
      onFailure: (failure) => failures.push(failure),
    });
    const { request } = await import('node:http');
    attempt.run(() => request({ host: '127.0.0.1', port: server.port, agent: false }));
    closers.push(() => attempt.cancel());
    // The timer comes 300 ms late: an answer may lie in the socket unread.
    runtime.clock.set(runtime.clock.nowMs() + 1_300);
    runtime.scheduler.advance(0);
    expect(failures).toEqual([]);
    runtime.scheduler.advance(300);
    expect(failures).toEqual(['unreachable']);
    expect(runtime.scheduler.pendingCount).toBe(0);
    await server.idle();
  });

  it('that cannot even be sent fails later, not during the call', () => {
    const runtime = createManualRuntime();
    const failures: string[] = [];
    const attempt = new ProbeAttempt({
      runtime,
      timeoutMs: 1_000,
      onAnswer: () => expect.unreachable(),
      onFailure: (failure) => failures.push(failure),
    });
    attempt.run(() => {
      throw new TypeError('an address that Node refuses');
    });
    expect(failures).toEqual([]);
    runtime.scheduler.advance(0);
    expect(failures).toEqual(['unreachable']);
    expect(runtime.scheduler.pendingCount).toBe(0);
  });
});
