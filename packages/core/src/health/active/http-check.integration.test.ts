import { mkdtempSync, rmSync } from 'node:fs';
import type { IncomingMessage, RequestListener } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { MAX_ANSWER_BYTES } from './check.ts';
import type { HttpCheckOptions } from './http-config.ts';
import {
  eventually,
  closedPort,
  httpBench,
  listenHttp,
  listenRaw,
  listenTcp,
  type TestServer,
} from './test-support/check-bench.ts';

const servers: TestServer[] = [];
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.close()));
});

async function start(pending: Promise<TestServer>): Promise<TestServer> {
  const server = await pending;
  servers.push(server);
  return server;
}

/** Checks an HTTP server once. */
async function check(handler: RequestListener, options: HttpCheckOptions = {}) {
  const server = await start(listenHttp(handler));
  return httpBench(options).run(server.endpoint());
}

const answer =
  (statusCode: number, body = ''): RequestListener =>
  (_request, response) =>
    void response.writeHead(statusCode).end(body);

describe('HTTP check: degraded', () => {
  const spared: RequestListener = (_request, response) =>
    void response.writeHead(200, { 'X-Degraded': '' }).end();

  it('is what the header says that the options name', async () => {
    expect(await check(spared, { degradedHeader: 'x-degraded' })).toEqual({
      passed: true,
      degraded: true,
      reason: 'HTTP 200, degraded',
    });
    expect(await check(spared)).toEqual({ passed: true, reason: 'HTTP 200' });
    expect(await check(answer(200), { degradedHeader: 'X-Degraded' })).toMatchObject({
      reason: 'HTTP 200',
    });
  });

  it('does not save an answer that fails', async () => {
    const options = { degradedHeader: 'x-degraded', expectedStatuses: [204] };
    expect(await check(spared, options)).toEqual({ passed: false, reason: 'HTTP 200' });
  });
});

describe('HTTP check: status', () => {
  it.each<{
    status: number;
    expectedStatuses?: HttpCheckOptions['expectedStatuses'];
    passed: boolean;
  }>([
    { status: 200, passed: true },
    { status: 204, passed: true },
    { status: 299, passed: true },
    { status: 302, passed: false },
    { status: 404, passed: false },
    { status: 503, passed: false },
    { status: 503, expectedStatuses: [503], passed: true },
    { status: 200, expectedStatuses: [503], passed: false },
    { status: 302, expectedStatuses: [200, '300-399'], passed: true },
    { status: 401, expectedStatuses: [200, { from: 400, to: 401 }], passed: true },
    { status: 402, expectedStatuses: [200, { from: 400, to: 401 }], passed: false },
  ])('$status against $expectedStatuses: $passed', async ({ status, expectedStatuses, passed }) => {
    const result = await check(
      answer(status),
      expectedStatuses === undefined ? {} : { expectedStatuses },
    );
    expect(result).toEqual({ passed, reason: `HTTP ${status}` });
  });

  it('does not follow redirects', async () => {
    const paths: (string | undefined)[] = [];
    const result = await check((request, response) => {
      paths.push(request.url);
      response.writeHead(301, { location: '/elsewhere' }).end();
    });
    expect(result.passed).toBe(false);
    expect(paths).toEqual(['/']);
  });

  it('waits for the final answer behind informational ones', async () => {
    const result = await check((_request, response) => {
      response.writeContinue();
      response.writeProcessing();
      response.writeEarlyHints({ link: '</style.css>; rel=preload' });
      response.writeHead(200).end();
    });
    expect(result).toEqual({ passed: true, reason: 'HTTP 200' });
  });

  it('fails a switch of protocols that nobody asked for', async () => {
    const server = await start(
      listenRaw('HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n'),
    );
    expect(await httpBench().run(server.endpoint())).toEqual({ passed: false, reason: 'HTTP 101' });
    await server.idle();
  });
});

