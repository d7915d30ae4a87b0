/** TLS: whose certificate is asked for, and HTTP/2. */
import { createSecureServer } from 'node:http2';
import type { AddressInfo } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { afterEach, describe, expect, it } from 'vitest';
import { createSelfSigned } from '../../../health/active/test-support/self-signed.ts';
import type { EndpointInput } from '../../../model/endpoint.ts';
import { createDispatcher, createFetch } from '../index.ts';
import type { DispatcherOptions } from '../options.ts';
import { FakeCluster } from './fake-cluster.ts';
import { Opened, type Scripted } from './fleet.ts';
import type { Echoed, TestServer } from './test-server.ts';
import { until } from './until.ts';

const identity = createSelfSigned({
  names: ['users', 'node1.internal', 'other.internal', 'localhost'],
  ipv4: ['127.0.0.1'],
});
const GET = { origin: 'https://users', path: '/', method: 'GET' } as const;

export function secureSuite(name: string): void {
  describe(`TLS on ${name}`, () => {
    const opened = new Opened();
    afterEach(() => opened.closeAll());

    /** A server that says which name it was asked for. */
    const start = (): Promise<TestServer> =>
      opened.server(
        (request, response) => {
          const { servername } = request.socket as TLSSocket;
          response.end(JSON.stringify({ servername, host: request.headers.host }));
        },
        { tls: identity },
      );

    const over = (endpoint: EndpointInput, options: Partial<DispatcherOptions> = {}): Scripted =>
      opened.over([endpoint], { tls: { ca: identity.cert }, ...options });

    it.each<[string, (address: string) => EndpointInput, Partial<DispatcherOptions>, string]>([
      ['the logical name for an address', (address) => address, {}, 'users'],
      [
        "the endpoint's host name",
        (address) => ({ address, hostname: 'node1.internal' }),
        {},
        'node1.internal',
      ],
      [
        'the address when it is a name',
        (address) => address.replace('127.0.0.1', 'localhost'),
        {},
        'localhost',
      ],
      [
        'what the options say',
        (address) => ({ address, hostname: 'node1.internal' }),
        { servername: 'other.internal' },
        'other.internal',
      ],
    ])('asks for %s', async (_what, endpoint, options, expected) => {
      const server = await start();
      const { dispatcher } = over(endpoint(server.address), options);
      const { body } = await dispatcher.request(GET);
      expect(await body.json()).toEqual({ servername: expected, host: 'users' });
    });

    it('asks for what the request says, before all', async () => {
      const server = await start();
      const { dispatcher } = over({ address: server.address, hostname: 'node1.internal' });
      const request = { ...GET, servername: 'other.internal' };
      expect(await (await dispatcher.request(request)).body.json()).toMatchObject({
        servername: 'other.internal',
      });
    });

    it('asks for the name in the host header of the request', async () => {
      const server = await start();
      const { dispatcher } = over(server.address);
      const { body } = await dispatcher.request({
        ...GET,
        headers: { host: 'other.internal:8443' },
      });
      expect(await body.json()).toEqual({
        servername: 'other.internal',
        host: 'other.internal:8443',
      });
    });

    it('keeps a connection per server name: alternating names tear none down', async () => {
      const server = await start();
      const { dispatcher } = over(server.address);
      for (let round = 0; round < 5; round++) {
        for (const servername of ['users', 'other.internal']) {
          const { body } = await dispatcher.request({ ...GET, servername } as typeof GET);
          expect(await body.json()).toMatchObject({ servername });
        }
      }
      expect(server.acceptedCount).toBe(2);
      expect(server.closedCount).toBe(0);
    });

    it('refuses an endpoint that cannot prove its name, and calls that a connect failure', async () => {
      const server = await start();
      const { cluster, dispatcher } = over(server.address, {
        servername: 'stranger.internal',
        retry: false,
      });
      await expect(dispatcher.request(GET)).rejects.toMatchObject({
        code: 'ERR_TLS_CERT_ALTNAME_INVALID',
      });
      expect(cluster.log).toEqual(['start 0', 'finish 0 connectFailure']);
      const untrusting = over(server.address, { tls: {}, retry: false });
      await expect(untrusting.dispatcher.request(GET)).rejects.toMatchObject({
        code: 'DEPTH_ZERO_SELF_SIGNED_CERT',
      });
    });

    it('checks the certificate against the address when the name is one', async () => {
      const server = await start();
      const { dispatcher } = over(server.address, {});
      const cluster = new FakeCluster({ name: 'ip', endpoints: [server.address] });
      const byAddress = createDispatcher({
        clusters: [{ cluster, hosts: ['127.0.0.1'] }],
        tls: { ca: identity.cert },
      });
      opened.add(() => byAddress.destroy());
      const { body } = await byAddress.request({ ...GET, origin: 'https://127.0.0.1' });
      expect(await body.json()).toMatchObject({ host: '127.0.0.1' });
      await (await dispatcher.request(GET)).body.dump();
    });

    it('speaks HTTP/1.1 unless HTTP/2 is allowed, and then counts every stream', async () => {
      let streams = 0;
      const released = Promise.withResolvers<void>();
      const server = createSecureServer({ ...identity, allowHTTP1: true }, (request, response) => {
        streams++;
        const answer = (): void =>
          void response.end(
            `${request.httpVersion} ${request.headers[':authority'] ?? request.headers.host ?? ''}`,
          );
        if (request.url === '/together') void released.promise.then(answer);
        else answer();
      });
      await new Promise<void>((resolve) => {
        server.listen(0, '127.0.0.1', resolve);
      });
      let connections = 0;
      server.on('secureConnection', () => connections++);
      const { port } = server.address() as AddressInfo;
      opened.add(() => server.close());
      const plain = over(`127.0.0.1:${port}`);
      expect(await (await plain.dispatcher.request(GET)).body.text()).toBe('1.1 users');

      const modern = over(`127.0.0.1:${port}`, { allowH2: true });
      expect(await (await modern.dispatcher.request(GET)).body.text()).toBe('2.0 users');
      connections = 0;
      streams = 0;
      const answers = Array.from({ length: 5 }, () =>
        modern.dispatcher.request({ ...GET, path: '/together' }),
      );
      await until(() => streams === 5, 'all streams are there');
      expect(modern.cluster.activeCount).toBe(5);
      released.resolve();
      for (const { body } of await Promise.all(answers))
        expect(await body.text()).toBe('2.0 users');
      expect(connections).toBeLessThan(5);
      expect(modern.cluster.activeCount).toBe(0);
      // What undici 8 asks for on behalf of callers of the old shape.
      const old = await modern.dispatcher.request({ ...GET, allowH2: false } as typeof GET);
      expect(await old.body.text()).toBe('1.1 users');
    });

    it('leaves an HTTP/2 connection whose peer has fallen silent', async () => {
      let sessions = 0;
      const server = createSecureServer(identity);
      server.on('session', (session) => {
        const silent = sessions++ === 0;
        session.on('stream', (stream) => {
          if (silent) return;
          stream.respond({ ':status': 200 });
          stream.end('well');
        });
      });
      await new Promise<void>((resolve) => {
        server.listen(0, '127.0.0.1', resolve);
      });
      opened.add(() => server.close());
      const { dispatcher } = over(`127.0.0.1:${(server.address() as AddressInfo).port}`, {
        allowH2: true,
        headersTimeoutMs: 500,
      });
      await expect(dispatcher.request(GET)).rejects.toMatchObject({
        code: 'UND_ERR_HEADERS_TIMEOUT',
      });
      expect(await (await dispatcher.request(GET)).body.text()).toBe('well');
      expect(sessions).toBe(2);
    });

    it('serves fetch over HTTP/2', async () => {
      const server = createSecureServer(identity, (request, response) => {
        response.setHeader('set-cookie', ['a=1', 'b=2']);
        response.end(request.httpVersion);
      });
      await new Promise<void>((resolve) => {
        server.listen(0, '127.0.0.1', resolve);
      });
      opened.add(() => server.close());
      const { dispatcher } = over(`127.0.0.1:${(server.address() as AddressInfo).port}`, {
        allowH2: true,
      });
      for (const call of [
        createFetch(dispatcher),
        fetch as unknown as ReturnType<typeof createFetch>,
      ]) {
        const response = await call('https://users/', { dispatcher });
        expect(await response.text()).toBe('2.0');
        expect(response.headers.getSetCookie()).toEqual(['a=1', 'b=2']);
      }
    });

    it('talks TLS over passthrough too', async () => {
      const server = await start();
      const { dispatcher } = over(server.address, { passthrough: true });
      const { body } = await dispatcher.request({ ...GET, origin: `https://${server.address}` });
      expect(((await body.json()) as Echoed['headers'])['host']).toBe(server.address);
    });
  });
}
