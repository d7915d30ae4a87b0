/** Every kind of filter in a real proxy, between real sockets. */
import { createHash } from 'node:crypto';
import zlib from 'node:zlib';
import { createCluster } from '@evenkeel/core';
import { afterEach, describe, expect, it } from 'vitest';
import { Authorizer } from './test-support/authorizer.ts';
import { FilteredProxy, type FilteredOptions } from './test-support/filtered-proxy.ts';
import { Issuer, issuerKey, sign } from './test-support/issuer.ts';

const open: { close(): Promise<unknown> }[] = [];
afterEach(async () => {
  for (const one of open.splice(0).toReversed()) await one.close();
});

function keep<T extends { close(): Promise<unknown> }>(made: T): T {
  open.push(made);
  return made;
}

const start = async (options: FilteredOptions): Promise<FilteredProxy> =>
  keep(await FilteredProxy.start(options));

const TEXT = Buffer.from('a line that comes again and again\n'.repeat(5_000));

describe('filters in a proxy', () => {
  it('edit headers', async () => {
    const proxy = await start({
      filters: [
        {
          headers: {
            request: {
              set: { 'x-client': '%{client.address}', 'x-route': '%{route}' },
              remove: ['x-old'],
            },
            response: { set: { 'x-status': '%{response.status}' }, append: { 'x-a': 'b' } },
          },
        },
      ],
      routes: [{ name: 'all', cluster: 'origin' }],
    });
    const { headers } = await proxy.ask('/', { headers: { 'x-old': '1', 'x-client': 'me' } });
    expect(proxy.seen[0]?.headers).toMatchObject({ 'x-client': '127.0.0.1', 'x-route': 'all' });
    expect(proxy.seen[0]?.headers).not.toHaveProperty('x-old');
    expect(headers).toMatchObject({ 'x-status': '200', 'x-a': 'b' });
  });

  it('answer preflight requests, and name origins also on refusals', async () => {
    const proxy = await start({
      filters: [
        { cors: { origins: ['https://a.example'], methods: ['PUT'] } },
        { ipAccess: { deny: ['127.0.0.1'] } },
      ],
      routes: [
        { cluster: 'origin', skipFilters: ['ipAccess'], match: { path: { exact: '/open' } } },
        { cluster: 'origin' },
      ],
    });
    const origin = 'https://a.example';
    const preflight = await proxy.ask('/', {
      method: 'OPTIONS',
      headers: { origin, 'access-control-request-method': 'PUT' },
    });
    expect(preflight.status).toBe(204);
    expect(preflight.headers).toMatchObject({
      'access-control-allow-origin': origin,
      'access-control-allow-methods': 'PUT',
    });
    const denied = await proxy.ask('/', { headers: { origin } });
    expect([denied.status, denied.headers['access-control-allow-origin']]).toEqual([403, origin]);
    expect((await proxy.ask('/open', { headers: { origin } })).status).toBe(200);
    expect(proxy.seen).toHaveLength(1);
  });

  it('know clients by what trusted proxies say of them', async () => {
    const proxy = await start({
      filters: [{ ipAccess: { allow: ['10.0.0.0/8'] } }],
      proxy: { trustedProxies: ['127.0.0.1'] },
    });
    const from = async (address: string) =>
      (await proxy.ask('/', { headers: { 'x-forwarded-for': address } })).status;
    expect([await from('10.1.2.3'), await from('192.0.2.1')]).toEqual([200, 403]);
  });

  it('ask for passwords', async () => {
    const salt = Buffer.from('0123456789abcdef');
    const digest = createHash('sha256').update(salt).update('pw').digest();
    const encoded = (bytes: Buffer): string => bytes.toString('base64').replaceAll('=', '');
    const passwordHash = `$sha256$${encoded(salt)}$${encoded(digest)}`;
    const proxy = await start({
      filters: [{ basicAuth: { users: [{ name: 'jo', passwordHash }], userHeader: 'x-user' } }],
    });
    const { status, headers } = await proxy.ask();
    expect([status, headers['www-authenticate']]).toEqual([
      401,
      'Basic realm="Restricted", charset="UTF-8"',
    ]);
    const authorization = `Basic ${Buffer.from('jo:pw').toString('base64')}`;
    expect((await proxy.ask('/', { headers: { authorization } })).status).toBe(200);
    expect(proxy.seen[0]?.headers['x-user']).toBe('jo');
    expect(proxy.seen[0]?.headers).not.toHaveProperty('authorization');
  });

  it('check tokens of an issuer, with the keys that it changes to', async () => {
    const [key, next] = await Promise.all([issuerKey('a'), issuerKey('b', 'RS256')]);
    const issuer = keep(await Issuer.start([key]));
    const proxy = await start({
      filters: [
        {
          jwt: {
            jwksUrl: issuer.url,
            issuer: 'me',
            audience: 'api',
            minRefreshMs: 100,
            claimsToHeaders: { 'x-user': 'sub' },
          },
        },
      ],
    });
    const ask = async (token: string) =>
      (await proxy.ask('/', { headers: { authorization: `Bearer ${token}` } })).status;
    expect(await ask(await sign(key))).toBe(200);
    expect(proxy.seen[0]?.headers['x-user']).toBe('jo');
    expect(await ask('x.y.z')).toBe(401);
    expect((await proxy.ask()).headers['www-authenticate']).toBe('Bearer realm="jwt"');
    issuer.keys = [next];
    const token = await sign(next);
    await expect.poll(() => ask(token)).toBe(200);
    expect(await ask(await sign(key))).toBe(401);
  });

  it('ask a service of a cluster, and pass its refusal on', async () => {
    const service = keep(await Authorizer.start());
    service.answer = (request, response) => {
      if (request.headers.authorization === 'let me in') response.setHeader('x-user', 'jo').end();
      else response.writeHead(302, { location: 'https://login.example/' }).end('log in');
    };
    const cluster = createCluster({ name: 'auth', discovery: [`127.0.0.1:${service.port}`] });
    const proxy = await start({
      filters: [{ externalAuthorization: { cluster: 'auth', copyToRequest: ['x-user'] } }],
      clusters: [cluster],
    });
    const refused = await proxy.ask('/a', { headers: { 'x-user': 'admin' } });
    expect([refused.status, refused.headers.location, String(refused.body)]).toEqual([
      302,
      'https://login.example/',
      'log in',
    ]);
    expect((await proxy.ask('/a', { headers: { authorization: 'let me in' } })).status).toBe(200);
    expect(proxy.seen.map(({ headers }) => headers['x-user'])).toEqual(['jo']);
  });

  it('limit rates, and keep their count when the rest of the configuration changes', async () => {
    const limit = { rateLimit: { requestsPerSecond: 0.001, burst: 2 } };
    const proxy = await start({ filters: [limit] });
    const first = await proxy.ask();
    expect(first.headers).toMatchObject({
      'ratelimit-policy': '"default";q=2;w=2000',
      ratelimit: '"default";r=1;t=1000',
    });
    await proxy.apply({ filters: [{ headers: {} }, { ...limit }] });
    expect((await proxy.ask()).status).toBe(200);
    const refused = await proxy.ask();
    expect(refused.status).toBe(429);
    expect(Number(refused.headers['retry-after'])).toBeGreaterThan(900);
    expect(proxy.statusOf('rateLimit')).toMatchObject({ rejectedCount: 1 });
    await proxy.apply({ filters: [{ rateLimit: { requestsPerSecond: 1_000 } }] });
    expect((await proxy.ask()).status).toBe(200);
  });

  it('hold clients that are refused too often', async () => {
    const proxy = await start({
      filters: [
        { tarpit: { refusals: 2, delayMs: 300, forgivenPerSecond: 0.001 } },
        { ipAccess: { deny: ['127.0.0.1'] } },
      ],
    });
    await proxy.ask();
    await proxy.ask();
    const held = proxy.ask();
    await expect.poll(() => proxy.statusOf('tarpit')?.['heldCount']).toBe(1);
    expect((await held).status).toBe(403);
    expect(proxy.statusOf('tarpit')?.['heldCount']).toBe(0);
  });

  it('pace bodies in both directions, and keep them whole', async () => {
    const rate = {
      requestBytesPerSecond: 400_000,
      responseBytesPerSecond: 400_000,
      burstBytes: 10_000,
    };
    const proxy = await start({ filters: [{ bandwidth: rate }] });
    proxy.respond = ({ body }, response) =>
      void response.setHeader('content-length', body.length).end(body);
    const startedMs = performance.now();
    const { body, headers } = await proxy.ask('/', { method: 'POST', body: TEXT });
    // A lower bound: what must not be faster. 170,000 bytes less the burst, twice.
    expect(performance.now() - startedMs).toBeGreaterThan(
      ((2 * (TEXT.length - 10_000)) / 400_000) * 1_000 - 50,
    );
    expect(body.equals(TEXT)).toBe(true);
    expect(headers['content-length']).toBe(String(TEXT.length));
  });

  it('refuse bodies that are too long, announced or not', async () => {
    const proxy = await start({ filters: [{ bodyLimit: { maxBytes: 1_000 } }] });
    const ask = async (size: number, chunks: number) => {
      const body =
        chunks === 1
          ? Buffer.alloc(size)
          : Array.from({ length: chunks }, () => Buffer.alloc(size / chunks));
      const headers: Record<string, string> =
        chunks === 1 ? { 'content-length': String(size) } : {};
      return (await proxy.ask('/', { method: 'POST', body, headers })).status;
    };
    expect([await ask(1_000, 1), await ask(1_000, 4)]).toEqual([200, 200]);
    expect([await ask(1_001, 1), await ask(40_000, 4)]).toEqual([413, 413]);
    expect(proxy.seen.map(({ body }) => body.length)).toEqual([1_000, 1_000]);
  });

  it('compress responses, which browsers get back whole', async () => {
    const proxy = await start({ filters: [{ compression: { codings: ['br', 'gzip', 'zstd'] } }] });
    proxy.respond = ({ url }, response) => {
      response.setHeader('content-type', 'text/plain').setHeader('etag', '"v1"');
      if (url === '/length') response.setHeader('content-length', TEXT.length).end(TEXT);
      else {
        for (let at = 0; at < TEXT.length; at += 10_000)
          response.write(TEXT.subarray(at, at + 10_000));
        response.end();
      }
    };
    const decoders = {
      gzip: zlib.gunzipSync,
      br: zlib.brotliDecompressSync,
      zstd: zlib.zstdDecompressSync,
    };
    for (const path of ['/length', '/chunks']) {
      for (const [coding, decode] of Object.entries(decoders)) {
        const { headers, body } = await proxy.ask(path, { headers: { 'accept-encoding': coding } });
        expect(headers).toMatchObject({
          'content-encoding': coding,
          etag: 'W/"v1"',
          vary: 'Accept-Encoding',
        });
        expect(headers).not.toHaveProperty('content-length');
        expect(body.length).toBeLessThan(TEXT.length / 20);
        expect(decode(body).equals(TEXT)).toBe(true);
      }
      const plain = await proxy.ask(path);
      expect(plain.body.equals(TEXT)).toBe(true);
      expect(plain.headers['etag']).toBe('"v1"');
    }
    const head = await proxy.ask('/length', {
      method: 'HEAD',
      headers: { 'accept-encoding': 'gzip' },
    });
    expect(head.headers).not.toHaveProperty('content-encoding');
    expect(proxy.statusOf('compression')).toEqual({ runningCount: 0, skippedCount: 0 });
  });

  it('see what the proxy answers by itself, too', async () => {
    const away = createCluster({ name: 'away', discovery: ['127.0.0.1:1'] });
    const proxy = await start({
      filters: [{ cors: { origins: ['https://a.example'] } }, { compression: {} }],
      routes: [
        { match: { path: { exact: '/away' } }, cluster: 'away' },
        { match: { path: { exact: '/text' } }, respond: { status: 200, body: TEXT.toString() } },
      ],
      clusters: [away],
    });
    const headers = { origin: 'https://a.example', 'accept-encoding': 'gzip' };
    const failed = await proxy.ask('/away', { headers });
    expect(failed.status).toBeGreaterThanOrEqual(502);
    expect(failed.headers['access-control-allow-origin']).toBe('https://a.example');
    const text = await proxy.ask('/text', { headers });
    expect(text.headers).toMatchObject({
      'access-control-allow-origin': 'https://a.example',
      'content-encoding': 'gzip',
    });
    expect(zlib.gunzipSync(text.body).equals(TEXT)).toBe(true);
  });

  it('let each event of a stream through at once, compressed', async () => {
    const proxy = await start({ filters: [{ compression: {} }] });
    let send: (text: string) => void = () => undefined;
    proxy.respond = (_, response) => {
      response.setHeader('content-type', 'text/event-stream');
      send = (text) => void response.write(text);
      send('data: 1\n\n');
    };
    const abort = new AbortController();
    const response = await fetch(proxy.url, {
      signal: abort.signal,
      headers: { 'accept-encoding': 'gzip' },
    });
    expect(response.headers.get('content-encoding')).toBe('gzip');
    const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
    expect(await reader.read()).toEqual({ done: false, value: 'data: 1\n\n' });
    send('data: 2\n\n');
    expect(await reader.read()).toEqual({ done: false, value: 'data: 2\n\n' });
    abort.abort();
    // A client that only stopped sending would still want the rest: it takes bytes to find out.
    await expect
      .poll(() => {
        send('data: more\n\n');
        return proxy.statusOf('compression')?.['runningCount'];
      })
      .toBe(0);
  });
});