describe('HTTP check: request', () => {
  async function requestOf(options: HttpCheckOptions, fields = {}): Promise<IncomingMessage> {
    let seen: IncomingMessage | undefined;
    const server = await start(
      listenHttp((request, response) => {
        seen = request;
        response.end();
      }),
    );
    await httpBench(options).run(server.endpoint(fields));
    if (seen === undefined) throw new Error('no request came');
    return seen;
  }

  it('carries method, path, headers, and asks for the connection to be closed', async () => {
    const { method, url, headers } = await requestOf({
      method: 'OPTIONS',
      path: '/healthz?deep=1',
      headers: { 'x-token': 'abc', 'User-Agent': 'mine' },
    });
    expect({ method, url }).toEqual({ method: 'OPTIONS', url: '/healthz?deep=1' });
    expect(headers).toMatchObject({ 'x-token': 'abc', 'user-agent': 'mine', connection: 'close' });
  });

  it('names the address as the host unless told otherwise', async () => {
    const plain = await requestOf({});
    expect(plain.headers.host).toBe(`127.0.0.1:${servers.at(-1)?.port}`);
    const named = await requestOf({}, { hostname: 'users.internal' });
    expect(named.headers.host).toBe(`users.internal:${servers.at(-1)?.port}`);
    const configured = await requestOf({ host: 'health.example' }, { hostname: 'users.internal' });
    expect(configured.headers.host).toBe('health.example');
  });

  it("goes to the port given instead of the endpoint's own", async () => {
    const server = await start(listenHttp(answer(200)));
    const elsewhere = server.endpoint({ port: await closedPort() });
    expect((await httpBench({ port: server.port }).run(elsewhere)).passed).toBe(true);
  });

  it('reaches Unix sockets', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'evenkeel-'));
    try {
      const server = await start(listenHttp(answer(200), join(folder, 'app.sock')));
      expect(await httpBench().run(server.endpoint())).toEqual({
        passed: true,
        reason: 'HTTP 200',
      });
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

describe('HTTP check: body', () => {
  it.each<{ options: HttpCheckOptions; body: string; passed: boolean; reason?: string }>([
    { options: { bodyContains: 'ok' }, body: '{"status":"ok"}', passed: true },
    {
      options: { bodyContains: 'ok' },
      body: 'down',
      passed: false,
      reason: 'the body does not contain the expected text',
    },
    {
      options: { bodyMatches: '"status":"(ok|degraded)"' },
      body: '{"status":"degraded"}',
      passed: true,
    },
    {
      options: { bodyMatches: '^ok$' },
      body: 'ok?',
      passed: false,
      reason: 'the body does not match the expression',
    },
    { options: { bodyContains: 'grün' }, body: 'alles grün', passed: true },
    { options: { bodyContains: 'ok', method: 'POST' }, body: 'ok', passed: true },
  ])('$options against $body', async ({ options, body, passed, reason = 'HTTP 200' }) => {
    expect(await check(answer(200, body), options)).toEqual({ passed, reason });
  });

  it('finds a text that comes in pieces', async () => {
    const result = await check(
      (_request, response) => {
        response.write('gr');
        response.write(Buffer.of(0xc3));
        setTimeout(() => response.end(Buffer.concat([Buffer.of(0xbc), Buffer.from('n')])), 5);
      },
      { bodyContains: 'grün' },
    );
    expect(result.passed).toBe(true);
  });

  it('looks at the first 64 KiB only, and then lets go', async () => {
    const endless: RequestListener = (_request, response) => {
      const chunk = Buffer.alloc(16_384, 'x');
      const write = (): void => {
        while (!response.destroyed && response.write(chunk));
        if (!response.destroyed) response.once('drain', write);
      };
      write();
    };
    const server = await start(listenHttp(endless));
    expect(await httpBench().run(server.endpoint())).toEqual({ passed: true, reason: 'HTTP 200' });
    expect((await httpBench({ bodyContains: 'y' }).run(server.endpoint())).passed).toBe(false);
    await server.idle();
  });

  it('does not look further than it says', async () => {
    const within = `${'x'.repeat(MAX_ANSWER_BYTES - 2)}ok`;
    expect((await check(answer(200, within), { bodyContains: 'ok' })).passed).toBe(true);
    const beyond = `${'x'.repeat(MAX_ANSWER_BYTES - 1)}ok`;
    expect((await check(answer(200, beyond), { bodyContains: 'ok' })).passed).toBe(false);
  });
});

describe('HTTP check: endpoints that misbehave', () => {
  it.each<{
    name: string;
    server: () => Promise<TestServer>;
    reason: string | RegExp;
    within?: number;
  }>([
    {
      name: 'accepts and never answers',
      server: () => listenTcp(() => undefined),
      reason: 'timed out after 200 ms (waiting for the answer)',
    },
    {
      name: 'closes at once',
      server: () => listenTcp((socket) => socket.end()),
      reason: /^connection (closed|reset) \((connecting|waiting for the answer)\)$/,
    },
    {
      name: 'resets at once',
      server: () => listenTcp((socket) => socket.resetAndDestroy()),
      reason: /^connection (closed|reset) \((connecting|waiting for the answer)\)$/,
    },
    {
      name: 'resets when it hears the request',
      server: () => listenTcp((socket) => socket.once('data', () => socket.resetAndDestroy())),
      reason: 'connection reset (waiting for the answer)',
    },
    {
      name: 'does not speak HTTP',
      server: () => listenRaw('SSH-2.0-OpenSSH_9.9\r\n'),
      reason: /^the answer is not HTTP \(HPE_/,
    },
    {
      name: 'sends half a header',
      server: () => listenRaw('HTTP/1.1 200 OK\r\nContent-Le'),
      reason: 'timed out after 200 ms (waiting for the answer)',
    },
    {
      name: 'sends endless headers',
      server: () =>
        listenRaw(`HTTP/1.1 200 OK\r\n${`X-Long: ${'y'.repeat(1000)}\r\n`.repeat(100)}`),
      reason: 'the answer is not HTTP (HPE_HEADER_OVERFLOW)',
    },
    {
      name: 'drips its body',
      server: () =>
        listenHttp((_request, response) => {
          response.writeHead(200);
          const timer = setInterval(() => response.write('.'), 10);
          response.on('close', () => clearInterval(timer));
        }),
      reason: 'timed out after 200 ms (reading the answer)',
    },
    {
      name: 'breaks off in the body',
      server: () => listenRaw('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc'),
      reason: 'timed out after 200 ms (reading the answer)',
    },
    {
      name: 'closes in the body',
      server: () =>
        listenTcp((socket) =>
          socket.once('data', () => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc')),
        ),
      reason: 'connection closed (reading the answer)',
    },
    {
      name: 'sends informational answers for ever',
      server: () =>
        listenTcp((socket) => {
          const timer = setInterval(() => socket.write('HTTP/1.1 102 Processing\r\n\r\n'), 5);
          socket.on('close', () => clearInterval(timer));
        }),
      reason: 'timed out after 200 ms (waiting for the answer)',
    },
  ])('$name', async ({ server: startServer, reason }) => {
    const server = await start(startServer());
    // Short only where the timeout is what is tested.
    const isTimeout = typeof reason === 'string' && reason.startsWith('timed out');
    const bench = httpBench(isTimeout ? { timeoutMs: 200 } : {});
    const result = await bench.run(server.endpoint());
    expect(result).toEqual({
      passed: false,
      reason: typeof reason === 'string' ? reason : expect.stringMatching(reason),
    });
    // Whatever it was: nothing stays open on either side.
    await server.idle();
    await bench.sockets.closeAll();
    expect(bench.sockets.size).toBe(0);
  });

  it('tells a refused connection', async () => {
    const server = await start(listenHttp(answer(200)));
    const result = await httpBench().run(server.endpoint({ port: await closedPort() }));
    expect(result).toEqual({ passed: false, reason: 'connect ECONNREFUSED' });
  });

  it('tells a missing Unix socket', async () => {
    const server = await start(listenHttp(answer(200)));
    const result = await httpBench().run(
      server.endpoint({ host: undefined, unix: '/nonexistent/x.sock' }),
    );
    expect(result).toEqual({ passed: false, reason: 'connect ENOENT' });
  });

  it('ends at once when it is aborted, whatever it was doing', async () => {
    const server = await start(listenTcp(() => undefined));
    const bench = httpBench({ timeoutMs: 60_000 });
    const controller = new AbortController();
    const early = bench.run(server.endpoint(), controller.signal);
    controller.abort();
    expect(await early).toEqual({ passed: false, reason: 'aborted' });
    expect(await bench.run(server.endpoint(), controller.signal)).toEqual({
      passed: false,
      reason: 'aborted',
    });
    await bench.sockets.closeAll();
    await server.idle();
    expect(bench.sockets.size).toBe(0);
  });
});

describe('HTTP check: connections', () => {
  async function countConnections(options: HttpCheckOptions): Promise<number> {
    const server = await start(listenHttp(answer(200, 'fine')));
    const bench = httpBench(options);
    const check = bench.create(server.endpoint());
    for (let round = 0; round < 3; round++) {
      expect(await check.run(new AbortController().signal)).toEqual({
        passed: true,
        reason: 'HTTP 200',
      });
    }
    check.close();
    await server.idle();
    await eventually(() => bench.sockets.size).toBe(0);
    return server.acceptedCount;
  }

  it('are new for every check, to see that the endpoint accepts', async () => {
    expect(await countConnections({})).toBe(3);
  });

  it('are kept where asked', async () => {
    expect(await countConnections({ reuseConnection: true })).toBe(1);
  });

  it('that were closed while idle are replaced without blame', async () => {
    // Answers one request per connection and resets at the second, without announcing it.
    const server = await start(
      listenTcp((socket) => {
        socket.once('data', () => {
          socket.write('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n');
          socket.once('data', () => socket.resetAndDestroy());
        });
      }),
    );
    const bench = httpBench({ reuseConnection: true });
    const check = bench.create(server.endpoint());
    for (let round = 0; round < 3; round++) {
      expect((await check.run(new AbortController().signal)).passed).toBe(true);
    }
    check.close();
    await server.idle();
    await bench.sockets.closeAll();
    expect(server.acceptedCount).toBeGreaterThan(1);
  });
});
