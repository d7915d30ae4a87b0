/** A second try when the first is late. */
import { Readable } from 'node:stream';
import { afterEach, describe, expect, it } from 'vitest';
import { Opened, type Scripted } from './fleet.ts';
import { echo, hang, status, type TestServer, text } from './test-server.ts';
import { until } from './until.ts';

const GET = { origin: 'http://users', path: '/', method: 'GET' } as const;
const REFUSING = '127.0.0.1:1';
const HEDGE = { hedge: { delayMs: 40 }, retry: false } as const;

/** Answers after a time. */
const late =
  (delayMs: number, body: string) =>
  (...[request, response]: Parameters<typeof echo>): void => {
    request.resume();
    setTimeout(() => response.end(body), delayMs);
  };

export function hedgesSuite(name: string): void {
  describe(`hedges on ${name}`, () => {
    const opened = new Opened();
    afterEach(() => opened.closeAll());

    const start = (listener = echo): Promise<TestServer> => opened.server(listener);
    const over = (...args: Parameters<Opened['over']>): Scripted => opened.over(...args);

    it('ask another endpoint after the delay, take the first answer and cancel the loser', async () => {
      const [slow, good] = await Promise.all([start(hang), start(text('well'))]);
      const { cluster, dispatcher } = over([slow.address, good.address], HEDGE);
      const { body } = await dispatcher.request(GET);
      expect(await body.text()).toBe('well');
      // The loser says nothing about its endpoint.
      expect(cluster.log).toEqual([
        'start 0',
        'start 1',
        'respond 1',
        'finish 0 cancelled',
        'finish 1 success',
      ]);
      expect(cluster.contexts[1]?.exclude).toEqual([0]);
      expect(dispatcher.stats).toMatchObject({ hedgeCount: 1, hedgeWinCount: 1, retryCount: 0 });
      await until(() => slow.closedCount === 1, 'the connection of the loser closes');
      expect(cluster.activeCount).toBe(0);
    });

    it('take the first try if it answers after all, and cancel the hedge', async () => {
      const [slow, hung] = await Promise.all([start(late(150, 'late but well')), start(hang)]);
      const { cluster, dispatcher } = over([slow.address, hung.address], HEDGE);
      expect(await (await dispatcher.request(GET)).body.text()).toBe('late but well');
      expect(cluster.log).toEqual([
        'start 0',
        'start 1',
        'respond 0',
        'finish 1 cancelled',
        'finish 0 success',
      ]);
      expect(dispatcher.stats).toMatchObject({ hedgeCount: 1, hedgeWinCount: 0 });
    });

    it('make no difference to a request that is answered in time', async () => {
      const good = await start();
      const { cluster, dispatcher } = over([good.address, REFUSING], {
        hedge: { delayMs: 5_000 },
      });
      await (await dispatcher.request(GET)).body.dump();
      expect(cluster.log).toEqual(['start 0', 'respond 0', 'finish 0 success']);
    });

    it.each([
      ['a POST', { ...GET, method: 'POST', body: 'x' } as const, undefined],
      ['a stream', { ...GET, method: 'PUT' } as const, 'stream'],
    ])('are not made of %s', async (_what, request, body) => {
      const [slow, other] = await Promise.all([start(late(150, 'well')), start()]);
      const { cluster, dispatcher } = over([slow.address, other.address], HEDGE);
      const answer = await dispatcher.request(
        body === undefined ? request : { ...request, body: Readable.from(['x']) },
      );
      expect(await answer.body.text()).toBe('well');
      expect(cluster.log.filter((line) => line.startsWith('start'))).toEqual(['start 0']);
    });

    it('take from the same budget as retries', async () => {
      const [slow, other] = await Promise.all([start(late(150, 'well')), start()]);
      const { dispatcher } = over([slow.address, other.address], {
        hedge: { delayMs: 20 },
        retry: { attempts: 0, budget: { ratio: 0, minPerSecond: 0 } },
      });
      expect(await (await dispatcher.request(GET)).body.text()).toBe('well');
      expect(dispatcher.stats).toMatchObject({ hedgeCount: 0, hedgeRefusedCount: 1 });
      expect(other.requests).toEqual([]);
    });

    it('do not win with a bad answer', async () => {
      const [slow, bad] = await Promise.all([start(late(150, 'well')), start(status(503))]);
      const { cluster, dispatcher } = over([slow.address, bad.address], HEDGE);
      const { statusCode, body } = await dispatcher.request(GET);
      expect([statusCode, await body.text()]).toEqual([200, 'well']);
      expect(cluster.log).toContain('finish 1 gatewayError');
    });

    it('start at once when another try has failed', async () => {
      const [slow, good] = await Promise.all([start(hang), start(text('well'))]);
      const { cluster, dispatcher } = over([slow.address, REFUSING, good.address], {
        hedge: { delayMs: 40, maxHedges: 2 },
        retry: false,
      });
      expect(await (await dispatcher.request(GET)).body.text()).toBe('well');
      expect(cluster.log.filter((line) => line.startsWith('start'))).toEqual([
        'start 0',
        'start 1',
        'start 2',
      ]);
      expect(dispatcher.stats.hedgeCount).toBe(2);
    });

    it('are followed by a retry when all tries have failed', async () => {
      const [bad, worse, good] = await Promise.all([
        start((request, response) => {
          request.resume();
          setTimeout(() => response.writeHead(503).end(), 120);
        }),
        start(status(503)),
        start(text('well')),
      ]);
      const { cluster, dispatcher } = over([bad.address, worse.address, good.address], {
        hedge: { delayMs: 40 },
      });
      expect(await (await dispatcher.request(GET)).body.text()).toBe('well');
      expect(cluster.log.filter((line) => line.startsWith('finish')).toSorted()).toEqual([
        'finish 0 gatewayError',
        'finish 1 gatewayError',
        'finish 2 success',
      ]);
      expect(dispatcher.stats).toMatchObject({ hedgeCount: 1, hedgeWinCount: 0, retryCount: 1 });
    });

    it('give their part of the budget back when there is no other endpoint', async () => {
      const slow = await start(late(120, 'well'));
      const { dispatcher } = over([slow.address], {
        hedge: { delayMs: 20 },
        retry: { budget: { ratio: 0, minPerSecond: 1, windowSeconds: 60 } },
      });
      expect(await (await dispatcher.request(GET)).body.text()).toBe('well');
      expect(dispatcher.stats).toMatchObject({ hedgeCount: 0, retryBudget: 60 });
    });

    it('learn when an answer is late', async () => {
      const [first, second] = await Promise.all([start(), start()]);
      const { dispatcher } = over([first.address, second.address], {
        hedge: { percentile: 99, minSamples: 20, refreshMs: 100, minDelayMs: 30 },
        retry: { budget: { ratio: 10 } },
      });
      // The percentile is read for the first time after 100 ms.
      const untilMs = performance.now() + 250;
      for (let round = 0; round < 40 || performance.now() < untilMs; round++)
        await (await dispatcher.request(GET)).body.dump();
      first.handle(hang);
      // Round robin: one of two goes to the endpoint that hangs.
      for (let round = 0; round < 2; round++) await (await dispatcher.request(GET)).body.dump();
      expect(dispatcher.stats.hedgeWinCount).toBeGreaterThanOrEqual(1);
    });

    it('end with the request: an abort cancels every try', async () => {
      const [one, two] = await Promise.all([start(hang), start(hang)]);
      const { cluster, dispatcher } = over([one.address, two.address], HEDGE);
      const controller = new AbortController();
      const failed = dispatcher.request({ ...GET, signal: controller.signal });
      await until(() => two.requests.length === 1, 'the hedge arrives');
      controller.abort();
      await expect(failed).rejects.toMatchObject({ name: 'AbortError' });
      expect(cluster.log.slice(2)).toEqual(['finish 0 cancelled', 'finish 1 cancelled']);
      await until(() => one.closedCount + two.closedCount === 2, 'both connections close');
      expect(dispatcher.stats.runningCount).toBe(0);
    });

    it('are held to the time for a try, each', async () => {
      const servers = await Promise.all([start(hang), start(hang)]);
      const { cluster, dispatcher } = over(
        servers.map(({ address }) => address),
        { ...HEDGE, deadline: { perTryTimeoutMs: 200 } },
      );
      await expect(dispatcher.request(GET)).rejects.toMatchObject({
        code: 'UND_ERR_HEADERS_TIMEOUT',
      });
      expect(cluster.log.slice(2)).toEqual(['finish 0 timeout', 'finish 1 timeout']);
    });
  });
}
