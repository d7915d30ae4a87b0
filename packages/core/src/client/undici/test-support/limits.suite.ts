/** Time limits: of a try, of a body, of everything together. */
import { AsyncLocalStorage } from 'node:async_hooks';
import { Readable } from 'node:stream';
import { afterEach, describe, expect, it } from 'vitest';
import { Opened, type Scripted } from './fleet.ts';
import { echo, type Echoed, hang, type TestServer } from './test-server.ts';
import { until } from './until.ts';

const GET = { origin: 'http://users', path: '/', method: 'GET' } as const;
const POST = { ...GET, method: 'POST' } as const;
/** Nothing listens there: port 1 needs privileges that no test has taken. */
const REFUSING = '127.0.0.1:1';

export function limitsSuite(name: string): void {
  describe(`time limits on ${name}`, () => {
    const opened = new Opened();
    afterEach(() => opened.closeAll());

    const start = (listener = echo): Promise<TestServer> => opened.server(listener);
    const over = (...args: Parameters<Opened['over']>): Scripted => opened.over(...args);

    it('goes elsewhere when the headers take too long', async () => {
      const [slow, good] = await Promise.all([start(hang), start()]);
      const { cluster, dispatcher } = over([slow.address, good.address], { headersTimeoutMs: 400 });
      await (await dispatcher.request(GET)).body.dump();
      expect(cluster.log).toEqual([
        'start 0',
        'finish 0 timeout',
        'start 1',
        'respond 1',
        'finish 1 success',
      ]);
      await until(() => slow.closedCount === 1, 'the hung connection closes');
    });

    it('fails a POST whose headers take too long, as undici would', async () => {
      const [slow, good] = await Promise.all([start(hang), start()]);
      const { cluster, dispatcher } = over([slow.address, good.address], { headersTimeoutMs: 300 });
      await expect(dispatcher.request({ ...POST, body: 'x' })).rejects.toMatchObject({
        code: 'UND_ERR_HEADERS_TIMEOUT',
      });
      expect(cluster.log).toEqual(['start 0', 'finish 0 timeout']);
    });

    it('lets a request have a headersTimeout of its own', async () => {
      const slow = await start(hang);
      const { dispatcher } = over([slow.address], { retry: false });
      await expect(dispatcher.request({ ...GET, headersTimeout: 300 })).rejects.toMatchObject({
        code: 'UND_ERR_HEADERS_TIMEOUT',
        // Kept here, and not by undici, whose clock ticks once a second.
        message: "no response headers from 'users' within 300 ms",
      });
    });

    it('moves a POST that waits too long for a connection', async () => {
      const [slow, good] = await Promise.all([start(hang), start()]);
      const { cluster, dispatcher } = over([slow.address, good.address], {
        connections: 1,
        headersTimeoutMs: 400,
        retry: { attempts: 1 },
      });
      const first = dispatcher
        .request({ ...POST, path: '/first', body: 'x', headersTimeout: 10_000 })
        .catch((error: unknown) => error);
      await until(() => slow.requests.length === 1, 'the first request arrives');
      // Round robin: this one goes to the other endpoint, the third queues behind the first.
      await (await dispatcher.request(GET)).body.dump();
      const { body } = await dispatcher.request({ ...POST, path: '/moved', body: 'y' });
      expect(((await body.json()) as Echoed).body).toBe('y');
      slow.resetAll();
      expect(await first).toBeInstanceOf(Error);
      expect(slow.requests.map(({ url }) => url)).toEqual(['/first']);
      expect(cluster.activeCount).toBe(0);
    });

    it('gives a slow upload the time that its caller takes', async () => {
      const server = await start();
      const { cluster, dispatcher } = over([server.address], { headersTimeoutMs: 300 });
      const body = Readable.from(
        (async function* () {
          for (let part = 0; part < 4; part++) {
            await new Promise((resolve) => {
              setTimeout(resolve, 120);
            });
            yield `${part}`;
          }
        })(),
      );
      const answer = await dispatcher.request({ ...POST, body });
      expect(((await answer.body.json()) as Echoed).body).toBe('0123');
      // Nor does it make the endpoint look slow: 480 ms went by, of which the endpoint is answerable for few.
      expect(cluster.latencies[0]).toBeLessThan(300);
    });

    it('does not wait for an endpoint that stops reading an upload', async () => {
      const server = await start(() => undefined);
      const { cluster, dispatcher } = over([server.address], { headersTimeoutMs: 300 });
      const endless = Readable.from(
        (function* () {
          for (;;) yield Buffer.alloc(65_536);
        })(),
      );
      await expect(dispatcher.request({ ...POST, body: endless })).rejects.toMatchObject({
        code: 'UND_ERR_HEADERS_TIMEOUT',
      });
      expect(cluster.log).toEqual(['start 0', 'finish 0 timeout']);
    });

    it('limits the time after an upload', async () => {
      const server = await start(hang);
      const { dispatcher } = over([server.address], { headersTimeoutMs: 300 });
      await expect(
        dispatcher.request({ ...POST, body: Readable.from(['x']) }),
      ).rejects.toMatchObject({
        code: 'UND_ERR_HEADERS_TIMEOUT',
      });
    });

    it('carries one deadline over all tries', async () => {
      const [one, two] = await Promise.all([start(hang), start(hang)]);
      const { cluster, dispatcher } = over([one.address, two.address], {
        deadlineMs: 900,
        headersTimeoutMs: 500,
        retry: { attempts: 5 },
      });
      await expect(dispatcher.request(GET)).rejects.toMatchObject({
        code: 'EVENKEEL_DEADLINE',
        cluster: 'users',
        cause: { code: 'UND_ERR_HEADERS_TIMEOUT' },
      });
      expect(cluster.log).toEqual(['start 0', 'finish 0 timeout', 'start 1', 'finish 1 timeout']);
    });

    it('lets the deadline pass in the middle of a body', async () => {
      const server = await start((_request, response) => void response.write('part'));
      const { cluster, dispatcher } = over([server.address], { deadlineMs: 80 });
      const { body } = await dispatcher.request(GET);
      await expect(body.text()).rejects.toMatchObject({ code: 'EVENKEEL_DEADLINE' });
      expect(cluster.log).toEqual(['start 0', 'respond 0', 'finish 0 timeout']);
    });

    it('limits the silence within a body', async () => {
      const server = await start((_request, response) => void response.write('part'));
      const { cluster, dispatcher } = over([server.address], { bodyTimeoutMs: 60 });
      const { body } = await dispatcher.request(GET);
      await expect(body.text()).rejects.toMatchObject({ code: 'UND_ERR_BODY_TIMEOUT' });
      expect(cluster.log).toEqual(['start 0', 'respond 0', 'finish 0 timeout']);
    });

    it('keeps the async context over tries and time limits', async () => {
      const [slow, good] = await Promise.all([start(hang), start()]);
      const { dispatcher } = over([REFUSING, slow.address, good.address], {
        headersTimeoutMs: 400,
      });
      const storage = new AsyncLocalStorage<string>();
      const seen = await storage.run(
        'mine',
        () =>
          new Promise((resolve, reject) => {
            dispatcher.dispatch(GET, {
              onRequestStart: () => undefined,
              onResponseStart: () => resolve(storage.getStore()),
              onResponseData: () => undefined,
              onResponseEnd: () => undefined,
              onResponseError: (_controller, error) => reject(error),
            });
          }),
      );
      expect(seen).toBe('mine');
      const alone = over([slow.address], { headersTimeoutMs: 300 });
      const failed = await storage.run(
        'still mine',
        () =>
          new Promise((resolve) => {
            alone.dispatcher.dispatch(GET, {
              onRequestStart: () => undefined,
              onResponseStart: () => undefined,
              onResponseData: () => undefined,
              onResponseEnd: () => undefined,
              onResponseError: () => resolve(storage.getStore()),
            });
          }),
      );
      expect(failed).toBe('still mine');
    });
  });
}
