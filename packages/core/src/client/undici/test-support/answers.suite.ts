/** Answers that are not passed on as they come: held back, replaced by a fallback, given a cookie, read for load. */
import { afterEach, describe, expect, it } from 'vitest';
import { createCookieAffinity } from '../../../affinity/cookie-affinity.ts';
import { createCluster } from '../../../cluster/create-cluster.ts';
import { createDispatcher } from '../index.ts';
import { Opened, type Scripted } from './fleet.ts';
import { echo, hang, resetMidBody, status, type TestServer, text } from './test-server.ts';
import { until } from './until.ts';

const GET = { origin: 'http://users', path: '/', method: 'GET' } as const;
const POST = { ...GET, method: 'POST', body: 'x' } as const;
const REFUSING = '127.0.0.1:1';
const HOLD = { holdResponseBytes: 65_536 } as const;

/** Headers without a length and half of a small body, then the end of the connection. */
const resetHalfway = (...[request, response]: Parameters<typeof echo>): void => {
  request.resume();
  response.writeHead(200, { 'x-from': 'broken' });
  response.write('half', () => request.socket.resetAndDestroy());
};

export function answersSuite(name: string): void {
  describe(`held responses on ${name}`, () => {
    const opened = new Opened();
    afterEach(() => opened.closeAll());

    const start = (listener = echo): Promise<TestServer> => opened.server(listener);
    const over = (...args: Parameters<Opened['over']>): Scripted => opened.over(...args);

    it('are tried again, unseen, when they break off', async () => {
      const [bad, good] = await Promise.all([start(resetHalfway), start(text('well'))]);
      const { cluster, dispatcher } = over([bad.address, good.address], HOLD);
      const { headers, body } = await dispatcher.request(GET);
      expect(headers['x-from']).toBeUndefined();
      expect(await body.text()).toBe('well');
      expect(cluster.log).toEqual([
        'start 0',
        'respond 0',
        'finish 0 reset',
        'start 1',
        'respond 1',
        'finish 1 success',
      ]);
    });

    it('are not held for a POST, nor by default', async () => {
      const [bad, good] = await Promise.all([start(resetHalfway), start(text('well'))]);
      for (const [request, options] of [
        [POST, HOLD],
        [GET, {}],
      ] as const) {
        const { dispatcher } = over([bad.address, good.address], options);
        const { headers, body } = await dispatcher.request(request);
        expect(headers['x-from']).toBe('broken');
        await expect(body.text()).rejects.toBeInstanceOf(Error);
      }
    });

    it('are passed on when they turn out to be larger', async () => {
      const gate = Promise.withResolvers<void>();
      const large = await start((request, response) => {
        request.resume();
        response.write('x'.repeat(80_000));
        void gate.promise.then(() => response.end('y'.repeat(80_000)));
      });
      const { cluster, dispatcher } = over([large.address], HOLD);
      const { body } = await dispatcher.request(GET);
      gate.resolve();
      expect((await body.text()).length).toBe(160_000);
      expect(cluster.log.at(-1)).toBe('finish 0 success');
    });

    it('are passed on at once when their headers say that they are larger, or live', async () => {
      const [large, live] = await Promise.all([
        start(resetMidBody),
        start((request, response) => {
          request.resume();
          response.writeHead(200, { 'content-type': 'text/event-stream' });
          response.write('data: 1\n\n');
        }),
      ]);
      const { dispatcher } = over([large.address, live.address], HOLD);
      const { body } = await dispatcher.request(GET);
      await expect(body.text()).rejects.toBeInstanceOf(Error);
      const events = await dispatcher.request(GET);
      for await (const chunk of events.body) {
        expect(String(chunk)).toBe('data: 1\n\n');
        break;
      }
    });

    it('respect a caller that pauses', async () => {
      const good = await start(text('x'.repeat(50_000)));
      const { dispatcher } = over([good.address], HOLD);
      const seen: string[] = [];
      await new Promise<void>((resolve, reject) => {
        dispatcher.dispatch(GET, {
          onRequestStart: () => undefined,
          onResponseStart: (controller) => {
            seen.push('start');
            controller.pause();
            setTimeout(() => {
              seen.push('resume');
              controller.resume();
            }, 20);
          },
          onResponseData: () => void (seen.at(-1) === 'data' || seen.push('data')),
          onResponseEnd: () => {
            seen.push('end');
            resolve();
          },
          onResponseError: (_controller, error) => reject(error),
        });
      });
      expect(seen).toEqual(['start', 'resume', 'data', 'end']);
    });

    it('are held to the time for a try until they are complete', async () => {
      const [stuck, good] = await Promise.all([
        start((request, response) => {
          request.resume();
          response.write('half');
        }),
        start(text('well')),
      ]);
      const { cluster, dispatcher } = over([stuck.address, good.address], {
        ...HOLD,
        deadline: { perTryTimeoutMs: 300 },
      });
      expect(await (await dispatcher.request(GET)).body.text()).toBe('well');
      expect(cluster.log).toContain('finish 0 timeout');
    });
  });

  describe(`fallbacks on ${name}`, () => {
    const opened = new Opened();
    afterEach(() => opened.closeAll());
    const over = (...args: Parameters<Opened['over']>): Scripted => opened.over(...args);

    it('answer when all tries have failed, at once or as a promise', async () => {
      const answer = { statusCode: 203, headers: { 'x-from': 'cache' }, body: 'stale' };
      for (const fallback of [() => answer, () => Promise.resolve(answer)]) {
        const { dispatcher } = over([REFUSING], { fallback, retry: false });
        const { statusCode, headers, body } = await dispatcher.request(GET);
        expect([statusCode, headers['x-from'], await body.text()]).toEqual([203, 'cache', 'stale']);
        expect(dispatcher.stats).toMatchObject({ fallbackCount: 1, runningCount: 0 });
        // As the fetch of Node reads it, from the raw headers.
        const fetched = await fetch('http://users/', { dispatcher } as never);
        expect([fetched.headers.get('x-from'), await fetched.text()]).toEqual(['cache', 'stale']);
      }
    });

    it('see error and request, and let the error through with undefined or by throwing', async () => {
      const seen: string[] = [];
      for (const outcome of ['undefined', 'throw', 'reject']) {
        const { dispatcher } = over([REFUSING], {
          retry: false,
          fallback: (error, { path }) => {
            seen.push(`${(error as { code?: string }).code} ${path}`);
            if (outcome === 'throw') throw new Error('worse');
            return outcome === 'reject' ? Promise.reject(new Error('worse')) : undefined;
          },
        });
        await expect(dispatcher.request({ ...GET, path: '/x' })).rejects.toMatchObject({
          code: 'ECONNREFUSED',
        });
      }
      expect(seen).toEqual(Array(3).fill('ECONNREFUSED /x'));
    });

    it('are not asked for what the caller gave up, for responses, nor after their headers', async () => {
      let asked = 0;
      const fallback = (): undefined => void asked++;
      const [hung, bad, broken] = await Promise.all([
        opened.server(hang),
        opened.server(status(503)),
        opened.server(resetMidBody),
      ]);
      const aborted = over([hung.address], { fallback });
      const signal = AbortSignal.timeout(60);
      await expect(aborted.dispatcher.request({ ...GET, signal })).rejects.toBeInstanceOf(Error);
      const refused = over([bad.address], { fallback });
      expect((await refused.dispatcher.request(GET)).statusCode).toBe(503);
      const invalid = over([bad.address], { fallback });
      const wrong = invalid.dispatcher.request({ ...GET, headers: { 'x-bad': 'a\nb' } });
      await expect(wrong).rejects.toMatchObject({ code: 'UND_ERR_INVALID_ARG' });
      const cut = over([broken.address], { fallback });
      const { body } = await cut.dispatcher.request(GET);
      await expect(body.text()).rejects.toBeInstanceOf(Error);
      expect(asked).toBe(0);
    });

    it('may be late: an abort meanwhile counts', async () => {
      const gate = Promise.withResolvers<undefined>();
      const { dispatcher } = over([REFUSING], { retry: false, fallback: () => gate.promise });
      const controller = new AbortController();
      const failed = dispatcher.request({ ...GET, signal: controller.signal });
      setTimeout(() => controller.abort(), 30);
      await expect(failed).rejects.toMatchObject({ name: 'AbortError' });
      gate.resolve(undefined);
      expect(dispatcher.stats.runningCount).toBe(0);
    });
  });

  describe(`load reports on ${name}`, () => {
    const opened = new Opened();
    afterEach(() => opened.closeAll());
    const reporting = (...[request, response]: Parameters<typeof echo>): void => {
      request.resume();
      const header = 'endpoint-load-metrics';
      response.writeHead(200, { [header]: 'TEXT cpu_utilization=0.25', trailer: header });
      response.write('x');
      response.addTrailers({ [header]: 'TEXT cpu_utilization=0.75' });
      response.end();
    };

    it('are read in headers and trailers, before the end of the request', async () => {
      const server = await opened.server(reporting);
      const { cluster, dispatcher } = opened.over([server.address], {}, { usesLoadReports: true });
      await (await dispatcher.request(GET)).body.text();
      expect(cluster.log).toEqual([
        'start 0',
        'report 0 0.25',
        'respond 0',
        'report 0 0.75',
        'finish 0 success',
      ]);
    });

    it('are not looked for when nobody uses them', async () => {
      const server = await opened.server(reporting);
      const { cluster, dispatcher } = opened.over([server.address]);
      await (await dispatcher.request(GET)).body.text();
      expect(cluster.log).toEqual(['start 0', 'respond 0', 'finish 0 success']);
    });
  });

  describe(`what a request asks for on ${name}`, () => {
    const opened = new Opened();
    afterEach(() => opened.closeAll());

    it('is a subset of the endpoints, also when it is tried again', async () => {
      const [stable, bad, beta] = await Promise.all([
        opened.server(text('stable')),
        opened.server(status(503)),
        opened.server(text('beta')),
      ]);
      const endpoint = ({ address }: TestServer, version: string) => ({
        address,
        metadata: { version },
      });
      const cluster = createCluster({
        name: 'users',
        discovery: [endpoint(stable, 'v1'), endpoint(bad, 'v2'), endpoint(beta, 'v2')],
        policy: 'round-robin',
        topology: { subsets: { selectors: [{ keys: ['version'] }] } },
      });
      opened.add(() => cluster.close());
      const dispatcher = createDispatcher({
        clusters: [cluster],
        subsetOf: ({ path }) => (path === '/' ? undefined : { version: path.slice(1) }),
      });
      opened.add(() => dispatcher.destroy());
      await cluster.ready();
      for (let round = 0; round < 6; round++) {
        const { body } = await dispatcher.request({ ...GET, path: '/v2' });
        expect(await body.text()).toBe('beta');
      }
      await expect(dispatcher.request({ ...GET, path: '/v9' })).rejects.toThrow(
        'outside of the subset',
      );
      await until(() => dispatcher.stats.runningCount === 0, 'nothing runs');
    });

    it('is an error of the request alone when it cannot be found out, and leaves nothing behind', async () => {
      const server = await opened.server(text('well'));
      const { cluster, dispatcher } = opened.over([server.address], {
        subsetOf: ({ path }) => {
          if (path === '/bad') throw new Error('no idea');
          return undefined;
        },
      });
      await expect(dispatcher.request({ ...GET, path: '/bad' })).rejects.toThrow('no idea');
      expect(dispatcher.stats.runningCount).toBe(0);
      expect(cluster.log).toEqual([]);
      expect(await (await dispatcher.request(GET)).body.text()).toBe('well');
    });
  });

  describe(`cookie affinity on ${name}`, () => {
    const opened = new Opened();
    afterEach(() => opened.closeAll());

    it('keeps a client with its endpoint, and moves it with a new cookie when that is gone', async () => {
      const servers = await Promise.all(
        ['a', 'b', 'c'].map((body) =>
          opened.server((request, response) => {
            request.resume();
            response.setHeader('set-cookie', 'theirs=1').end(body);
          }),
        ),
      );
      const cluster = createCluster({
        name: 'users',
        discovery: servers.map(({ address }) => address),
        policy: 'round-robin',
      });
      opened.add(() => cluster.close());
      const affinity = createCookieAffinity(cluster, { secrets: ['0123456789abcdef'], name: 'at' });
      opened.add(() => affinity.close());
      const dispatcher = createDispatcher({ clusters: [{ cluster, affinity }] });
      opened.add(() => dispatcher.destroy());
      await cluster.ready();

      let cookie: string | undefined;
      const visit = async (): Promise<string> => {
        const { headers, body } = await dispatcher.request({
          ...GET,
          headers: cookie === undefined ? {} : { cookie },
        });
        const cookies = headers['set-cookie'];
        const mine = (Array.isArray(cookies) ? cookies : []).find((one) => one.startsWith('at='));
        expect(cookies).toContain('theirs=1');
        if (mine !== undefined) cookie = mine.split(';')[0];
        return `${await body.text()}${mine === undefined ? '' : ' +cookie'}`;
      };
      const home = (await visit()).slice(0, 1);
      for (let round = 0; round < 5; round++) expect(await visit()).toBe(home);
      await servers['abc'.indexOf(home)]?.kill();
      const moved = await visit();
      expect(moved).toMatch(/^[abc] \+cookie$/);
      expect(moved[0]).not.toBe(home);
      for (let round = 0; round < 3; round++) expect(await visit()).toBe(moved[0]);
      // Also where the raw headers are read.
      const fetched = await fetch('http://users/', { dispatcher } as never);
      expect(fetched.headers.getSetCookie().map((one) => one.split('=')[0])).toEqual([
        'theirs',
        'at',
      ]);
      await fetched.text();
      await until(() => dispatcher.stats.runningCount === 0, 'nothing runs');
    });
  });
}
