import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import {
  eventually,
  closedPort,
  listen,
  listenTcp,
  tcpBench,
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

describe('TCP check: connecting', () => {
  it('is enough when nothing else is asked for, and leaves nothing open', async () => {
    const server = await start(listenTcp(() => undefined));
    const bench = tcpBench();
    expect(await bench.run(server.endpoint())).toEqual({ passed: true, reason: 'connected' });
    await server.idle();
    await eventually(() => bench.sockets.size).toBe(0);
  });

  it('passes also when the endpoint closes right afterwards', async () => {
    const server = await start(listenTcp((socket) => socket.end()));
    expect((await tcpBench().run(server.endpoint())).passed).toBe(true);
  });

  it('tells a refused connection', async () => {
    const server = await start(listenTcp(() => undefined));
    const result = await tcpBench().run(server.endpoint({ port: await closedPort() }));
    expect(result).toEqual({ passed: false, reason: 'connect ECONNREFUSED' });
  });

  it('goes by name as well', async () => {
    const server = await start(listenTcp(() => undefined));
    const result = await tcpBench().run(server.endpoint({ host: 'localhost', port: server.port }));
    expect(result).toEqual({ passed: true, reason: 'connected' });
  });

  it('tells a name that does not exist', async () => {
    const server = await start(listenTcp(() => undefined));
    const result = await tcpBench().run(server.endpoint({ host: 'nobody.invalid', port: 80 }));
    expect(result.passed).toBe(false);
    expect(result.reason).toMatch(/^getaddrinfo (ENOTFOUND|EAI_AGAIN)$/);
  });

  it('reaches Unix sockets', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'evenkeel-'));
    try {
      const server = await start(
        listen(
          createServer((socket) => socket.resume()),
          join(folder, 'app.sock'),
        ),
      );
      expect((await tcpBench().run(server.endpoint())).passed).toBe(true);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

describe('TCP check: talking', () => {
  const redis = (): Promise<TestServer> =>
    listenTcp((socket) =>
      socket.on('data', (data) => socket.write(`+PONG ${data.toString('hex')}\r\n`)),
    );

  it('sends and finds the answer', async () => {
    const server = await start(redis());
    const bench = tcpBench({ send: 'PING\r\n', expect: '+PONG' });
    expect(await bench.run(server.endpoint())).toEqual({ passed: true, reason: 'expected answer' });
  });

  it('sends bytes and looks for bytes', async () => {
    const server = await start(redis());
    const bench = tcpBench({ send: { hex: '00ff' }, expect: '00ff' });
    expect((await bench.run(server.endpoint())).passed).toBe(true);
    const other = tcpBench({ send: { hex: '00ff' }, expect: { hex: '2b504f4e47' } });
    expect((await other.run(server.endpoint())).passed).toBe(true);
  });

  it('passes when all is sent and no answer is asked for', async () => {
    let received = '';
    const server = await start(
      listenTcp((socket) => socket.on('data', (data) => (received += data.toString()))),
    );
    expect(await tcpBench({ send: 'hello' }).run(server.endpoint())).toEqual({
      passed: true,
      reason: 'connected',
    });
    await eventually(() => received).toBe('hello');
  });

  it('finds a greeting that comes byte by byte behind other text', async () => {
    const server = await start(
      listenTcp((socket) => {
        const text = [...'abab220abab'];
        const timer = setInterval(() => {
          const next = text.shift();
          if (next === undefined) clearInterval(timer);
          else socket.write(next);
        }, 2);
        socket.on('close', () => clearInterval(timer));
      }),
    );
    expect((await tcpBench({ expect: 'b220a' }).run(server.endpoint())).passed).toBe(true);
  });

  it.each([
    {
      name: 'a wrong answer and then the end',
      onConnection: 'end',
      reason: 'connection closed (waiting for the answer)',
    },
    {
      name: 'a wrong answer and then silence',
      onConnection: 'hang',
      reason: 'timed out after 200 ms (waiting for the answer)',
    },
    {
      name: 'more than anyone wants to read',
      onConnection: 'flood',
      reason: 'no expected answer within 65536 bytes',
    },
    {
      name: 'a reset',
      onConnection: 'reset',
      reason: 'connection reset (waiting for the answer)',
    },
  ])('fails on $name', async ({ onConnection, reason }) => {
    const server = await start(
      listenTcp((socket) =>
        socket.once('data', () => {
          if (onConnection === 'end') socket.end('-ERR\r\n');
          else if (onConnection === 'hang') socket.write('-ERR\r\n');
          else if (onConnection === 'reset') socket.resetAndDestroy();
          else socket.write(Buffer.alloc(1_000_000, '-'));
        }),
      ),
    );
    const timeoutMs = onConnection === 'hang' ? 200 : 20_000;
    const bench = tcpBench({ send: 'PING\r\n', expect: '+PONG', timeoutMs });
    expect(await bench.run(server.endpoint())).toEqual({ passed: false, reason });
    await server.idle();
    await eventually(() => bench.sockets.size).toBe(0);
  });

  it('ends at once when it is aborted', async () => {
    const server = await start(listenTcp(() => undefined));
    const bench = tcpBench({ expect: 'never', timeoutMs: 60_000 });
    const controller = new AbortController();
    const running = bench.run(server.endpoint(), controller.signal);
    await eventually(() => server.openCount).toBe(1);
    controller.abort();
    expect(await running).toEqual({ passed: false, reason: 'aborted' });
    await server.idle();
  });
});
