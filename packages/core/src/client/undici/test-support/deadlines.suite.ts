/** The time left: told to endpoints, taken from callers, kept over tries. And gRPC's way of saying things. */
import { afterEach, describe, expect, it } from 'vitest';
import { Opened, type Scripted } from './fleet.ts';
import { echo, type Echoed, hang, reset, type TestServer } from './test-server.ts';

const GET = { origin: 'http://users', path: '/', method: 'GET' } as const;
const CALL = {
  origin: 'http://users',
  path: '/users.Users/Get',
  method: 'POST',
  idempotent: true,
  headers: { 'content-type': 'application/grpc' },
  body: 'x',
} as const;
const REFUSING = '127.0.0.1:1';
const HEADER = 'x-evenkeel-timeout-ms';

/** An answer that consists of headers only, as gRPC's failures do. */
const trailersOnly =
  (code: number, more: Record<string, string> = {}) =>
  (...[request, response]: Parameters<typeof echo>): void => {
    request.resume();
    const headers = { 'content-type': 'application/grpc', 'grpc-status': String(code), ...more };
    response.writeHead(200, headers).end();
  };

export function deadlinesSuite(name: string): void {
  describe(`deadlines on ${name}`, () => {
    const opened = new Opened();
    afterEach(() => opened.closeAll());

    const start = (listener = echo): Promise<TestServer> => opened.server(listener);
    const over = (...args: Parameters<Opened['over']>): Scripted => opened.over(...args);
    const toldTo = (server: TestServer, header = HEADER): (string | undefined)[] =>
      server.requests.map(({ headers }) => headers[header] as string | undefined);

    it('are told to endpoints, each try with what is left then', async () => {
      const [slow, good] = await Promise.all([start(hang), start()]);
      const { dispatcher } = over([slow.address, good.address], {
        deadline: { totalMs: 5_000, perTryTimeoutMs: 300 },
        hedge: false,
      });
      const { body } = await dispatcher.request({ ...GET, headers: { 'x-mine': 'kept' } });
      expect(((await body.json()) as Echoed).headers['x-mine']).toBe('kept');
      expect([...toldTo(slow), ...toldTo(good)]).toEqual(['300', '300']);
      const total = over([slow.address, good.address], {
        deadlineMs: 2_000,
        headersTimeoutMs: 300,
      });
      await (await total.dispatcher.request(GET)).body.dump();
      const [first, second] = [Number(toldTo(slow)[1]), Number(toldTo(good)[1])];
      expect(first).toBeLessThanOrEqual(2_000);
      expect(first).toBeGreaterThan(1_500);
      expect(second).toBeLessThanOrEqual(first - 299);
    });

    it.each([
      ['an object', { 'X-Evenkeel-Timeout-Ms': '90000', a: 'b' }],
      ['a list', ['X-EVENKEEL-TIMEOUT-MS', '90000', 'a', 'b']],
      [
        'a map',
        new Map([
          ['x-evenkeel-timeout-ms', '90000'],
          ['a', 'b'],
        ]),
      ],
    ])(
      'replace what a caller said that is longer, in headers of the shape of %s',
      async (_shape, headers) => {
        const good = await start();
        const { dispatcher } = over([good.address], { deadlineMs: 1_000 });
        const { body } = await dispatcher.request({
          ...GET,
          headers: headers as Record<string, string>,
        });
        const echoed = ((await body.json()) as Echoed).headers;
        expect(Number(echoed[HEADER])).toBeLessThanOrEqual(1_000);
        expect(echoed['a']).toBe('b');
      },
    );

    it('are nobody’s business where there is none, or with propagate: false', async () => {
      const good = await start();
      for (const options of [{}, { deadline: { totalMs: 1_000, propagate: false } }]) {
        const { dispatcher } = over([good.address], options);
        await (await dispatcher.request(GET)).body.dump();
      }
      expect(toldTo(good)).toEqual([undefined, undefined]);
    });

    it('are shortened by what the caller has left, which proves nothing about the endpoint', async () => {
      const slow = await start(hang);
      const { cluster, dispatcher } = over([slow.address], { deadlineMs: 10_000 });
      const failed = dispatcher.request({ ...GET, headers: { [HEADER]: '120' } });
      await expect(failed).rejects.toMatchObject({ code: 'EVENKEEL_DEADLINE' });
      expect(cluster.log).toEqual(['start 0', 'finish 0 cancelled']);
      expect(Number(toldTo(slow)[0])).toBeLessThanOrEqual(120);
      expect(dispatcher.stats.deadlineCount).toBe(1);
    });

    it('are not, with inherit: false', async () => {
      const good = await start();
      const { dispatcher } = over([good.address], { deadline: { totalMs: 5_000, inherit: false } });
      await (await dispatcher.request({ ...GET, headers: { [HEADER]: '0' } })).body.dump();
      expect(Number(toldTo(good)[0])).toBeGreaterThan(4_000);
    });

    it('end a request without a try when nothing is left', async () => {
      const { cluster, dispatcher } = over([REFUSING]);
      const failed = dispatcher.request({ ...GET, headers: { [HEADER]: '0' } });
      await expect(failed).rejects.toMatchObject({ code: 'EVENKEEL_DEADLINE' });
      expect(cluster.log).toEqual([]);
      expect(dispatcher.stats.runningCount).toBe(0);
    });

    it('allow no retry that would have less than minTryMs', async () => {
      const server = await start(reset);
      const { cluster, dispatcher } = over([server.address, REFUSING], {
        deadline: { totalMs: 1_000, minTryMs: 1_000 },
      });
      await expect(dispatcher.request(GET)).rejects.toBeInstanceOf(Error);
      expect(cluster.log.filter((line) => line.startsWith('start')).length).toBeLessThan(2);
    });

    it('speak gRPC to gRPC', async () => {
      const good = await start(trailersOnly(0));
      const { dispatcher } = over([good.address], { deadlineMs: 60_000 });
      await (
        await dispatcher.request({ ...CALL, headers: { ...CALL.headers, 'grpc-timeout': '2S' } })
      ).body.dump();
      const [told] = toldTo(good, 'grpc-timeout');
      expect(told).toMatch(/^(?:2000|1\d\d\d)m$/);
      expect(toldTo(good)).toEqual([undefined]);
    });
  });

  describe(`gRPC on ${name}`, () => {
    const opened = new Opened();
    afterEach(() => opened.closeAll());

    const start = (listener = echo): Promise<TestServer> => opened.server(listener);
    const over = (...args: Parameters<Opened['over']>): Scripted => opened.over(...args);

    it('goes elsewhere when a call fails with "unavailable" before any message', async () => {
      const [bad, good] = await Promise.all([start(trailersOnly(14)), start(trailersOnly(0))]);
      const { cluster, dispatcher } = over([bad.address, good.address]);
      const { headers, body } = await dispatcher.request(CALL);
      await body.dump();
      expect(headers['grpc-status']).toBe('0');
      expect(cluster.log).toContain('finish 0 gatewayError');
      expect(cluster.log).toContain('finish 1 success');
    });

    it('hands out other codes, each with its outcome', async () => {
      for (const [code, outcome] of [
        [5, 'success'],
        [13, 'serverError'],
        [8, 'overloaded'],
        [99, 'serverError'],
      ] as const) {
        const [bad, good] = await Promise.all([start(trailersOnly(code)), start(trailersOnly(0))]);
        const { cluster, dispatcher } = over([bad.address, good.address]);
        const { headers, body } = await dispatcher.request(CALL);
        await body.dump();
        expect(headers['grpc-status']).toBe(String(code));
        expect(cluster.log.at(-1)).toBe(`finish 0 ${outcome}`);
      }
    });

    it('follows a pushback that forbids, and one that asks for a pause', async () => {
      const pushback = 'grpc-retry-pushback-ms';
      const [never, soon, good] = await Promise.all([
        start(trailersOnly(14, { [pushback]: '-1' })),
        start(trailersOnly(14, { [pushback]: '80' })),
        start(trailersOnly(0)),
      ]);
      const forbidden = over([never.address, good.address]);
      const { headers, body } = await forbidden.dispatcher.request(CALL);
      await body.dump();
      expect(headers['grpc-status']).toBe('14');
      expect(forbidden.dispatcher.stats.clusters[0]?.retryVerdicts.pushback).toBe(1);
      const begunMs = performance.now();
      const later = over([soon.address, good.address]);
      await (await later.dispatcher.request(CALL)).body.dump();
      expect(performance.now() - begunMs).toBeGreaterThanOrEqual(79);
      expect(later.cluster.log.at(-1)).toBe('finish 1 success');
    });

    it('does not take any answer with such a header for one of gRPC', async () => {
      const odd = await start((request, response) => {
        request.resume();
        response.writeHead(200, { 'grpc-status': '14' }).end('well');
      });
      const { cluster, dispatcher } = over([odd.address, REFUSING]);
      expect(await (await dispatcher.request(GET)).body.text()).toBe('well');
      expect(cluster.log.at(-1)).toBe('finish 0 success');
    });

    it('counts the code that comes after the messages', async () => {
      const bad = await start((request, response) => {
        request.resume();
        response.writeHead(200, { 'content-type': 'application/grpc', trailer: 'grpc-status' });
        response.write('message');
        response.addTrailers({ 'grpc-status': '13' });
        response.end();
      });
      const { cluster, dispatcher } = over([bad.address]);
      expect(await (await dispatcher.request(CALL)).body.text()).toBe('message');
      expect(cluster.log).toEqual(['start 0', 'respond 0', 'finish 0 serverError']);
    });
  });
}
