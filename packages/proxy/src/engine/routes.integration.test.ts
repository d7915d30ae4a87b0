/** Routes, splits, rewrites and answers of the proxy's own, over real sockets. */
import { createCluster, type Cluster, type HashKeyRequest } from '@evenkeel/core';
import { afterEach, describe, expect, it } from 'vitest';
import type { RouteOptions } from '../index.ts';
import { type FixtureOptions, ProxyFixture } from './test-support/proxy-fixture.ts';
import { answering, OK, type OriginConnection } from './test-support/scripted-origin.ts';

let fixture: ProxyFixture;
const others: Cluster[] = [];
afterEach(async () => {
  await fixture.close();
  for (const cluster of others.splice(0)) await cluster.close();
});

/** Answers with the name of the origin and what came. */
function echoing({ received, write }: OriginConnection, origin: number): void {
  if (!received.endsWith('\r\n\r\n')) return;
  const last = received.split('\r\n\r\n').at(-2) ?? '';
  const text = `${origin}: ${last.split('\r\n').slice(0, 2).join(' | ')}`;
  write(`HTTP/1.1 200 OK\r\ncontent-length: ${text.length + 1}\r\n\r\n${text}\n`);
}

async function start(
  routes: readonly RouteOptions[],
  onData: (connection: OriginConnection, origin: number) => void = echoing,
  options: FixtureOptions = {},
): Promise<void> {
  fixture = await ProxyFixture.start(onData, {
    ...options,
    proxyOf: (cluster) => ({
      clusters: [cluster, ...others],
      listeners: [{ listen: '127.0.0.1:0', http: { routes } }],
    }),
  });
}

/** Sends a request on a connection of its own and returns the whole response. */
async function ask(head: string, body = ''): Promise<string> {
  const client = await fixture.connect();
  const lines = head.includes('host:') ? head : `${head}\nhost: a`;
  client.send(`${lines.replaceAll('\n', '\r\n')}\r\nconnection: close\r\n\r\n${body}`);
  await client.untilEnd();
  return client.received;
}

const bodyOf = (response: string): string => response.split('\r\n\r\n')[1] ?? '';

