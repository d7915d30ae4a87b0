/** What happens on the way to and from an endpoint, run against each supported undici underneath. */
import { AsyncLocalStorage } from 'node:async_hooks';
import { once } from 'node:events';
import { Readable, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { createFetch } from '../index.ts';
import { Opened } from './fleet.ts';
import { type Echoed, status } from './test-server.ts';
import { until } from './until.ts';

export function exchangesSuite(name: string): void {
  describe(`exchanges on ${name}`, () => {
    const opened = new Opened();
    afterEach(() => opened.closeAll());

    it('streams a request body and a response body', async () => {
      const { dispatcher } = await opened.fleet();
      const parts = Array.from({ length: 50 }, (_, index) => `${index};`.repeat(500));
      let answer = '';
      await pipeline(
        Readable.from(parts),
        dispatcher.pipeline(
          { origin: 'http://users', path: '/', method: 'PUT' },
          ({ body }) => body,
        ),
        new Writable({
          write: (chunk: Buffer, _encoding, next) => {
            answer += chunk.toString();
            next();
          },
        }),
      );
      expect((JSON.parse(answer) as Echoed).body).toBe(parts.join(''));
    });

    it('sends the bodies that fetch makes', async () => {
      const { dispatcher } = await opened.fleet();
      const call = createFetch(dispatcher);
      const send = async (body: unknown): Promise<string> => {
        const response = await call('http://users/', {
          method: 'POST',
          body: body as never,
          duplex: 'half',
        });
        return ((await response.json()) as Echoed).body;
      };
      expect(await send('text')).toBe('text');
      expect(await send(new URLSearchParams({ a: 'b' }))).toBe('a=b');
      expect(await send(new Blob(['blob']))).toBe('blob');
      expect(await send(ReadableStream.from([Buffer.from('web '), Buffer.from('stream')]))).toBe(
        'web stream',
      );
    });

    it('holds a fast sender back until the caller reads', async () => {
      const { dispatcher, servers } = await opened.fleet();
      const size = 32 * 1024 * 1024;
      let sent = 0;
      servers[0]?.handle((_request, response) => {
        response.writeHead(200, { 'content-length': String(size) });
        const source = Readable.from(
          (function* () {
            for (; sent < size; sent += 65_536) yield Buffer.alloc(65_536);
          })(),
        );
        source.pipe(response);
      });
      const { body } = await dispatcher.request({
        origin: 'http://users',
        path: '/',
        method: 'GET',
      });
      await until(() => sent > 0, 'the server begins');
      await new Promise((resolve) => {
        setTimeout(resolve, 50);
      });
      // Kernel buffers take some megabytes; the rest has to wait.
      expect(sent).toBeLessThan(size / 2);
      let received = 0;
      for await (const chunk of body) received += (chunk as Buffer).length;
      expect(received).toBe(size);
    });

    it('passes trailers, informational responses and statuses without a body', async () => {
      const { dispatcher, servers } = await opened.fleet();
      servers[0]?.handle((request, response) => {
        if (request.url === '/trailers') {
          response.writeHead(200, { trailer: 'x-sum' });
          response.write('body');
          response.addTrailers({ 'x-sum': '42' });
          response.end();
        } else if (request.url === '/hints') {
          response.writeEarlyHints({ link: '</a.css>; rel=preload' }, () => response.end('after'));
        } else response.writeHead(204).end();
      });
      const trailing = await dispatcher.request({
        origin: 'http://users',
        path: '/trailers',
        method: 'GET',
      });
      expect(await trailing.body.text()).toBe('body');
      expect(trailing.trailers).toEqual({ 'x-sum': '42' });
      const infos: number[] = [];
      const hinted = await dispatcher.request({
        origin: 'http://users',
        path: '/hints',
        method: 'GET',
        onInfo: ({ statusCode }) => infos.push(statusCode),
      });
      expect(await hinted.body.text()).toBe('after');
      expect(infos).toEqual([103]);
      const empty = await dispatcher.request({ origin: 'http://users', path: '/', method: 'HEAD' });
      expect(empty.statusCode).toBe(204);
      expect(await empty.body.text()).toBe('');
      expect((await createFetch(dispatcher)('http://users/hints')).status).toBe(200);
    });

    it('keeps the async context in callbacks, also for requests that queue for a connection', async () => {
      const { dispatcher } = await opened.fleet({ dispatcher: { connections: 1 } });
      const storage = new AsyncLocalStorage<number>();
      const seen = await Promise.all(
        [1, 2, 3].map((id) =>
          storage.run(
            id,
            () =>
              new Promise<(number | undefined)[]>((resolve, reject) => {
                const contexts: (number | undefined)[] = [];
                const note = (): void => void contexts.push(storage.getStore());
                dispatcher.dispatch(
                  { origin: 'http://users', path: '/', method: 'POST', body: 'x' },
                  {
                    onRequestStart: note,
                    onBodySent: note,
                    onRequestSent: note,
                    onResponseStarted: note,
                    onResponseStart: note,
                    onResponseData: note,
                    onResponseEnd: () => {
                      note();
                      resolve(contexts);
                    },
                    onResponseError: (_controller, error) => reject(error),
                  },
                );
              }),
          ),
        ),
      );
      expect(seen).toEqual([1, 2, 3].map((id) => new Array(7).fill(id)));
    });

    it('counts a request from dispatch to its last byte, exactly once', async () => {
      const fleet = await opened.fleet();
      const { dispatcher, servers } = fleet;
      let finish = (): void => undefined;
      servers[0]?.handle((_request, response) => {
        response.write('begin');
        finish = () => response.end();
      });
      const { body } = await dispatcher.request({
        origin: 'http://users',
        path: '/',
        method: 'GET',
      });
      expect(fleet.active()).toBe(1);
      expect(dispatcher.stats).toMatchObject({
        runningCount: 1,
        pools: [{ running: 1, connected: 1 }],
      });
      finish();
      await body.text();
      expect(fleet.active()).toBe(0);
      expect(fleet.outcomes(0)).toEqual({ success: 1 });
      expect(dispatcher.stats.runningCount).toBe(0);
    });

    it.each([
      [404, 'success'],
      [500, 'serverError'],
      [503, 'gatewayError'],
      [429, 'overloaded'],
    ])('reports status %s as %s', async (code, outcome) => {
      const fleet = await opened.fleet({ dispatcher: { retry: false } });
      fleet.servers[0]?.handle(status(code));
      const { statusCode, body } = await fleet.dispatcher.request({
        origin: 'http://users',
        path: '/',
        method: 'GET',
      });
      expect(await body.text()).toBe(`status ${code}`);
      expect(statusCode).toBe(code);
      expect(fleet.outcomes(0)).toEqual({ [outcome]: 1 });
    });

    it('reports an error status although the caller does not read its body', async () => {
      const fleet = await opened.fleet({ dispatcher: { retry: false } });
      fleet.servers[0]?.handle((_request, response) => {
        response.writeHead(500, { 'content-length': '10' });
        response.write('x');
      });
      const { body } = await fleet.dispatcher.request({
        origin: 'http://users',
        path: '/',
        method: 'GET',
      });
      body.on('error', () => undefined);
      body.destroy();
      await until(() => fleet.active() === 0, 'the request ends');
      expect(fleet.outcomes(0)).toEqual({ serverError: 1 });
    });

    it('refuses what undici refuses, blames no endpoint and goes on', async () => {
      const fleet = await opened.fleet();
      const bad = { origin: 'http://users', path: 'no-slash', method: 'GET' };
      await expect(fleet.dispatcher.request(bad)).rejects.toMatchObject({
        code: 'UND_ERR_INVALID_ARG',
      });
      const expecting = {
        origin: 'http://users',
        path: '/',
        method: 'PUT',
        headers: { expect: '100-continue' },
      };
      await expect(fleet.dispatcher.request(expecting)).rejects.toMatchObject({
        code: 'UND_ERR_NOT_SUPPORTED',
      });
      await expect(fleet.dispatcher.request({ path: '/', method: 'GET' })).rejects.toMatchObject({
        code: 'UND_ERR_INVALID_ARG',
      });
      expect(fleet.active()).toBe(0);
      expect(fleet.outcomes(0)).toEqual({ cancelled: 2 });
      expect((await createFetch(fleet.dispatcher)('http://users/')).status).toBe(200);
    });

    it('throws for a handler that cannot be told anything', async () => {
      const { dispatcher } = await opened.fleet();
      const request = { origin: 'http://users', path: '/', method: 'GET' };
      expect(() => dispatcher.dispatch(request, null as never)).toThrow(
        'handler must be an object',
      );
      expect(() => dispatcher.dispatch(undefined as never, {})).toThrow('opts must be an object');
    });

    it('does not mind its own name among the options', async () => {
      const { dispatcher } = await opened.fleet();
      const request = { origin: 'http://users', path: '/', method: 'GET', dispatcher };
      const { statusCode, body } = await dispatcher.request(request);
      await body.dump();
      expect(statusCode).toBe(200);
    });

    it('can be composed with interceptors', async () => {
      const { dispatcher } = await opened.fleet();
      const composed = dispatcher.compose(
        (dispatch) => (options, handler) =>
          dispatch({ ...options, path: `/prefix${options.path}` }, handler),
      );
      const { body } = await composed.request({
        origin: 'http://users',
        path: '/x',
        method: 'GET',
      });
      expect(await body.json()).toMatchObject({ url: '/prefix/x' });
      expect(composed.compose((dispatch) => dispatch)).toBeInstanceOf(Object);
      expect((composed as typeof dispatcher).stats.runningCount).toBe(0);
      await composed.close();
      expect(dispatcher.closed).toBe(true);
    });

    it('gives interceptors handlers of the new shape, also from callers of the old one', async () => {
      const { dispatcher } = await opened.fleet();
      const shapes: string[] = [];
      const composed = dispatcher.compose([
        (dispatch) => (options, handler) => {
          shapes.push(typeof handler.onRequestStart);
          return dispatch(options, handler);
        },
      ]);
      const received = await new Promise<string>((resolve, reject) => {
        composed.dispatch({ origin: 'http://users', path: '/', method: 'GET' }, {
          onConnect: () => undefined,
          onHeaders: (statusCode: number) => statusCode === 200,
          onData: () => true,
          onComplete: () => resolve('done'),
          onError: reject,
        } as never);
      });
      expect([received, shapes]).toEqual(['done', ['function']]);
    });

    it('says when connections open and close', async () => {
      const { dispatcher, servers } = await opened.fleet();
      const connected = once(dispatcher, 'connect');
      await (await createFetch(dispatcher)('http://users/')).text();
      const [origin, targets] = (await connected) as [URL, unknown[]];
      expect(origin.href).toBe('http://users/');
      expect(targets[0]).toBe(dispatcher);
      const disconnected = once(dispatcher, 'disconnect');
      servers[0]?.resetAll();
      expect(((await disconnected) as [URL])[0].href).toBe('http://users/');
    });

    it('says when a connection cannot be made', async () => {
      const { dispatcher, servers } = await opened.fleet({ dispatcher: { retry: false } });
      await servers[0]?.kill();
      const failed = once(dispatcher, 'connectionError');
      await expect(
        dispatcher.request({ origin: 'http://users', path: '/', method: 'GET' }),
      ).rejects.toMatchObject({
        code: 'ECONNREFUSED',
      });
      expect(((await failed) as [URL, unknown[], { code: string }])[2].code).toBe('ECONNREFUSED');
    });

    it('answers false when all connections are taken, and drain when one is free', async () => {
      const fleet = await opened.fleet({ dispatcher: { connections: 1 } });
      const { dispatcher } = fleet;
      const done: Promise<void>[] = [];
      const send = (): boolean => {
        let accepted = true;
        done.push(
          new Promise((resolve, reject) => {
            accepted = dispatcher.dispatch(
              { origin: 'http://users', path: '/', method: 'GET' },
              {
                onRequestStart: () => undefined,
                onResponseStart: () => undefined,
                onResponseData: () => undefined,
                onResponseEnd: () => resolve(),
                onResponseError: (_controller, error) => reject(error),
              },
            );
          }),
        );
        return accepted;
      };
      const drained = once(dispatcher, 'drain');
      let accepted = 0;
      while (send()) accepted++;
      expect(accepted).toBeLessThan(3);
      await drained;
      await Promise.all(done);
      expect(fleet.active()).toBe(0);
    });

    it('tells WebSocket and EventSource their limits', async () => {
      const { dispatcher } = await opened.fleet({
        dispatcher: { webSocket: { maxPayloadSize: 5 }, eventSource: { maxEventSize: 7 } },
      });
      expect(dispatcher.webSocketOptions).toEqual({ maxFragments: 131_072, maxPayloadSize: 5 });
      expect(dispatcher.eventSourceOptions).toEqual({ maxEventSize: 7 });
    });
  });
}
