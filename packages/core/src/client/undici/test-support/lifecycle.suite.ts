/** Beginnings and ends: discovery that is late, endpoints that leave, dispatchers that close. */
import { AsyncLocalStorage } from 'node:async_hooks';
import { afterEach, describe, expect, it } from 'vitest';
import { createDispatcher } from '../index.ts';
import type { DispatcherOptions } from '../options.ts';
import { FakeCluster } from './fake-cluster.ts';
import { Opened } from './fleet.ts';
import type { TestServer } from './test-server.ts';
import { until } from './until.ts';

const GET = { origin: 'http://users', path: '/', method: 'GET' } as const;

export function lifecycleSuite(name: string): void {
  describe(`lifecycle on ${name}`, () => {
    const opened = new Opened();
    afterEach(() => opened.closeAll());

    const start = (): Promise<TestServer> => opened.server();

    const over = (cluster: FakeCluster, options: Partial<DispatcherOptions> = {}) => {
      const dispatcher = createDispatcher({ clusters: [cluster], ...options });
      opened.add(() => dispatcher.destroy());
      return dispatcher;
    };

    describe('discovery', () => {
      it('is waited for, in the async context of the caller', async () => {
        const server = await start();
        const cluster = new FakeCluster();
        cluster.forget();
        const dispatcher = over(cluster);
        const storage = new AsyncLocalStorage<string>();
        const seen: (string | undefined)[] = [];
        let accepted = false;
        const done = storage.run(
          'mine',
          () =>
            new Promise<void>((resolve, reject) => {
              accepted = dispatcher.dispatch(GET, {
                onRequestStart: () => undefined,
                onResponseStart: () => void seen.push(storage.getStore()),
                onResponseData: () => undefined,
                onResponseEnd: () => resolve(),
                onResponseError: (_controller, error) => reject(error),
              });
            }),
        );
        expect(accepted).toBe(true);
        storage.run('a stranger', () => cluster.deliver([server.address]));
        await done;
        expect(seen).toEqual(['mine']);
      });

      it('is waited for no longer than the deadline, or a try may take', async () => {
        for (const [options, code] of [
          [{ deadlineMs: 40 }, 'EVENKEEL_DEADLINE'],
          [{ headersTimeoutMs: 40 }, 'EVENKEEL_NOT_READY'],
        ] as const) {
          const cluster = new FakeCluster();
          cluster.forget();
          const dispatcher = over(cluster, options);
          await expect(dispatcher.request(GET)).rejects.toMatchObject({ code, cluster: 'users' });
          expect(dispatcher.stats).toMatchObject({ runningCount: 0, waitingCount: 0 });
        }
      });

      it('that finds nothing fails the request at once', async () => {
        const dispatcher = over(new FakeCluster());
        await expect(dispatcher.request(GET)).rejects.toMatchObject({
          code: 'EVENKEEL_NO_ELIGIBLE_ENDPOINT',
        });
        const empty = new FakeCluster();
        empty.failure = 'no-endpoints';
        await expect(over(empty).request(GET)).rejects.toMatchObject({
          code: 'EVENKEEL_NO_ENDPOINTS',
        });
      });

      it('that ends while it is awaited fails the request', async () => {
        const cluster = new FakeCluster();
        cluster.forget();
        const dispatcher = over(cluster);
        const answer = dispatcher.request(GET);
        await cluster.close();
        await expect(answer).rejects.toMatchObject({ code: 'EVENKEEL_CLOSED', cluster: 'users' });
      });
    });

    describe('endpoints', () => {
      it('that leave lose their idle connections at once, and the others when they are done', async () => {
        const server = await start();
        let release = (): void => undefined;
        server.handle((request, response) => {
          if (request.url === '/slow') release = () => response.end('done');
          else response.end();
        });
        const cluster = new FakeCluster({ endpoints: [server.address] });
        const dispatcher = over(cluster);
        const slow = dispatcher.request({ ...GET, path: '/slow' });
        await until(() => server.requests.length === 1, 'the slow request arrives');
        await (await dispatcher.request(GET)).body.dump();
        expect(server.connectionCount).toBe(2);
        cluster.remove(0);
        await until(() => server.connectionCount === 1, 'the idle connection closes');
        release();
        expect(await (await slow).body.text()).toBe('done');
        await until(() => server.connectionCount === 0, 'the other one closes');
        expect(dispatcher.stats.pools).toEqual([]);
      });

      it('that leave and do not finish are broken off', async () => {
        const server = await start();
        server.handle(() => undefined);
        const cluster = new FakeCluster({ endpoints: [server.address] });
        const dispatcher = over(cluster, { drainTimeoutMs: 50 });
        const hung = dispatcher.request(GET);
        await until(() => server.requests.length === 1, 'the request arrives');
        cluster.remove(0);
        await expect(hung).rejects.toMatchObject({ code: 'UND_ERR_DESTROYED' });
        expect(cluster.log).toEqual(['start 0', 'finish 0 cancelled']);
      });

      it('that move get new connections; other changes leave them alone', async () => {
        const [one, two] = await Promise.all([start(), start()]);
        const cluster = new FakeCluster({ endpoints: [{ id: 'a', address: one.address }] });
        const dispatcher = over(cluster, { connections: 1 });
        await (await dispatcher.request(GET)).body.dump();
        cluster.replace(0, { id: 'a', address: one.address, weight: 5 });
        await (await dispatcher.request(GET)).body.dump();
        expect([one.acceptedCount, one.requests.length]).toEqual([1, 2]);
        cluster.replace(0, { id: 'a', address: two.address });
        await (await dispatcher.request(GET)).body.dump();
        expect(two.requests.length).toBe(1);
        await until(() => one.connectionCount === 0, 'the old connection closes');
      });

      it('get no more pools than the limit, whatever ports a caller names', async () => {
        const server = await start();
        const dispatcher = over(new FakeCluster({ endpoints: [server.address] }));
        for (let port = 2_000; port < 2_040; port++) {
          await (await dispatcher.request({ ...GET, origin: `http://users:${port}` })).body.dump();
        }
        expect(dispatcher.stats.pools.length).toBe(16);
        await until(() => server.connectionCount <= 16, 'surplus connections close');
      });

      it('get fresh connections in place of old ones, under load and without a failure', async () => {
        const server = await start();
        const dispatcher = over(new FakeCluster({ endpoints: [server.address] }), {
          maxConnectionAgeMs: 20,
          connections: 4,
          retry: false,
        });
        const endMs = performance.now() + 300;
        await Promise.all(
          Array.from({ length: 16 }, async () => {
            while (performance.now() < endMs) await (await dispatcher.request(GET)).body.dump();
          }),
        );
        expect(server.acceptedCount).toBeGreaterThan(8);
        expect(server.connectionCount).toBeLessThanOrEqual(8);
      });

      it('keep their connections when ageing is off', async () => {
        const server = await start();
        const dispatcher = over(new FakeCluster({ endpoints: [server.address] }), {
          maxConnectionAgeMs: 0,
          connections: 1,
        });
        for (let round = 0; round < 20; round++) await (await dispatcher.request(GET)).body.dump();
        expect(server.acceptedCount).toBe(1);
      });
    });

    describe('close', () => {
      it('lets running requests finish, refuses new ones, and leaves nothing behind', async () => {
        const server = await start();
        let release = (): void => undefined;
        server.handle((_request, response) => {
          response.write('begin');
          release = () => response.end();
        });
        const cluster = new FakeCluster({ endpoints: [server.address] });
        const dispatcher = over(cluster);
        const { body } = await dispatcher.request(GET);
        let isClosed = false;
        const closing = dispatcher.close().then(() => {
          isClosed = true;
        });
        expect([dispatcher.closed, dispatcher.destroyed]).toEqual([true, false]);
        await expect(dispatcher.request(GET)).rejects.toMatchObject({ code: 'EVENKEEL_CLOSED' });
        expect(isClosed).toBe(false);
        release();
        expect(await body.text()).toBe('begin');
        await closing;
        expect([dispatcher.closed, dispatcher.destroyed]).toEqual([true, true]);
        expect(cluster.listenerCount).toBe(0);
        expect(cluster.activeCount).toBe(0);
        await until(() => server.connectionCount === 0, 'the connections close');
      });

      it('waits for requests between two tries', async () => {
        const cluster = new FakeCluster({ endpoints: ['127.0.0.1:1'] });
        const dispatcher = over(cluster, { retry: { attempts: 2 } });
        const answer = dispatcher.request(GET).catch((error: unknown) => error);
        await until(() => dispatcher.stats.retryCount === 1, 'the first try has failed');
        await dispatcher.close();
        expect(await answer).toMatchObject({ code: 'ECONNREFUSED' });
        expect(cluster.log.filter((line) => line.startsWith('start')).length).toBe(3);
      });

      it('works with a callback, may be called again, and after destroy', async () => {
        const dispatcher = over(new FakeCluster());
        const called = new Promise((resolve) => {
          dispatcher.close((error, data) => resolve([error, data]));
        });
        await dispatcher.close();
        expect(await called).toEqual([null, null]);
        await dispatcher.close();
        await dispatcher.destroy();
        await dispatcher.close();
        expect(() => dispatcher.close('x' as never)).toThrow('callback');
      });

      it('does not close the clusters', async () => {
        const fleet = await opened.fleet();
        await fleet.dispatcher.close();
        expect(fleet.cluster.snapshot().closed).toBe(false);
      });
    });

    describe('destroy', () => {
      it('breaks off whatever runs or waits, with the given error, and blames no endpoint', async () => {
        const server = await start();
        server.handle(() => undefined);
        const cluster = new FakeCluster({ endpoints: [server.address] });
        const late = new FakeCluster({ name: 'late' });
        late.forget();
        const dispatcher = createDispatcher({ clusters: [cluster, late], connections: 1 });
        const answers = [GET, GET, { ...GET, origin: 'http://late' }].map((request) =>
          dispatcher.request(request).catch((error: unknown) => error),
        );
        await until(() => server.requests.length === 1, 'the first request arrives');
        const reason = new Error('shutting down');
        await dispatcher.destroy(reason);
        expect(await Promise.all(answers)).toEqual([reason, reason, reason]);
        expect(cluster.log.filter((line) => line.startsWith('finish'))).toEqual([
          'finish 0 cancelled',
          'finish 0 cancelled',
        ]);
        expect(dispatcher.stats).toMatchObject({ runningCount: 0, waitingCount: 0, pools: [] });
        await until(() => server.connectionCount === 0, 'the connections close');
      });

      it('breaks off a request between two tries', async () => {
        const cluster = new FakeCluster({ endpoints: ['127.0.0.1:1'] });
        const dispatcher = over(cluster, { retry: { attempts: 5, maxBackoffMs: 60_000 } });
        const answer = dispatcher.request(GET).catch((error: unknown) => error);
        await until(() => dispatcher.stats.retryCount === 4, 'a few tries have failed');
        const { length } = cluster.log;
        await dispatcher.destroy();
        expect(await answer).toMatchObject({ code: 'EVENKEEL_CLOSED' });
        expect(cluster.log.length).toBe(length);
        expect(dispatcher.stats.pools).toEqual([]);
      });

      it('has an error of its own, works with callbacks, and may be called again', async () => {
        const server = await start();
        server.handle(() => undefined);
        const dispatcher = over(new FakeCluster({ endpoints: [server.address] }));
        const answer = dispatcher.request(GET);
        await until(() => server.requests.length === 1, 'the request arrives');
        const called = new Promise<void>((resolve) => {
          dispatcher.destroy(() => resolve());
        });
        await expect(answer).rejects.toMatchObject({ code: 'EVENKEEL_CLOSED' });
        await called;
        await new Promise<void>((resolve) => {
          dispatcher.destroy(null, () => resolve());
        });
        await dispatcher.destroy();
        expect([dispatcher.closed, dispatcher.destroyed]).toEqual([true, true]);
      });

      it('also ends passthrough', async () => {
        const server = await start();
        const dispatcher = over(new FakeCluster(), { passthrough: true });
        await (
          await dispatcher.request({ ...GET, origin: `http://${server.address}` })
        ).body.dump();
        await dispatcher.destroy();
        await until(() => server.connectionCount === 0, 'the connection closes');
      });
    });
  });
}
