/** Giving up at every stage: the caller hears of it once and at once, and nothing stays behind. */
import { Readable } from 'node:stream';
import { afterEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../../runtime/clock.ts';
import { createDispatcher, createFetch } from '../index.ts';
import { FakeCluster } from './fake-cluster.ts';
import { Opened } from './fleet.ts';
import { hang } from './test-server.ts';
import { until } from './until.ts';

const GET = { origin: 'http://users', path: '/', method: 'GET' } as const;

export function abortsSuite(name: string): void {
  describe(`aborts on ${name}`, () => {
    const opened = new Opened();
    afterEach(() => opened.closeAll());

    it('before dispatch', async () => {
      const { dispatcher, servers } = await opened.fleet();
      const signal = AbortSignal.abort(new Error('changed my mind'));
      await expect(dispatcher.request({ ...GET, signal })).rejects.toThrow('changed my mind');
      await expect(createFetch(dispatcher)('http://users/', { signal })).rejects.toThrow(
        'changed my mind',
      );
      expect(servers[0]?.requests).toEqual([]);
      expect(dispatcher.stats.runningCount).toBe(0);
    });

    it('while discovery is awaited', async () => {
      const cluster = new FakeCluster();
      cluster.forget();
      const dispatcher = createDispatcher({ clusters: [cluster] });
      opened.add(() => dispatcher.destroy());
      const controller = new AbortController();
      const answer = dispatcher.request({ ...GET, signal: controller.signal });
      expect(dispatcher.stats).toMatchObject({ runningCount: 1, waitingCount: 1 });
      controller.abort(new Error('enough'));
      await expect(answer).rejects.toThrow('enough');
      expect(dispatcher.stats).toMatchObject({ runningCount: 0, waitingCount: 0 });
      cluster.deliver(['127.0.0.1:9']);
      await Promise.resolve();
      expect(cluster.log).toEqual([]);
    });

    it('while queueing for a connection, which the next request then gets', async () => {
      const fleet = await opened.fleet({ dispatcher: { connections: 1 } });
      const { dispatcher, servers } = fleet;
      let release = (): void => undefined;
      servers[0]?.handle((request, response) => {
        request.resume();
        if (request.url === '/first') release = () => response.end();
        else response.end('served');
      });
      const first = dispatcher.request({ ...GET, path: '/first' });
      await until(() => servers[0]?.requests.length === 1, 'the first request arrives');
      const controller = new AbortController();
      const queued = dispatcher.request({ ...GET, path: '/queued', signal: controller.signal });
      const next = dispatcher.request({ ...GET, path: '/next' });
      controller.abort(new Error('too long a queue'));
      await expect(queued).rejects.toThrow('too long a queue');
      release();
      await (await first).body.dump();
      expect(await (await next).body.text()).toBe('served');
      expect(servers[0]?.requests.map(({ url }) => url)).toEqual(['/first', '/next']);
      // The abandoned request neither used nor broke the connection.
      expect(servers[0]?.acceptedCount).toBe(1);
      expect(fleet.active()).toBe(0);
      expect(fleet.outcomes(0)).toEqual({ success: 2, cancelled: 1 });
    });

    it('while connecting', async () => {
      // TEST-NET-1 (RFC 5737): nobody answers there.
      const cluster = new FakeCluster({ endpoints: ['192.0.2.1:9'] });
      const dispatcher = createDispatcher({ clusters: [cluster], connectTimeoutMs: 60_000 });
      opened.add(() => dispatcher.destroy());
      const controller = new AbortController();
      const beganMs = systemClock.nowMs();
      const answer = dispatcher.request({ ...GET, signal: controller.signal });
      setImmediate(() => controller.abort(new Error('stop')));
      // Without a route the connection fails at once instead; then this stage cannot be tested here.
      const error = await answer.catch((thrown: unknown) => thrown);
      if ((error as { code?: string }).code !== 'ENETUNREACH')
        expect((error as Error).message).toBe('stop');
      expect(systemClock.nowMs() - beganMs).toBeLessThan(5_000);
      expect(cluster.activeCount).toBe(0);
    });

    it('while headers are awaited, closing the connection', async () => {
      const fleet = await opened.fleet();
      fleet.servers[0]?.handle(hang);
      const controller = new AbortController();
      const answer = fleet.dispatcher.request({ ...GET, signal: controller.signal });
      await until(() => fleet.servers[0]?.requests.length === 1, 'the request arrives');
      controller.abort(new Error('stop'));
      await expect(answer).rejects.toThrow('stop');
      expect(fleet.outcomes(0)).toEqual({ cancelled: 1 });
      await until(() => fleet.servers[0]?.closedCount === 1, 'the connection closes');
    });

    it('while headers are awaited, because of a time limit of the caller: the endpoint was too slow', async () => {
      const fleet = await opened.fleet();
      fleet.servers[0]?.handle(hang);
      await expect(
        fleet.dispatcher.request({ ...GET, signal: AbortSignal.timeout(50) }),
      ).rejects.toMatchObject({
        name: 'TimeoutError',
      });
      expect(fleet.outcomes(0)).toEqual({ timeout: 1 });
    });

    it('with fetch, while headers are awaited', async () => {
      const fleet = await opened.fleet();
      fleet.servers[0]?.handle(hang);
      const controller = new AbortController();
      const answer = createFetch(fleet.dispatcher)('http://users/', { signal: controller.signal });
      await until(() => fleet.servers[0]?.requests.length === 1, 'the request arrives');
      controller.abort();
      await expect(answer).rejects.toMatchObject({ name: 'AbortError' });
      await until(() => fleet.active() === 0, 'the request ends');
      expect(fleet.outcomes(0)).toEqual({ cancelled: 1 });
    });

    it('in the middle of the response body', async () => {
      const fleet = await opened.fleet();
      fleet.servers[0]?.handle((_request, response) => void response.write('part'));
      const controller = new AbortController();
      const { body } = await fleet.dispatcher.request({ ...GET, signal: controller.signal });
      const read = body.text();
      controller.abort(new Error('enough'));
      await expect(read).rejects.toThrow('enough');
      await until(() => fleet.active() === 0, 'the request ends');
      // It did answer well; that the caller wanted no more is not the endpoint's doing.
      expect(fleet.outcomes(0)).toEqual({ success: 1 });
      await until(() => fleet.servers[0]?.closedCount === 1, 'the connection closes');
    });

    it('between two tries', async () => {
      const cluster = new FakeCluster({ endpoints: ['127.0.0.1:1'] });
      const dispatcher = createDispatcher({
        clusters: [cluster],
        retry: { attempts: 5, maxBackoffMs: 60_000 },
      });
      opened.add(() => dispatcher.destroy());
      const controller = new AbortController();
      const answer = dispatcher.request({ ...GET, signal: controller.signal });
      await until(() => dispatcher.stats.retryCount === 3, 'a few tries have failed');
      controller.abort(new Error('stop trying'));
      await expect(answer).rejects.toThrow('stop trying');
      const tries = cluster.log.length;
      await new Promise((resolve) => {
        setTimeout(resolve, 200);
      });
      expect(cluster.log.length).toBe(tries);
      expect(cluster.activeCount).toBe(0);
    });

    it('from within a callback', async () => {
      const fleet = await opened.fleet();
      for (const stage of ['onRequestStart', 'onResponseStart', 'onResponseData'] as const) {
        const errors: Error[] = [];
        await new Promise<void>((resolve) => {
          fleet.dispatcher.dispatch(GET, {
            onRequestStart: () => undefined,
            onResponseStart: () => undefined,
            onResponseData: () => undefined,
            onResponseEnd: () => resolve(),
            onResponseError: (controller, error) => {
              expect(controller.aborted).toBe(true);
              expect(controller.reason).toBe(error);
              errors.push(error);
              resolve();
            },
            [stage]: (controller: { abort(reason: Error): void }) =>
              controller.abort(new Error(stage)),
          });
        });
        expect(errors.map(({ message }) => message)).toEqual([stage]);
      }
      await until(() => fleet.active() === 0, 'all requests end');
      expect(fleet.dispatcher.stats.runningCount).toBe(0);
    });

    it('by a handler that throws: it hears its own error, once', async () => {
      const fleet = await opened.fleet();
      for (const stage of [
        'onRequestStart',
        'onResponseStart',
        'onResponseData',
        'onResponseEnd',
      ] as const) {
        const errors: Error[] = [];
        await new Promise<void>((resolve) => {
          fleet.dispatcher.dispatch(GET, {
            onRequestStart: () => undefined,
            onResponseStart: () => undefined,
            onResponseData: () => undefined,
            onResponseEnd: () => resolve(),
            onResponseError: (_controller, error) => {
              errors.push(error);
              resolve();
            },
            [stage]: () => {
              throw new Error(stage);
            },
          });
        });
        expect(errors.map(({ message }) => message)).toEqual([stage]);
      }
      await until(() => fleet.active() === 0, 'all requests end');
      expect(fleet.outcomes(0)).toEqual({ success: 3 });
      expect(fleet.dispatcher.stats.runningCount).toBe(0);
    });

    it('by a request body that fails: the endpoint is not to blame', async () => {
      const fleet = await opened.fleet({ servers: 2 });
      const body = Readable.from(
        (async function* () {
          yield 'some';
          await until(
            () => fleet.servers.some(({ requests }) => requests.length === 1),
            'the request arrives',
          );
          throw new Error('disk');
        })(),
      );
      await expect(fleet.dispatcher.request({ ...GET, method: 'PUT', body })).rejects.toThrow(
        'disk',
      );
      await until(() => fleet.active() === 0, 'the request ends');
      expect([fleet.outcomes(0), fleet.outcomes(1)]).toContainEqual({ cancelled: 1 });
      expect(fleet.dispatcher.stats.retryCount).toBe(0);
    });

    it('by a request body that fails while discovery is awaited', async () => {
      const cluster = new FakeCluster();
      cluster.forget();
      const dispatcher = createDispatcher({ clusters: [cluster] });
      opened.add(() => dispatcher.destroy());
      const body = new Readable({ read: () => undefined });
      const answer = dispatcher.request({ ...GET, method: 'PUT', body });
      body.destroy(new Error('disk'));
      await expect(answer).rejects.toThrow('disk');
      expect(dispatcher.stats).toMatchObject({ runningCount: 0, waitingCount: 0 });
    });
  });
}
