/** The admin API over real sockets, in front of a proxy that works. */
import { createCluster, type Discovery, type Logger } from '@evenkeel/core';
import { request } from 'node:http';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ProxyFixture } from '../engine/test-support/proxy-fixture.ts';
import { answering, OK } from '../engine/test-support/scripted-origin.ts';
import { hashPassword, type RouteOptions } from '../index.ts';
import { type Admin, type AdminOptions, createAdmin } from './admin.ts';

/** A source that has nothing to tell so far. */
const NEVER: Discovery = {
  kind: 'never',
  create: () => ({
    start: () => undefined,
    refresh: () => undefined,
    status: () => ({
      kind: 'never',
      source: 'nowhere',
      healthy: false,
      lastSuccessMs: undefined,
      lastError: undefined,
      refreshCount: 0,
      errorCount: 0,
    }),
    close: () => Promise.resolve(),
  }),
};

interface Reply {
  readonly status: number;
  readonly type: string | undefined;
  readonly text: string;
}

describe('the admin address', () => {
  let fixture: ProxyFixture;
  let admin: Admin;

  const start = async (
    options: Partial<AdminOptions> = {},
    routes: readonly RouteOptions[] = [
      { name: 'health', match: { path: { exact: '/health' } }, respond: { status: 200 } },
      {
        name: 'api',
        domains: ['a.example'],
        match: { path: { prefix: '/api/' } },
        cluster: 'origin',
      },
      {
        name: 'billing',
        match: { certificate: { subject: { exact: 'billing' } } },
        cluster: 'origin',
      },
    ],
  ): Promise<void> => {
    fixture = await ProxyFixture.start(answering(OK), {
      origins: 2,
      proxy: { listeners: [{ listen: '127.0.0.1:0', http: { routes } }] },
    });
    admin = await createAdmin({ proxy: fixture.proxy, listen: '127.0.0.1:0', ...options });
  };
  beforeEach(() => start());
  afterEach(async () => {
    await admin.close();
    await fixture.close();
  });

  const ask = (
    path: string,
    {
      method = 'GET',
      body,
      headers = {},
    }: { method?: string; body?: unknown; headers?: object } = {},
  ): Promise<Reply> =>
    new Promise((resolve, reject) => {
      const sent = request(
        {
          host: '127.0.0.1',
          port: admin.address.port,
          path,
          method,
          headers: {
            ...(body !== undefined && { 'content-type': 'application/json' }),
            ...headers,
          },
        },
        (response) => {
          let text = '';
          response.setEncoding('utf8');
          response.on('data', (part: string) => (text += part));
          response.on('end', () =>
            resolve({
              status: response.statusCode ?? 0,
              type: response.headers['content-type'],
              text,
            }),
          );
        },
      );
      sent.on('error', reject);
      sent.end(body === undefined ? undefined : JSON.stringify(body));
    });
  /** A request to the proxy, and its answer. */
  const visit = async (): Promise<void> => {
    const client = await fixture.connect();
    client.send('GET /api/x HTTP/1.1\r\nhost: a.example\r\n\r\n');
    await client.until(({ received }) => received.endsWith('ok'));
  };
  const read = async (path: string): Promise<unknown> =>
    JSON.parse((await ask(path)).text) as unknown;
  const endpointPath = (at: number): string =>
    `/api/clusters/origin/endpoints/${encodeURIComponent(`127.0.0.1:${fixture.origins[at]!.port}`)}`;

  it('tells whether the proxy works, and whether it is ready', async () => {
    expect(await ask('/healthz')).toMatchObject({ status: 200, text: 'ok\n' });
    expect(await ask('/readyz')).toMatchObject({ status: 200, text: 'ready\n' });
    expect(await ask('/api/drain', { method: 'POST' })).toMatchObject({ status: 200 });
    expect(await ask('/readyz')).toMatchObject({ status: 503, text: 'draining\n' });
    expect(await ask('/healthz')).toMatchObject({ status: 200 });
    expect(fixture.proxy.isDraining).toBe(true);
  });

  it('is not ready before its clusters are', async () => {
    await admin.close();
    await fixture.close();
    const late = createCluster({ name: 'late', discovery: NEVER });
    fixture = await ProxyFixture.start(answering(OK), {
      proxyOf: (origin) => ({
        clusters: [origin, late],
        listeners: [{ listen: '127.0.0.1:0', http: { routes: [{ cluster: 'late' }] } }],
      }),
    });
    admin = await createAdmin({ proxy: fixture.proxy, listen: '127.0.0.1:0' });
    expect(await ask('/readyz')).toMatchObject({
      status: 503,
      text: 'without endpoints so far: late\n',
    });
    await late.close();
  });

  it('shows listeners, routes, clusters and endpoints with their state and why', async () => {
    await visit();
    const overview = await read('/api/overview');
    expect(overview).toMatchObject({
      isDraining: false,
      listeners: [{ listen: '127.0.0.1:0', kinds: ['http'], isSecure: false }],
      clusters: [{ name: 'origin', isReady: true, healthyCount: 2 }],
      counters: { statusCounts: [0, 0, 1, 0, 0, 0, 0, 0, 0, 0] },
    });
    expect(await read('/api/routes')).toContainEqual(
      expect.objectContaining({
        route: 'api',
        cluster: 'origin',
        statusCounts: [0, 0, 1, 0, 0, 0, 0, 0, 0, 0],
      }),
    );
    expect(await read('/api/clusters')).toMatchObject([{ endpoints: [{}, {}] }]);
    expect(await read('/api/clusters/origin')).toMatchObject({ name: 'origin' });
    expect(await read(endpointPath(0))).toMatchObject({ state: 'healthy', isEligible: true });
    expect(await ask('/api/clusters/none')).toMatchObject({ status: 404 });
    expect(await ask('/api/clusters/origin/endpoints/none')).toMatchObject({ status: 404 });
    expect(await ask('/api/clusters/%zz')).toMatchObject({ status: 400 });
  });

  it('explains a request: which route, which endpoint, and why', async () => {
    const explain = async (body: object): Promise<object> =>
      JSON.parse((await ask('/api/explain', { method: 'POST', body })).text) as object;
    expect(await explain({ host: 'a.example', path: '/api/users?x=1' })).toMatchObject({
      listener: 0,
      route: 'api',
      cluster: 'origin',
      pick: { cluster: 'origin', policy: 'round-robin', chosen: { address: { kind: 'ip' } } },
    });
    expect(await explain({ host: 'b.example', path: '/health' })).toMatchObject({
      route: 'health',
      reason: 'answered by the proxy with 200',
    });
    const certificate = { subject: 'billing' };
    expect(await explain({ path: '/x', certificate })).toMatchObject({ route: 'billing' });
    const lost = await explain({ host: 'b.example', path: '/else' });
    expect(lost).toMatchObject({ reason: 'no route for GET b.example/else: 404' });
    expect(lost).not.toHaveProperty('route');
    expect(await ask('/api/explain', { method: 'POST', body: { listener: 7 } })).toMatchObject({
      status: 400,
    });
    expect(await ask('/api/explain', { method: 'POST', body: { method: 7, x: 1 } })).toMatchObject({
      status: 400,
      text: expect.stringContaining('request.x: expected no such option') as string,
    });
    expect(fixture.proxy.stats.counters.connectCount).toBe(0);
  });

  it('takes endpoints out and back, and gives them another weight', async () => {
    const patch = (body: unknown): Promise<Reply> =>
      ask(endpointPath(1), { method: 'PATCH', body });
    expect(JSON.parse((await patch({ enabled: false })).text)).toMatchObject({
      state: 'disabled',
      isEligible: false,
      reason: 'disabled by an operator',
    });
    for (let turn = 0; turn < 4; turn++) await visit();
    expect(fixture.receivedBy(1)).toBe('');
    expect(JSON.parse((await patch({ enabled: true, weight: 7 })).text)).toMatchObject({
      state: 'healthy',
      weight: 7,
    });
    expect(JSON.parse((await patch({ weight: null })).text)).toMatchObject({ weight: 1 });
    expect(await patch({ weight: -1 })).toMatchObject({ status: 400 });
    expect(await patch({ colour: 'red' })).toMatchObject({ status: 400 });
  });

  it('shows the options without secrets', async () => {
    await admin.close();
    await fixture.close();
    const passwordHash = await hashPassword('open sesame');
    await start({}, [
      {
        cluster: 'origin',
        match: { headers: { 'x-beta': { present: true } } },
        filters: [{ basicAuth: { users: [{ name: 'jo', passwordHash }] } }],
      },
    ]);
    const text = (await ask('/api/config')).text;
    expect(text).not.toContain(passwordHash);
    expect(text).toContain('x-beta');
    expect(JSON.parse(text)).toMatchObject({ clusters: ['origin'], listeners: [{}] });
  });

  it('asks for its token where there is one, but for the health of the process', async () => {
    await admin.close();
    const token = 'a-token-of-some-length';
    admin = await createAdmin({ proxy: fixture.proxy, listen: '127.0.0.1:0', token });
    expect(await ask('/api/overview')).toMatchObject({ status: 401 });
    expect(
      await ask('/api/overview', { headers: { authorization: 'Bearer wrong' } }),
    ).toMatchObject({
      status: 401,
    });
    expect(await ask('/healthz')).toMatchObject({ status: 200 });
    expect(
      await ask('/api/overview', { headers: { authorization: `Bearer ${token}` } }),
    ).toMatchObject({ status: 200 });
  });

  it('does nothing for pages of other sites, and for names that are not its own', async () => {
    const headers = { origin: 'https://evil.example' };
    expect(await ask('/api/drain', { method: 'POST', headers })).toMatchObject({ status: 403 });
    expect(await ask('/api/overview', { headers: { host: 'evil.example' } })).toMatchObject({
      status: 403,
    });
    expect(fixture.proxy.isDraining).toBe(false);
    const { port } = admin.address;
    const own = { origin: `http://localhost:${port}`, host: `localhost:${port}` };
    expect(await ask('/api/overview', { headers: own })).toMatchObject({ status: 200 });
  });

  it('refuses what it cannot read', async () => {
    expect(await ask('/api/explain', { method: 'DELETE' })).toMatchObject({ status: 405 });
    expect(await ask('/api/nothing')).toMatchObject({ status: 404 });
    const form = { 'content-type': 'application/x-www-form-urlencoded' };
    expect(await ask('/api/explain', { method: 'POST', body: {}, headers: form })).toMatchObject({
      status: 400,
    });
    const large = { path: `/${'x'.repeat(70_000)}` };
    expect(await ask('/api/explain', { method: 'POST', body: large })).toMatchObject({
      status: 413,
    });
  });

  it('passes on metrics, and changes the level of the logger', async () => {
    expect(await ask('/metrics')).toMatchObject({ status: 501 });
    expect(await ask('/api/log-level')).toMatchObject({ status: 404 });
    await admin.close();
    const ignore = (): void => undefined;
    const logger: Logger & { level: string } = {
      level: 'info',
      debug: ignore,
      info: ignore,
      warn: ignore,
      error: ignore,
    };
    admin = await createAdmin({
      proxy: fixture.proxy,
      listen: '127.0.0.1:0',
      logger,
      metrics: async () => ({ contentType: 'text/plain; version=0.0.4', text: 'a 1\n' }),
    });
    expect(await ask('/metrics')).toMatchObject({ status: 200, text: 'a 1\n' });
    expect(await ask('/api/log-level', { method: 'PUT', body: { level: 'debug' } })).toMatchObject({
      status: 200,
    });
    expect(logger.level).toBe('debug');
    expect(await ask('/api/log-level', { method: 'PUT', body: { level: 'loud' } })).toMatchObject({
      status: 400,
    });
  });

  it('is refused with the reason when its options are wrong', async () => {
    const { proxy } = fixture;
    await expect(createAdmin({ proxy, listen: '0.0.0.0:0' })).rejects.toThrow(
      'admin.token: expected a token, because the address is not on loopback',
    );
    await expect(createAdmin({ proxy, token: 'short' })).rejects.toThrow('at least 16 characters');
    await expect(createAdmin({ proxy, listen: `127.0.0.1:${admin.address.port}` })).rejects.toThrow(
      'admin.listen: expected an address that can be listened on',
    );
  });
});
