/** How a request finds its endpoint, run against each supported undici underneath. */
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { isEvenkeelError } from '../../../error/evenkeel-error.ts';
import { createDispatcher, createFetch } from '../index.ts';
import { FakeCluster } from './fake-cluster.ts';
import { Opened } from './fleet.ts';
import { type Echoed, startServer, text } from './test-server.ts';

export function requestsSuite(name: string): void {
  describe(`requests on ${name}`, () => {
    const opened = new Opened();
    afterEach(() => opened.closeAll());

    it('carries method, path, query, headers and body to an endpoint, and the answer back', async () => {
      const { dispatcher } = await opened.fleet();
      const { statusCode, headers, body } = await dispatcher.request({
        origin: 'http://users',
        path: '/v1/me',
        query: { a: 1 },
        method: 'POST',
        headers: { 'x-test': 'yes' },
        body: 'hello',
      });
      expect(statusCode).toBe(200);
      expect(headers['content-type']).toBe('application/json');
      const echoed = (await body.json()) as Echoed;
      expect(echoed).toMatchObject({ method: 'POST', url: '/v1/me?a=1', body: 'hello' });
      expect(echoed.headers['x-test']).toBe('yes');
    });

    it('spreads requests over the endpoints', async () => {
      const { dispatcher, servers } = await opened.fleet({
        servers: 3,
        cluster: { policy: 'round-robin' },
      });
      for (let index = 0; index < 9; index++)
        await (await createFetch(dispatcher)('http://users/')).text();
      expect(servers.map((server) => server.requests.length)).toEqual([3, 3, 3]);
    });

    it('finds a cluster by host name in any case and on any port', async () => {
      const { dispatcher } = await opened.fleet();
      const call = createFetch(dispatcher);
      for (const url of [
        'http://users/',
        'http://USERS/',
        'http://users:8080/',
        'http://users:80/',
      ]) {
        expect((await call(url)).status).toBe(200);
      }
      const upper = await dispatcher.request({ origin: 'http://USERS', path: '/', method: 'GET' });
      expect(((await upper.body.json()) as Echoed).headers['host']).toBe('users');
      const asUrl = await dispatcher.request({
        origin: new URL('http://users/x'),
        path: '/',
        method: 'GET',
      });
      expect(asUrl.statusCode).toBe(200);
      await asUrl.body.dump();
    });

    it('fails a request for a host that it does not know, and names those that it knows', async () => {
      const { dispatcher } = await opened.fleet();
      const error: unknown = await dispatcher
        .request({ origin: 'http://secret:word@nobody', path: '/', method: 'GET' })
        .catch((thrown: unknown) => thrown);
      expect(isEvenkeelError(error, 'EVENKEEL_UNKNOWN_CLUSTER')).toBe(true);
      expect((error as Error).message).toBe(
        "http://nobody names none of this dispatcher's clusters ('users')",
      );
    });

    it('sends other hosts there directly with passthrough', async () => {
      const { dispatcher, servers } = await opened.fleet({ dispatcher: { passthrough: true } });
      const response = await createFetch(dispatcher)(`http://${servers[0]?.address ?? ''}/direct`);
      expect(await response.json()).toMatchObject({
        url: '/direct',
        headers: { host: servers[0]?.address },
      });
      expect((await createFetch(dispatcher)('http://users/')).status).toBe(200);
    });

    it('lets a cluster have names of its own, with ports', async () => {
      const [web, admin] = await Promise.all([
        startServer(text('web')),
        startServer(text('admin')),
      ]);
      opened.add(() => Promise.all([web.kill(), admin.kill()]));
      const dispatcher = createDispatcher({
        clusters: [
          {
            cluster: new FakeCluster({ name: 'w', endpoints: [web.address] }),
            hosts: ['app.internal'],
          },
          {
            cluster: new FakeCluster({ name: 'a', endpoints: [admin.address] }),
            hosts: ['app.internal:9000'],
          },
        ],
      });
      opened.add(() => dispatcher.destroy());
      const call = createFetch(dispatcher);
      expect(await (await call('http://App.Internal/')).text()).toBe('web');
      expect(await (await call('http://app.internal:3001/')).text()).toBe('web');
      expect(await (await call('http://app.internal:9000/')).text()).toBe('admin');
    });

    describe('host header', () => {
      it.each([
        ['cluster', 'http://users', 'users'],
        ['cluster', 'http://users:8080', 'users:8080'],
        ['endpoint', 'http://users', undefined],
      ] as const)('%s, %s: %s', async (hostHeader, origin, expected) => {
        const { dispatcher, servers } = await opened.fleet({ dispatcher: { hostHeader } });
        const { body } = await dispatcher.request({ origin, path: '/', method: 'GET' });
        expect(((await body.json()) as Echoed).headers['host']).toBe(
          expected ?? servers[0]?.address,
        );
      });

      it('takes the host name of an endpoint that has one', async () => {
        const { dispatcher, servers } = await opened.fleet({
          endpoints: ([server]) => [{ address: server?.address, hostname: 'node1.internal' }],
          dispatcher: { hostHeader: 'endpoint' },
        });
        const { body } = await dispatcher.request({
          origin: 'http://users',
          path: '/',
          method: 'GET',
        });
        expect(((await body.json()) as Echoed).headers['host']).toBe(
          `node1.internal:${servers[0]?.port ?? ''}`,
        );
      });

      it.each([
        ['a record', { Host: 'mine' }],
        ['a flat array', ['host', 'mine']],
        ['an iterable', new Map([['host', 'mine']])],
      ])('leaves the one of the request alone: %s', async (_shape, headers) => {
        const { dispatcher } = await opened.fleet();
        const { body } = await dispatcher.request({
          origin: 'http://users',
          path: '/',
          method: 'GET',
          headers,
        });
        expect(((await body.json()) as Echoed).headers['host']).toBe('mine');
      });

      it('is sent when there are no headers', async () => {
        const { dispatcher } = await opened.fleet();
        const { body } = await dispatcher.request({
          origin: 'http://users',
          path: '/',
          method: 'GET',
          headers: null,
        });
        expect(((await body.json()) as Echoed).headers['host']).toBe('users');
      });
    });

    it('follows relative redirects through the cluster', async () => {
      const { dispatcher, servers } = await opened.fleet({
        servers: 2,
        cluster: { policy: 'round-robin' },
      });
      for (const server of servers) {
        server.handle((request, response) => {
          if (request.url === '/end') response.end(request.headers.host);
          else response.writeHead(302, { location: '/end' }).end();
        });
      }
      for (const call of [
        createFetch(dispatcher),
        fetch as unknown as ReturnType<typeof createFetch>,
      ]) {
        const response = await call('http://users/begin', { dispatcher });
        expect(response.url).toBe('http://users/end');
        expect(await response.text()).toBe('users');
      }
      const seen = servers.map(({ requests }) => requests.map(({ url }) => url).join());
      expect(seen.toSorted()).toEqual(['/begin,/begin', '/end,/end']);
    });

    it('reaches an endpoint on a Unix socket', async () => {
      const path = join(tmpdir(), `evenkeel-${process.pid}-${name.replaceAll(' ', '')}.sock`);
      const server = await startServer(undefined, { unix: path });
      const cluster = new FakeCluster({ endpoints: [`unix:${path}`] });
      const dispatcher = createDispatcher({ clusters: [cluster] });
      opened.add(async () => {
        await dispatcher.destroy();
        await server.kill();
      });
      const { body } = await dispatcher.request({
        origin: 'http://users',
        path: '/u',
        method: 'GET',
      });
      expect(await body.json()).toMatchObject({ url: '/u', headers: { host: 'users' } });
    });
  });
}
