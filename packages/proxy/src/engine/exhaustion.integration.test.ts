/** What a proxy does when its process runs out of something, and that it holds on to nothing. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import type net from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { ProxyFixture } from './test-support/proxy-fixture.ts';
import { RawClient } from './test-support/raw-client.ts';
import { answering, OK, scriptedOrigin } from './test-support/scripted-origin.ts';

const SCRIPT = new URL('test-support/proxy-process.ts', import.meta.url).pathname;
const GET = 'GET / HTTP/1.1\r\nhost: a\r\n\r\n';
const LIMIT = { timeout: 10_000 };

interface Figures {
  readonly clientCount: number;
  readonly upstreamCount: number;
  readonly requestCount: number;
  readonly residentBytes: number;
}

class ProxyProcess {
  readonly port: number;
  readonly #child: ChildProcess;

  constructor(child: ChildProcess, port: number) {
    this.#child = child;
    this.port = port;
  }

  /** @param files how many file descriptors it may have */
  static async start(originPort: number, files = 1_024): Promise<ProxyProcess> {
    const child = spawn(
      'sh',
      [
        ...['-c', `ulimit -n ${files}; exec "$@"`, 'sh'],
        ...[process.execPath, '--conditions=@evenkeel/source', SCRIPT, String(originPort)],
      ],
      { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] },
    );
    const failed = once(child, 'exit').then(([code]) => {
      throw new Error(`the proxy ended with ${code}`);
    });
    const begun = once(child, 'message') as Promise<[{ port: number }]>;
    const [{ port }] = await Promise.race([begun, failed]);
    failed.catch(() => undefined);
    return new ProxyProcess(child, port);
  }

  async figures(): Promise<Figures> {
    const answer = once(this.#child, 'message');
    this.#child.send('figures');
    const [figures] = (await answer) as [Figures];
    return figures;
  }

  async stop(): Promise<void> {
    const gone = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await gone;
  }
}

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

const opened = (port: number): RawClient => {
  const client = new RawClient(port);
  cleanups.push(() => client.destroy());
  return client;
};

describe('without file descriptors', () => {
  it('clients that are there are served, nobody hangs, and all is well afterwards', async () => {
    const origin = await scriptedOrigin(answering(OK));
    cleanups.push(() => origin.close());
    const proxy = await ProxyProcess.start(origin.port, 64);
    cleanups.push(() => proxy.stop());
    const first = await opened(proxy.port).send(GET).untilText('ok');

    const others = Array.from({ length: 100 }, () => opened(proxy.port).send(GET));
    // Whoever cannot be taken in is turned away, and whoever cannot be passed on is told so.
    await Promise.all(
      others.map((client) =>
        client.until(
          () => client.ended || client.closed || /HTTP\/1\.1 (?:200|50[23]) /.test(client.received),
        ),
      ),
    );
    expect(others.some(({ received }) => !received.includes(' 200 '))).toBe(true);
    for (let count = 2; count < 10; count++)
      await first.send(GET).until(() => first.received.split('200 OK').length > count);

    for (const client of others) client.destroy();
    await expect.poll(async () => (await proxy.figures()).clientCount, LIMIT).toBe(1);
    const later = await opened(proxy.port).send(GET).untilText('\r\n\r\n');
    expect(later.received).toContain('200 OK');
  });
});

const PIECE = Buffer.alloc(65_536, 'x');
const CLIENTS = 8;
const PLENTY = 256_000_000;
/** Far below what 8 times 256 MB would be, far above what a process grows by in this time anyway. */
const MOST_GROWTH = 150_000_000;

/** Writes as fast as the other side takes it. @returns how much it has taken so far */
function pour(socket: net.Socket, bytes = PLENTY): () => number {
  let written = 0;
  const pump = (): void => {
    while (written < bytes) {
      written += PIECE.length;
      if (!socket.write(PIECE)) {
        socket.once('drain', pump);
        return;
      }
    }
  };
  pump();
  return () => written;
}

/** Waits until nothing moves any more. */
async function still(sum: () => number): Promise<void> {
  for (let before = -1; before !== sum();) {
    before = sum();
    await new Promise((resolve) => setTimeout(resolve, 300));
  }
}