describe('a route', () => {
  it('may ask for methods, headers and a query', async () => {
    await start([
      { match: { methods: ['DELETE'] }, respond: { status: 403 } },
      { match: { headers: { 'X-Team': { prefix: 'blue' } } }, respond: { status: 418 } },
      { match: { query: { v: { exact: '2' } } }, respond: { status: 410 } },
      { cluster: 'origin' },
    ]);
    expect(await ask('DELETE / HTTP/1.1')).toMatch(/^HTTP\/1\.1 403 /);
    expect(await ask('GET / HTTP/1.1\nx-team: blue-1')).toMatch(/^HTTP\/1\.1 418 /);
    expect(await ask('GET /?v=2 HTTP/1.1')).toMatch(/^HTTP\/1\.1 410 /);
    expect(await ask('GET /?v=3 HTTP/1.1\nx-team: red')).toMatch(/^HTTP\/1\.1 200 /);
  });

  it('may respond by itself, with and without a body', async () => {
    await start([
      {
        match: { path: { exact: '/healthz' } },
        respond: { status: 200, body: 'fine\u00e9', headers: { 'X-A': 'b' } },
      },
      { match: { path: { exact: '/empty' } }, respond: { status: 204 } },
    ]);
    const client = await fixture.connect();
    client.send(
      'GET /healthz HTTP/1.1\r\nhost: a\r\n\r\nHEAD /healthz HTTP/1.1\r\nhost: a\r\n\r\n',
    );
    client.send('POST /empty HTTP/1.1\r\nhost: a\r\ncontent-length: 3\r\n\r\nabc');
    await client.until(({ received }) => received.includes('204 No Content\r\n\r\n'));
    const head =
      'HTTP/1.1 200 OK\r\ncontent-type: text/plain; charset=utf-8\r\nX-A: b\r\ncontent-length: 6\r\n\r\n';
    const body = Buffer.from('fine\u00e9').toString('latin1');
    expect(client.received).toBe(`${head}${body}${head}HTTP/1.1 204 No Content\r\n\r\n`);
    expect(fixture.proxy.stats.counters.statusCounts[2]).toBe(3);
  });

  it('may redirect', async () => {
    await start([{ redirect: { status: 308, scheme: 'https' } }]);
    const response = await ask('GET /a?b HTTP/1.1\nhost: x.example:8080');
    expect(response).toMatch(
      /^HTTP\/1\.1 308 Permanent Redirect\r\nlocation: https:\/\/x\.example\/a\?b\r\n/,
    );
  });

  it.each([
    ['/api/', '/', 'GET /api/users?x HTTP/1.1', 'GET /users?x HTTP/1.1'],
    ['/api', '/v2', 'GET /api/users HTTP/1.1', 'GET /v2/users HTTP/1.1'],
    ['/api', '/', 'GET /api/users HTTP/1.1', 'GET /users HTTP/1.1'],
    ['/api', '/', 'GET /api?x HTTP/1.1', 'GET /?x HTTP/1.1'],
    ['/', '/in/', 'GET http://a HTTP/1.1', 'GET /in/ HTTP/1.1'],
    ['/', '/in/', 'GET http://a/b?c HTTP/1.1', 'GET /in/b?c HTTP/1.1'],
  ])('for %s may rewrite it to %s', async (prefix, by, line, expected) => {
    await start([
      { match: { path: { prefix } }, cluster: 'origin', rewrite: { prefix: by, host: 'inner:80' } },
    ]);
    expect(bodyOf(await ask(line))).toBe(`0: ${expected} | host: inner:80\n`);
    expect(fixture.receivedBy(0).match(/^host:/gm)).toHaveLength(1);
    expect(fixture.receivedBy(0)).toContain('x-forwarded-host: a\r\n');
  });

  it.each([
    [{ template: '/users/{id}/{rest*}' }, '/v2/{rest}?u={id}', undefined, 'refused'],
    [
      { template: '/users/{id}/{rest*}' },
      '/v2/{rest}/of/{id}',
      'GET /users/7/a/b?x HTTP/1.1',
      'GET /v2/a/b/of/7?x HTTP/1.1',
    ],
    [
      { regex: '/v([0-9]+)/(?P<rest>.*)' },
      '/{rest}/{1}',
      'GET /v12/a%20b HTTP/1.1',
      'GET /a%20b/12 HTTP/1.1',
    ],
    [{ prefix: '/old/' }, '/new', 'GET /old/a?x HTTP/1.1', 'GET /new?x HTTP/1.1'],
    [{ template: '/users/{id}' }, '/{name}', undefined, 'refused'],
  ])('for the path %j may give the endpoint %s', async (path, to, line, expected) => {
    const started = start([{ match: { path }, cluster: 'origin', rewrite: { path: to } }]);
    if (line === undefined) {
      await expect(started).rejects.toThrow('rewrite.path');
      fixture = await ProxyFixture.start(() => undefined);
      return;
    }
    await started;
    expect(bodyOf(await ask(line))).toContain(`0: ${expected} | `);
  });

  it('may have a time limit of its own', async () => {
    await start(
      [
        { match: { path: { exact: '/slow' } }, cluster: 'origin', timeoutMs: 50 },
        { cluster: 'origin' },
      ],
      () => undefined,
    );
    expect(await ask('GET /slow HTTP/1.1')).toMatch(/^HTTP\/1\.1 504 /);
    expect(fixture.proxy.stats.counters.refusals['upstream-timeout']).toBe(1);
  });
});

