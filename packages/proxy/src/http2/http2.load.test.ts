/** HTTP/2 under load, by programs that others wrote: h2load and curl. */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import http from 'node:http';
import http2 from 'node:http2';
import type { AddressInfo } from 'node:net';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, describe, expect, it } from 'vitest';
import { requireComponent } from '../../../../test/support/require-component.ts';
import { openssl, TestAuthority } from '../tls/test-support/authority.ts';
import { bytesOf } from './test-support/bytes.ts';
import { Http2World } from './test-support/http2-world.ts';

const run = promisify(execFile);
const h2load = requireComponent('h2load').path;
const curl = requireComponent('curl').path;

let world: Http2World | undefined;
const servers: (http.Server | http2.Http2Server)[] = [];

afterEach(async () => {
  await world?.close();
  world = undefined;
  for (const server of servers.splice(0)) server.close();
});

/** 10,000 bytes that depend on the path. */
const bodyOf = (path: string): Buffer => {
  const digest = createHash('sha256').update(path).digest();
  return Buffer.concat([digest, bytesOf(10_000 - digest.length)]);
};

async function serve(): Promise<{ old: number; modern: number }> {
  const answer = (
    request: { url?: string | undefined },
    response: { end(body: Buffer): unknown },
  ): void => void response.end(bodyOf(request.url ?? ''));
  const old = http.createServer(answer);
  const modern = http2.createServer(answer);
  servers.push(old, modern);
  for (const server of [old, modern]) {
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
  }
  const portOf = (server: { address(): unknown }): number => (server.address() as AddressInfo).port;
  return { old: portOf(old), modern: portOf(modern) };
}

describe.skipIf(h2load === undefined)('h2load', () => {
  it.each([
    ['HTTP/1.1', 'old', false],
    ['HTTP/2', 'modern', { http2: true }],
  ] as const)(
    'gets 20,000 whole answers from endpoints that speak %s',
    async (_, name, upstream) => {
      const ports = await serve();
      world = await Http2World.start({
        endpoints: [ports[name]],
        proxy: upstream === false ? {} : { upstreams: { origin: upstream } },
      });
      const args = [
        '-n',
        '20000',
        '-c',
        '8',
        '-m',
        '50',
        `http://127.0.0.1:${world.port}/some/path`,
      ];
      const { stdout } = await run(h2load as string, args);
      expect(stdout).toContain('20000 succeeded, 0 failed, 0 errored, 0 timeout');
      expect(stdout).toContain('status codes: 20000 2xx, 0 3xx, 0 4xx, 0 5xx');
      expect(stdout).toMatch(/\(200000000\) data/);
      expect(world.counts.streamCount).toBe(20_000);
      await world.until(() => (world as Http2World).counts.openSessionCount === 0);
      expect(world.cluster.snapshot().totals).toMatchObject({
        activeCount: 0,
        outcomes: { success: 20_000 },
      });
    },
  );
});

describe('10,000 requests with contents of their own', () => {
  it.each(['old', 'modern'] as const)('are never mixed up (%s endpoints)', async (name) => {
    const ports = await serve();
    world = await Http2World.start({
      endpoints: [ports[name]],
      proxy: name === 'old' ? {} : { upstreams: { origin: { http2: true } } },
    });
    const clients = Array.from({ length: 4 }, () => (world as Http2World).connect());
    let count = 0;
    const work = async (worker: number): Promise<void> => {
      const client = clients[worker % clients.length];
      for (let round = 0; round < 100; round++) {
        const path = `/${worker}/${round}`;
        const answer = await client?.get(path);
        if (answer?.body.equals(bodyOf(path)) === true) count++;
      }
    };
    await Promise.all(Array.from({ length: 100 }, (_, worker) => work(worker)));
    expect(count).toBe(10_000);
    expect(world.counts).toMatchObject({ streamCount: 10_000, openStreamCount: 0 });
  });
});

describe.skipIf(curl === undefined || openssl === undefined)('curl', () => {
  it('speaks HTTP/2 by ALPN and by prior knowledge', async () => {
    const authority = await TestAuthority.create();
    const { pem } = await authority.issue({ names: ['127.0.0.1'] });
    const ports = await serve();
    const http = { routes: [{ cluster: 'origin' }] };
    world = await Http2World.start({
      endpoints: [ports.modern],
      proxy: {
        upstreams: { origin: { http2: true } },
        listeners: [
          { listen: '127.0.0.1:0', http },
          { listen: '127.0.0.1:0', tls: { certificates: [pem] }, http },
        ],
      },
    });
    const [clear, secure] = world.proxy.addresses;
    const folder = await mkdtemp(join(tmpdir(), 'evenkeel-curl-'));
    const target = join(folder, 'body');
    const ask = async (...args: string[]): Promise<string> => {
      const { stdout } = await run(curl as string, [
        '-sS',
        '-o',
        target,
        '-w',
        '%{http_version} %{http_code}',
        ...args,
      ]);
      expect((await readFile(target)).equals(bodyOf('/x'))).toBe(true);
      return stdout;
    };
    const trust = ['--cacert', authority.certFile];
    expect(await ask('--http2-prior-knowledge', `http://127.0.0.1:${clear?.port}/x`)).toBe('2 200');
    expect(await ask('--http1.1', `http://127.0.0.1:${clear?.port}/x`)).toBe('1.1 200');
    // An upgrade to HTTP/2 is not taken, and the request is answered.
    expect(await ask('--http2', `http://127.0.0.1:${clear?.port}/x`)).toBe('1.1 200');
    expect(await ask('--http2', ...trust, `https://127.0.0.1:${secure?.port}/x`)).toBe('2 200');
    expect(await ask('--http1.1', ...trust, `https://127.0.0.1:${secure?.port}/x`)).toBe('1.1 200');
    await rm(folder, { recursive: true });
    await authority.dispose();
  });
});
