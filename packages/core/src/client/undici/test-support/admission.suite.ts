/** What a cluster's admission is asked, and that everything that it lets in comes out again. */
import { afterEach, describe, expect, it } from 'vitest';
import { createCluster } from '../../../cluster/create-cluster.ts';
import { createCircuitBreakers } from '../../../resilience/circuit-breaker/create-circuit-breakers.ts';
import { XorShift128 } from '../../../runtime/random.ts';
import { createDispatcher } from '../index.ts';
import type { DispatcherOptions } from '../options.ts';
import { FakeAdmission } from './fake-admission.ts';
import { Opened, type Scripted } from './fleet.ts';
import { echo, hang, reset, resetMidBody, status, type TestServer, text } from './test-server.ts';
import { until } from './until.ts';

const GET = { origin: 'http://users', path: '/', method: 'GET' } as const;
const REFUSING = '127.0.0.1:1';
const NOTHING = { requests: 0, tries: 0, extra: 0, pending: 0, connections: 0 };

export function admissionSuite(name: string): void {
  describe(`admission on ${name}`, () => {
    const opened = new Opened();
    afterEach(() => opened.closeAll());

    const start = (listener = echo): Promise<TestServer> => opened.server(listener);
    const over = (
      endpoints: string[],
      options: Partial<DispatcherOptions> = {},
    ): Scripted & { admission: FakeAdmission } => {
      const admission = new FakeAdmission();
      return { admission, ...opened.over(endpoints, options, { admission }) };
    };

    it('is asked once per request and once per try, and hears the end of both', async () => {
      const [bad, good] = await Promise.all([start(status(503)), start(text('well'))]);
      const { admission, dispatcher } = over([bad.address, REFUSING, good.address]);
      expect(await (await dispatcher.request(GET)).body.text()).toBe('well');
      expect(admission.log.filter((line) => !line.startsWith('leave'))).toEqual([
        'admit -',
        'enter 0',
        'enter 1',
        'enter 2',
        'complete success',
      ]);
      expect(admission.log.filter((line) => line.startsWith('leave')).toSorted()).toEqual([
        'leave 0 gatewayError',
        'leave 1 connectFailure',
        'leave 2 success',
      ]);
      await dispatcher.close();
      await until(() => admission.open.connections === 0, 'connections are counted out');
      expect(admission.open).toEqual(NOTHING);
    });

    it('refuses a request before anything is sent, and nothing is retried', async () => {
      const { admission, cluster, dispatcher } = over([REFUSING]);
      admission.refuseAll = true;
      await expect(dispatcher.request(GET)).rejects.toMatchObject({
        code: 'EVENKEEL_CIRCUIT_OPEN',
        reason: 'circuit-open',
      });
      expect([admission.log, cluster.log]).toEqual([[], []]);
      expect(dispatcher.stats).toMatchObject({ admissionRefusedCount: 1, runningCount: 0 });
    });

    it('is told how much a request matters', async () => {
      const good = await start();
      const { admission, dispatcher } = over([good.address], {
        criticalityOf: ({ path }) => (path === '/pay' ? 'critical' : 'low'),
      });
      for (const path of ['/pay', '/prefetch'])
        await (await dispatcher.request({ ...GET, path })).body.dump();
      expect(admission.log.filter((line) => line.startsWith('admit'))).toEqual([
        'admit 0',
        'admit 3',
      ]);
    });

    it('sends a try past endpoints that do not let it in', async () => {
      const good = await start();
      const { admission, cluster, dispatcher } = over([REFUSING, '127.0.0.1:2', good.address]);
      admission.closedSlots.add(0).add(1);
      expect((await dispatcher.request(GET)).statusCode).toBe(200);
      expect(cluster.log).toEqual(['start 2', 'respond 2', 'finish 2 success']);
    });

    it('has the last word when no endpoint lets a try in', async () => {
      const { admission, cluster, dispatcher } = over([REFUSING, '127.0.0.1:2']);
      admission.closedSlots.add(0).add(1);
      await expect(dispatcher.request(GET)).rejects.toMatchObject({
        code: 'EVENKEEL_CIRCUIT_OPEN',
      });
      expect(cluster.log).toEqual([]);
      expect(admission.log.at(-1)).toBe('complete cancelled');
      expect(admission.open).toEqual(NOTHING);
    });

    it('leaves the first failure to the caller when a retry is not let in anywhere', async () => {
      const bad = await start(status(503));
      const { admission, dispatcher } = over([bad.address, REFUSING]);
      admission.closedSlots.add(1);
      const { statusCode, body } = await dispatcher.request(GET);
      expect([statusCode, await body.text()]).toEqual([503, 'status 503']);
      const broken = await start(reset);
      const other = over([broken.address, REFUSING]);
      other.admission.closedSlots.add(1);
      await expect(other.dispatcher.request(GET)).rejects.toMatchObject({ code: 'ECONNRESET' });
      expect(other.admission.open).toMatchObject({ requests: 0, tries: 0, extra: 0 });
    });

    it('limits retries and hedges that run at once', async () => {
      const [bad, slow] = await Promise.all([
        start(status(503)),
        start((request, response) => {
          request.resume();
          setTimeout(() => response.end('late'), 100);
        }),
      ]);
      const retrying = over([bad.address, REFUSING]);
      retrying.admission.limits.extra = 0;
      expect((await retrying.dispatcher.request(GET)).statusCode).toBe(503);
      expect(retrying.dispatcher.stats.clusters[0]?.retryVerdicts.threshold).toBe(1);
      const hedging = over([slow.address, REFUSING], { hedge: { delayMs: 10 } });
      hedging.admission.limits.extra = 0;
      expect(await (await hedging.dispatcher.request(GET)).body.text()).toBe('late');
      expect(hedging.dispatcher.stats.hedgeCount).toBe(0);
    });

    it('counts a hedge and its loser', async () => {
      const [hung, good] = await Promise.all([start(hang), start()]);
      const { admission, dispatcher } = over([hung.address, good.address], {
        hedge: { delayMs: 20 },
      });
      await (await dispatcher.request(GET)).body.dump();
      expect(admission.log).toContain('leave 0 cancelled');
      expect(admission.log).toContain('leave 1 success');
      expect(admission.open).toMatchObject({ requests: 0, tries: 0, extra: 0, pending: 0 });
    });

    it('limits requests that wait for a connection', async () => {
      const slow = await start(hang);
      const { admission, cluster, dispatcher } = over([slow.address], { connections: 1 });
      admission.limits.pending = 1;
      const first = dispatcher.request(GET).catch((error: unknown) => error);
      await until(() => slow.requests.length === 1, 'the first arrives');
      const second = dispatcher.request(GET).catch((error: unknown) => error);
      await expect(dispatcher.request(GET)).rejects.toMatchObject({
        code: 'EVENKEEL_OVERLOADED',
        reason: 'threshold',
      });
      expect(admission.open).toMatchObject({ pending: 1, tries: 2 });
      // It is no fault of the endpoint.
      expect(cluster.log.at(-1)).toBe('finish 0 cancelled');
      await dispatcher.destroy();
      expect(await first).toBeInstanceOf(Error);
      expect(await second).toBeInstanceOf(Error);
      expect(admission.open).toMatchObject({ requests: 0, tries: 0, pending: 0 });
    });

    it('limits connections', async () => {
      const slow = await start(hang);
      const { admission, cluster, dispatcher } = over([slow.address]);
      admission.limits.connections = 1;
      const first = dispatcher.request(GET).catch((error: unknown) => error);
      await until(() => slow.requests.length === 1, 'the first arrives');
      await expect(dispatcher.request(GET)).rejects.toMatchObject({
        code: 'EVENKEEL_OVERLOADED',
        reason: 'threshold',
      });
      expect(cluster.log.at(-1)).toBe('finish 0 cancelled');
      await dispatcher.destroy();
      await first;
      await until(() => admission.open.connections === 0, 'the connection is counted out');
      expect(admission.open).toEqual(NOTHING);
    });

    it('of a real cluster: thresholds refuse what is too much, and let in again what is not', async () => {
      const fleet = await opened.fleet({
        cluster: { admission: { thresholds: { requests: 2 } } },
      });
      const { cluster, dispatcher, servers } = fleet;
      const [server] = servers as [TestServer];
      server.handle(hang);
      const running = [1, 2].map(() => dispatcher.request(GET).catch((error: unknown) => error));
      await until(() => server.requests.length === 2, 'two arrive');
      await expect(dispatcher.request(GET)).rejects.toMatchObject({
        code: 'EVENKEEL_OVERLOADED',
        cluster: 'users',
      });
      expect(dispatcher.stats.admissionRefusedCount).toBe(1);
      server.handle(text('well'));
      server.resetAll();
      for (const answer of await Promise.all(running))
        expect((answer as { statusCode?: number }).statusCode).toBe(200);
      expect((await dispatcher.request(GET)).statusCode).toBe(200);
      expect(cluster.snapshot().totals.outcomes.reset).toBe(2);
    });

    it('of a real cluster: circuit breakers take an endpoint out that fails, and all of them', async () => {
      const [bad, good] = await Promise.all([start(status(500)), start(text('well'))]);
      const cluster = createCluster(
        {
          name: 'users',
          discovery: [bad.address, good.address],
          policy: 'round-robin',
          outlierDetection: false,
          admission: { circuitBreaker: { endpoint: { minRequests: 5, openMs: 60_000 } } },
        },
        { createCircuitBreakers },
      );
      opened.add(() => cluster.close());
      const dispatcher = createDispatcher({ clusters: [cluster] });
      opened.add(() => dispatcher.destroy());
      for (let round = 0; round < 40; round++) await (await dispatcher.request(GET)).body.dump();
      // 500 is no status to retry: the circuit opens after five of them, and no other request goes there.
      expect(bad.requests.length).toBeGreaterThanOrEqual(5);
      expect(bad.requests.length).toBeLessThan(8);
      good.handle(status(500));
      const codes = new Set<unknown>();
      for (let round = 0; round < 60; round++) {
        const answer = await dispatcher.request(GET).catch((error: { code?: string }) => error);
        if ('body' in answer) await answer.body.dump();
        else codes.add(answer.code);
      }
      // Open circuits take their endpoints out of the rotation: nobody is left to be picked.
      expect([...codes]).toEqual(['EVENKEEL_NO_ELIGIBLE_ENDPOINT']);
    });

    it('gets everything back, whatever servers and callers do', async () => {
      const random = new XorShift128(7);
      const roll = (): number => (random.nextInt32() >>> 0) / 2 ** 32;
      const behaviours = [text('well'), text('well'), status(503), hang, reset, resetMidBody];
      const servers = await Promise.all(
        Array.from({ length: 5 }, () =>
          start((request, response) => {
            const behave = behaviours[Math.floor(roll() * behaviours.length)];
            setTimeout(() => behave?.(request, response), roll() * 20);
          }),
        ),
      );
      const { admission, cluster, dispatcher } = over(
        servers.map(({ address }) => address),
        {
          connections: 20,
          deadline: { totalMs: 600, perTryTimeoutMs: 100 },
          hedge: { delayMs: 15, maxHedges: 2 },
          holdResponseBytes: 65_536,
          fallback: () => (roll() < 0.5 ? { statusCode: 200, body: 'stale' } : undefined),
        },
      );
      Object.assign(admission.limits, { extra: 40, pending: 30 });
      let endedCount = 0;
      const one = async (index: number): Promise<void> => {
        const method = index % 5 === 0 ? 'POST' : 'GET';
        const signal = index % 7 === 0 ? AbortSignal.timeout(Math.ceil(roll() * 60)) : undefined;
        try {
          const { body } = await dispatcher.request(
            signal === undefined ? { ...GET, method } : { ...GET, method, signal },
          );
          await (index % 3 === 0 ? body.dump() : body.text());
        } catch (error) {
          expect(error).toBeInstanceOf(Error);
        }
        endedCount++;
      };
      for (let wave = 0; wave < 6; wave++) {
        await Promise.all(Array.from({ length: 60 }, (_, index) => one(index)));
      }
      expect(endedCount).toBe(360);
      expect(dispatcher.stats).toMatchObject({ runningCount: 0, waitingCount: 0 });
      expect(admission.open).toMatchObject({ requests: 0, tries: 0, extra: 0, pending: 0 });
      expect(cluster.activeCount).toBe(0);
      const count = (start: string): number =>
        admission.log.filter((line) => line.startsWith(start)).length;
      expect([count('complete'), count('leave')]).toEqual([count('admit'), count('enter')]);
      await dispatcher.close();
      await until(() => admission.open.connections === 0, 'connections are counted out');
    });

    it('can be softened by a fallback', async () => {
      const { admission, dispatcher } = over([REFUSING], {
        fallback: (error) =>
          (error as { code?: string }).code === 'EVENKEEL_CIRCUIT_OPEN'
            ? { statusCode: 200, body: 'stale' }
            : undefined,
      });
      admission.refuseAll = true;
      expect(await (await dispatcher.request(GET)).body.text()).toBe('stale');
      expect(admission.open).toEqual(NOTHING);
    });
  });
}
