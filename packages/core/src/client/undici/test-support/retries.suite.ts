/** Which requests get another try, where, and which do not. */
import { Readable } from 'node:stream';
import { afterEach, describe, expect, it } from 'vitest';
import { createDispatcher } from '../index.ts';
import { FakeCluster } from './fake-cluster.ts';
import { Opened, type Scripted } from './fleet.ts';
import {
  echo,
  type Echoed,
  hang,
  reset,
  resetMidBody,
  status,
  type TestServer,
  text,
} from './test-server.ts';
import { until } from './until.ts';

const GET = { origin: 'http://users', path: '/', method: 'GET' } as const;
const PUT = { ...GET, method: 'PUT' } as const;
const POST = { ...GET, method: 'POST' } as const;
/** Nothing listens there: port 1 needs privileges that no test has taken. */
const REFUSING = '127.0.0.1:1';

export function retriesSuite(name: string): void {
  describe(`retries on ${name}`, () => {
    const opened = new Opened();
    afterEach(() => opened.closeAll());

    const start = (listener = echo): Promise<TestServer> => opened.server(listener);
    const over = (...args: Parameters<Opened['over']>): Scripted => opened.over(...args);
    it('goes elsewhere when no connection can be made, whatever the method', async () => {
      const good = await start();
      for (const request of [
        GET,
        POST,
        { ...POST, body: 'x' },
        { ...PUT, body: Buffer.from('x') },
      ]) {
        const { cluster, dispatcher } = over([REFUSING, good.address]);
        const { statusCode, body } = await dispatcher.request(request);
        await body.dump();
        expect(statusCode).toBe(200);
        expect(cluster.log).toEqual([
          'start 0',
          'finish 0 connectFailure',
          'start 1',
          'respond 1',
          'finish 1 success',
        ]);
        expect(cluster.contexts[1]?.exclude).toEqual([0]);
        expect(dispatcher.stats.retryCount).toBe(1);
      }
    });

    it('sends a stream elsewhere that no connection has taken', async () => {
      const good = await start();
      const { dispatcher } = over([REFUSING, good.address]);
      const { body } = await dispatcher.request({ ...POST, body: Readable.from(['a', 'b']) });
      expect(((await body.json()) as Echoed).body).toBe('ab');
    });

    it('sends a generator elsewhere that no connection has taken', async () => {
      const good = await start();
      const { dispatcher } = over([REFUSING, good.address]);
      const generate = async function* (): AsyncGenerator<string> {
        yield 'a';
        yield 'b';
      };
      const { body } = await dispatcher.request({
        ...POST,
        body: generate() as unknown as Readable,
      });
      expect(((await body.json()) as Echoed).body).toBe('ab');
    });

    it('repeats headers that could be read only once', async () => {
      const good = await start();
      const { dispatcher } = over([REFUSING, good.address]);
      const headers = (function* (): Generator<[string, string]> {
        yield ['x-once', 'kept'];
      })();
      const { body } = await dispatcher.request({ ...GET, headers });
      expect(((await body.json()) as Echoed).headers['x-once']).toBe('kept');
    });

    it('goes elsewhere after a reset before the headers, when the request may be repeated', async () => {
      const [bad, good] = await Promise.all([start(reset), start()]);
      for (const request of [GET, { ...PUT, body: 'x' }]) {
        const { cluster, dispatcher } = over([bad.address, good.address]);
        await (await dispatcher.request(request)).body.dump();
        expect(cluster.log).toEqual([
          'start 0',
          'finish 0 reset',
          'start 1',
          'respond 1',
          'finish 1 success',
        ]);
      }
    });

    it.each([
      ['POST', { ...POST, body: 'x' }],
      ['a stream', { ...PUT, body: 'stream' }],
      ['an upgrade', { ...GET, upgrade: 'websocket' }],
    ])('does not repeat after a reset: %s', async (_what, request) => {
      const [bad, good] = await Promise.all([start(reset), start()]);
      bad.server.on('upgrade', (_request, socket) =>
        (socket as unknown as { resetAndDestroy(): void }).resetAndDestroy(),
      );
      const { cluster, dispatcher } = over([bad.address, good.address]);
      const body =
        (request as { body?: string }).body === 'stream' ? { body: Readable.from(['x']) } : {};
      const sent =
        'upgrade' in request
          ? dispatcher.upgrade({ ...GET, protocol: 'websocket' } as never)
          : dispatcher.request({ ...request, ...body });
      await expect(sent).rejects.toBeInstanceOf(Error);
      expect(cluster.log).toEqual(['start 0', 'finish 0 reset']);
      expect(good.requests).toEqual([]);
    });

    it('never repeats once the caller has seen response headers', async () => {
      const [bad, good] = await Promise.all([start(resetMidBody), start()]);
      const { cluster, dispatcher } = over([bad.address, good.address]);
      const { statusCode, body } = await dispatcher.request(GET);
      expect(statusCode).toBe(200);
      await expect(body.text()).rejects.toBeInstanceOf(Error);
      expect(cluster.log).toEqual(['start 0', 'respond 0', 'finish 0 reset']);
      expect(good.requests).toEqual([]);
    });

    it.each([429, 502, 503, 504])('goes elsewhere after %s', async (code) => {
      const [bad, good] = await Promise.all([start(status(code)), start(text('well'))]);
      const { cluster, dispatcher } = over([bad.address, good.address]);
      const { statusCode, body } = await dispatcher.request(GET);
      expect([statusCode, await body.text()]).toEqual([200, 'well']);
      expect(cluster.log).toEqual(
        [
          'start 0',
          `finish 0 ${code === 429 ? 'overloaded' : 'gatewayError'}`,
          'start 1',
          'respond 1',
          'finish 1 success',
        ].toSorted((a, b) => cluster.log.indexOf(a) - cluster.log.indexOf(b)),
      );
      expect(cluster.activeCount).toBe(0);
    });

    it('reuses the connection whose response it did not want', async () => {
      const [bad, good] = await Promise.all([start(status(503)), start()]);
      const { dispatcher } = over([bad.address, good.address]);
      for (let round = 0; round < 3; round++) await (await dispatcher.request(GET)).body.dump();
      expect(bad.requests.length).toBeGreaterThan(1);
      expect(bad.acceptedCount).toBe(1);
    });

    it('closes the connection of an unwanted response that is too large', async () => {
      const large = await start((_request, response) => {
        response.writeHead(503);
        const more = (): void => {
          while (!response.destroyed && response.write(Buffer.alloc(65_536)));
          response.once('drain', more);
        };
        more();
      });
      const good = await start();
      const { dispatcher, cluster } = over([large.address, good.address]);
      expect((await dispatcher.request(GET)).statusCode).toBe(200);
      await until(() => large.closedCount === 1, 'the connection closes');
      expect(cluster.log).toContain('finish 0 gatewayError');
    });

    it('closes the connection of an unwanted response that does not end', async () => {
      const endless = await start((_request, response) => {
        response.writeHead(503);
        response.write('wait for it');
      });
      const good = await start();
      const { dispatcher } = over([endless.address, good.address]);
      await (await dispatcher.request(GET)).body.dump();
      await dispatcher.close();
      await until(() => endless.closedCount === 1, 'the connection closes');
    });

    it.each([500, 404, 400])('hands %s to the caller', async (code) => {
      const [bad, good] = await Promise.all([start(status(code)), start()]);
      const { dispatcher } = over([bad.address, good.address]);
      const { statusCode, body } = await dispatcher.request(GET);
      expect([statusCode, await body.text()]).toEqual([code, `status ${code}`]);
    });

    it('retries the statuses that it is told', async () => {
      const [bad, good] = await Promise.all([start(status(500)), start()]);
      const { dispatcher } = over([bad.address, good.address], { retry: { statuses: [500] } });
      expect((await dispatcher.request(GET)).statusCode).toBe(200);
    });

    it('hands 503 to the caller of a POST, and when nobody else is left', async () => {
      const [bad, worse] = await Promise.all([start(status(503)), start(status(503))]);
      const { dispatcher } = over([bad.address, worse.address]);
      const posted = await dispatcher.request({ ...POST, body: 'x' });
      expect([posted.statusCode, await posted.body.text()]).toEqual([503, 'status 503']);
      const got = await dispatcher.request(GET);
      expect([got.statusCode, await got.body.text()]).toEqual([503, 'status 503']);
      expect(bad.requests.length + worse.requests.length).toBe(3);
    });

    it('waits for a short Retry-After when there is no other endpoint', async () => {
      const server = await start();
      let answered = 0;
      server.handle((_request, response) => {
        if (answered++ === 0) response.writeHead(503, { 'retry-after': '0' }).end();
        else response.end('well');
      });
      const { cluster, dispatcher } = over([server.address]);
      const { body } = await dispatcher.request(GET);
      expect(await body.text()).toBe('well');
      expect(cluster.log).toEqual([
        'start 0',
        'pushback 0 0',
        'finish 0 overloaded',
        'start 0',
        'respond 0',
        'finish 0 success',
      ]);
    });

    it('does not wait for a long Retry-After, but passes it on to the cluster', async () => {
      const server = await start(status(429, { 'retry-after': '30' }));
      const { cluster, dispatcher } = over([server.address]);
      expect((await dispatcher.request(GET)).statusCode).toBe(429);
      expect(cluster.log).toContain('pushback 0 30000');
    });

    it('understands a Retry-After date', async () => {
      const server = await start(
        status(503, { 'retry-after': new Date(Date.now() + 60_000).toUTCString() }),
      );
      const { cluster, dispatcher } = over([server.address]);
      expect((await dispatcher.request(GET)).statusCode).toBe(503);
      const delay = Number(cluster.log.find((line) => line.startsWith('pushback'))?.split(' ')[2]);
      expect(delay).toBeGreaterThan(55_000);
      expect(delay).toBeLessThanOrEqual(60_000);
    });

    it('stops after the given number of further tries, pausing before the second', async () => {
      const { cluster, dispatcher } = over([REFUSING, '127.0.0.1:2', '127.0.0.1:3', '127.0.0.1:4']);
      await expect(dispatcher.request(GET)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
      expect(cluster.log.filter((line) => line.startsWith('start'))).toEqual([
        'start 0',
        'start 1',
        'start 2',
      ]);
      expect(cluster.contexts.map(({ exclude }) => exclude)).toEqual([undefined, [0], [0, 1]]);
    });

    it('comes back to the only endpoint after a pause', async () => {
      const server = await start();
      let seen = 0;
      server.handle((request, response) => {
        if (seen++ === 0) request.socket.resetAndDestroy();
        else response.end('well');
      });
      const { dispatcher, cluster } = over([server.address]);
      expect(await (await dispatcher.request(GET)).body.text()).toBe('well');
      expect(cluster.log).toEqual([
        'start 0',
        'finish 0 reset',
        'start 0',
        'respond 0',
        'finish 0 success',
      ]);
    });

    it('does not come back to the only endpoint after a time limit: it is busy enough', async () => {
      const server = await start(hang);
      const { cluster, dispatcher } = over([server.address], { headersTimeoutMs: 300 });
      await expect(dispatcher.request(GET)).rejects.toMatchObject({
        code: 'UND_ERR_HEADERS_TIMEOUT',
      });
      expect(cluster.log).toEqual(['start 0', 'finish 0 timeout']);
    });

    it('makes no further try with retry: false, nor with 0 attempts', async () => {
      for (const retry of [false, { attempts: 0 }] as const) {
        const { cluster, dispatcher } = over([REFUSING, '127.0.0.1:2'], { retry });
        await expect(dispatcher.request(GET)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
        expect(cluster.log).toEqual(['start 0', 'finish 0 connectFailure']);
      }
    });

    it('stays within its budget when everything is down', async () => {
      const { cluster, dispatcher } = over([REFUSING, '127.0.0.1:2'], {
        retry: { attempts: 5, budget: { ratio: 0.2, minPerSecond: 1 }, maxBackoffMs: 1 },
      });
      const requests = 200;
      for (let index = 0; index < requests; index++)
        await dispatcher.request(GET).catch(() => undefined);
      const tries = cluster.log.filter((line) => line.startsWith('start')).length;
      // 20 % of the requests and 1 per second of the 10 s window; the window may turn once meanwhile.
      expect(tries).toBeLessThanOrEqual(requests * 1.2 + 2 * 10);
      expect(dispatcher.stats.retryRefusedCount).toBeGreaterThan(0);
      expect(cluster.activeCount).toBe(0);
    });

    it('tells the cluster which requests must not be an endpoint on probation', async () => {
      const good = await start();
      const { cluster, dispatcher } = over([good.address]);
      for (const request of [GET, { ...POST, body: 'x' }])
        await (await dispatcher.request(request)).body.dump();
      expect(cluster.contexts.map(({ probe }) => probe)).toEqual([undefined, false]);
    });

    it('keeps one controller over all tries: pause and resume reach the live one', async () => {
      const [bad, good] = await Promise.all([start(status(503)), start(text('x'.repeat(100_000)))]);
      const { dispatcher } = over([REFUSING, bad.address, good.address]);
      const controllers = new Set<unknown>();
      const starts: number[] = [];
      const received = await new Promise<number>((resolve, reject) => {
        let bytes = 0;
        dispatcher.dispatch(GET, {
          onRequestStart: (controller) => {
            starts.push(1);
            controllers.add(controller);
            controller.pause();
          },
          onResponseStart: (controller) => {
            controllers.add(controller);
            expect(controller.paused).toBe(true);
            setImmediate(() => {
              expect(bytes).toBe(0);
              controller.resume();
            });
          },
          onResponseData: (controller, chunk) => {
            controllers.add(controller);
            bytes += chunk.length;
            controller.pause();
            setImmediate(() => controller.resume());
          },
          onResponseEnd: () => resolve(bytes),
          onResponseError: (_controller, error) => reject(error),
        });
      });
      expect(received).toBe(100_000);
      expect(controllers.size).toBe(1);
      expect(starts).toEqual([1]);
    });

    it('sends equal affinity keys with every pick', async () => {
      const good = await start();
      const cluster = new FakeCluster({
        endpoints: [REFUSING, good.address],
        hashKeySource: { header: 'x-user' },
      });
      const dispatcher = createDispatcher({ clusters: [cluster] });
      opened.add(() => dispatcher.destroy());
      await (await dispatcher.request({ ...GET, headers: { 'X-User': '42' } })).body.dump();
      expect(cluster.contexts).toEqual([
        { hashKey: '42', exclude: undefined, probe: true },
        { hashKey: '42', exclude: [0], probe: true },
      ]);
    });
  });
}