describe('memory', () => {
  it('does not grow with what clients do not read', async () => {
    const poured: (() => number)[] = [];
    const origin = await scriptedOrigin((connection) => {
      if (!connection.received.endsWith('\r\n\r\n')) return;
      connection.received = '';
      connection.write(`HTTP/1.1 200 OK\r\ncontent-length: ${PLENTY}\r\n\r\n`);
      poured.push(pour(connection.socket));
    });
    cleanups.push(() => origin.close());
    const proxy = await ProxyProcess.start(origin.port);
    cleanups.push(() => proxy.stop());
    const before = await proxy.figures();
    for (let index = 0; index < CLIENTS; index++) opened(proxy.port).send(GET).socket.pause();
    await expect.poll(() => poured.length, LIMIT).toBe(CLIENTS);
    await still(() => poured.reduce((sum, written) => sum + written(), 0));
    const after = await proxy.figures();
    expect(after.residentBytes - before.residentBytes).toBeLessThan(MOST_GROWTH);
    // What is under way is in the buffers of the kernel.
    for (const written of poured) expect(written()).toBeLessThan(PLENTY / 2);
  });

  it('does not grow with what endpoints do not read', async () => {
    const origin = await scriptedOrigin(
      () => undefined,
      ({ socket }) => socket.pause(),
    );
    cleanups.push(() => origin.close());
    const proxy = await ProxyProcess.start(origin.port);
    cleanups.push(() => proxy.stop());
    const before = await proxy.figures();
    const poured = Array.from({ length: CLIENTS }, () => {
      const { socket } = opened(proxy.port).send(
        `POST / HTTP/1.1\r\nhost: a\r\ncontent-length: ${PLENTY}\r\n\r\n`,
      );
      return pour(socket);
    });
    await expect.poll(async () => (await proxy.figures()).requestCount, LIMIT).toBe(CLIENTS);
    await still(() => poured.reduce((sum, written) => sum + written(), 0));
    const after = await proxy.figures();
    expect(after.residentBytes - before.residentBytes).toBeLessThan(MOST_GROWTH);
    for (const written of poured) expect(written()).toBeLessThan(PLENTY / 2);
  });
});

describe('2,000 requests that fail in every way', () => {
  it('leave nothing behind', async () => {
    const faults: Readonly<Record<string, string>> = {
      garbage: 'garbage\r\n\r\n',
      short: 'HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nabc',
      chunk: 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\na\r\nzz\r\n',
      large: `HTTP/1.1 200 OK\r\nx: ${'y'.repeat(20_000)}\r\n\r\n`,
      extra: `${OK}more`,
      early: 'HTTP/1.1 413 No\r\ncontent-length: 0\r\n\r\n',
      switch: 'HTTP/1.1 101 Go\r\nupgrade: x\r\n\r\n',
      busy: 'HTTP/1.1 503 Busy\r\ncontent-length: 0\r\n\r\n',
    };
    const fixture = await ProxyFixture.start(
      (connection) => {
        const path = /^\S+ \/(\w+)/.exec(connection.received)?.[1];
        if (path === undefined || !connection.received.includes('\r\n\r\n')) return;
        connection.received = '';
        if (path === 'reset') connection.socket.resetAndDestroy();
        else if (path === 'end') connection.socket.end();
        else if (path !== 'hang') {
          connection.write(faults[path] ?? OK);
          if (path === 'short') connection.socket.end();
        }
      },
      {
        origins: 2,
        cluster: { outlierDetection: false },
        // Clients that leave with FIN may still want their response: those of a silent endpoint wait so long.
        proxy: { timeouts: { responseHeadMs: 300 } },
      },
    );
    cleanups.push(() => fixture.close());
    const paths = [...Object.keys(faults), 'reset', 'end', 'hang', 'good'];
    const requests: readonly string[] = [
      ...paths.map((path) => `GET /${path} HTTP/1.1\r\nhost: a\r\n\r\n`),
      ...paths.map((path) => `POST /${path} HTTP/1.1\r\nhost: a\r\ncontent-length: 9\r\n\r\nabc`),
      'POST /good HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n1\r\na\r\nzz\r\n',
      'GET / HTTP/1.1\r\n\r\n',
      'GET / HT',
      'GET /good HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n',
    ];
    /** Requests after which nothing comes by itself: their clients leave. */
    const isStuck = (request: string): boolean =>
      / \/hang |HT$/.test(request) || /^POST \/good .*\r\ncontent-length/s.test(request);
    const one = async (index: number): Promise<void> => {
      const client = await new RawClient(fixture.port).connected();
      const request = requests[index % requests.length] as string;
      client.send(request);
      if (isStuck(request)) await new Promise((resolve) => setTimeout(resolve, 1));
      else
        await client.until(
          () => client.ended || client.closed || client.received.includes('\r\n\r\n'),
        );
      if (index % 3 === 0) client.socket.resetAndDestroy();
      else client.destroy();
    };
    let next = 0;
    const worker = async (): Promise<void> => {
      while (next < 2_000) await one(next++);
    };
    await Promise.all(Array.from({ length: 16 }, worker));
    await expect.poll(() => fixture.proxy.stats.clientCount, LIMIT).toBe(0);
    const { totals, endpoints } = fixture.cluster.snapshot();
    expect(totals.activeCount).toBe(0);
    expect(endpoints.map(({ activeCount }) => activeCount)).toEqual([0, 0]);
    // Only connections that may serve again.
    const open = fixture.origins.flatMap(({ connections }) =>
      connections.filter(({ socket }) => !socket.destroyed),
    );
    await expect
      .poll(() => fixture.proxy.stats.upstreamCount, LIMIT)
      .toBeLessThanOrEqual(open.length);
    const client = await fixture.connect();
    for (let count = 1; count < 20; count++)
      await client
        .send('GET /good HTTP/1.1\r\nhost: a\r\n\r\n')
        .until(() => client.received.split('200 OK').length > count);
  });
});