describe('a split', () => {
  it('divides requests between clusters, and keeps keys where they are', async () => {
    const second = await ProxyFixture.start((connection) => echoing(connection, 9));
    others.push(
      createCluster({ name: 'canary', discovery: [`127.0.0.1:${second.origins[0]!.port}`] }),
    );
    await others[0]!.ready();
    await start([
      {
        match: { path: { exact: '/drawn' } },
        split: [
          { cluster: 'origin', weight: 1 },
          { cluster: 'canary', weight: 1 },
        ],
      },
      {
        split: [
          { cluster: 'origin', weight: 1 },
          { cluster: 'canary', weight: 1 },
        ],
        stickyBy: { header: 'X-User' },
      },
    ]);
    const drawn = new Set<string>();
    for (let count = 0; count < 40; count++)
      drawn.add(bodyOf(await ask('GET /drawn HTTP/1.1'))[0]!);
    expect(drawn).toEqual(new Set(['0', '9']));
    for (const user of ['ann', 'bob', 'eve']) {
      const first = bodyOf(await ask(`GET / HTTP/1.1\nx-user: ${user}`));
      for (let count = 0; count < 5; count++)
        expect(bodyOf(await ask(`GET / HTTP/1.1\nx-user: ${user}`))).toBe(first);
    }
    await second.close();
  });

  it('may divide between the subsets of one cluster', async () => {
    const subset = (version: string) => ({ cluster: 'origin', subset: { version }, weight: 1 });
    await start(
      [
        { match: { path: { exact: '/one' } }, cluster: 'origin', subset: { version: '1' } },
        { split: [{ ...subset('1'), weight: 0 }, subset('2')] },
      ],
      undefined,
      {
        origins: 2,
        clusterOf: (ports) => ({
          discovery: ports.map((port, index) => ({
            address: `127.0.0.1:${port}`,
            metadata: { version: String(index + 1) },
          })),
          topology: { subsets: { selectors: [{ keys: ['version'], fallback: 'none' }] } },
        }),
      },
    );
    for (let count = 0; count < 6; count++) {
      expect(bodyOf(await ask('GET /one HTTP/1.1'))).toMatch(/^0: /);
      expect(bodyOf(await ask('GET /two HTTP/1.1'))).toMatch(/^1: /);
    }
    const counts = fixture.proxy.stats.routes.map(({ route, cluster, statusCounts }) => [
      `${route} ${cluster}`,
      statusCounts[2],
    ]);
    expect(counts.slice(1)).toEqual([
      ['/one origin version=1', 6],
      ['/* origin version=1', 0],
      ['/* origin version=2', 6],
    ]);
  });
});

describe('affinity', () => {
  const sources = [
    [{ header: 'X-User' }, (key: string) => `GET / HTTP/1.1\nx-user: ${key}`],
    [{ cookie: 'user' }, (key: string) => `GET / HTTP/1.1\ncookie: a=b\ncookie: user=${key}`],
    [{ path: true as const }, (key: string) => `GET /${key}?x HTTP/1.1`],
    [{ query: 'user' }, (key: string) => `GET /?a=b&user=${key} HTTP/1.1`],
  ] as const;

  it.each(sources)(
    'by %j sends a key to the endpoint that core would pick',
    async (hashKey, of) => {
      await start([{ cluster: 'origin' }], undefined, {
        origins: 4,
        cluster: { policy: { name: 'maglev', hashKey } },
      });
      for (let user = 0; user < 12; user++) {
        const key = `user-${user}`;
        const slot = fixture.cluster.pick({ hashKey: 'path' in hashKey ? `/${key}` : key });
        const port = fixture.cluster.endpoint(slot)?.id.split(':')[1];
        const origin = fixture.origins.findIndex((one) => String(one.port) === port);
        expect(bodyOf(await ask(of(key)))).toMatch(new RegExp(`^${origin}: `));
      }
    },
  );

  it('by source address sends a client to one endpoint', async () => {
    await start([{ cluster: 'origin' }], undefined, {
      origins: 4,
      cluster: { policy: { name: 'maglev', hashKey: { sourceAddress: true } } },
    });
    const bodies = new Set<string>();
    for (let count = 0; count < 8; count++) bodies.add(bodyOf(await ask('GET / HTTP/1.1'))[0]!);
    expect(bodies.size).toBe(1);
  });

  it('goes elsewhere when the endpoint of the key fails', async () => {
    await start(
      [{ cluster: 'origin', retry: { attempts: 3 } }],
      (connection, origin) => {
        if (origin === 0) connection.socket.resetAndDestroy();
        else echoing(connection, origin);
      },
      { origins: 2, cluster: { policy: { name: 'maglev', hashKey: { header: 'x-user' } } } },
    );
    for (let user = 0; user < 8; user++)
      expect(bodyOf(await ask(`GET / HTTP/1.1\nx-user: ${user}`))).toMatch(/^1: /);
  });

  it('by a function that throws costs that request, and nothing else', async () => {
    await start([{ cluster: 'origin' }], answering(OK), {
      cluster: {
        policy: {
          name: 'maglev',
          hashKey: ({ path }: HashKeyRequest) => {
            if (path === '/bad') throw new Error('no key');
            return path;
          },
        },
      },
    });
    expect(await ask('GET /bad HTTP/1.1')).toMatch(/^HTTP\/1\.1 500 /);
    expect(await ask('GET /good HTTP/1.1')).toMatch(/^HTTP\/1\.1 200 /);
    expect(fixture.proxy.stats.counters.refusals.internal).toBe(1);
  });
});
