/** Endpoints that fail in every way while load runs: what reaches the caller of idempotent requests is nothing. */
import type { Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { startFleet, Opened, type Fleet, type FleetOptions } from './fleet.ts';
import { hang, startServer, status, type TestServer } from './test-server.ts';
import { until } from './until.ts';

const GET = { origin: 'http://users', path: '/', method: 'GET' } as const;

interface Load {
  readonly requests: number;
  readonly concurrency: number;
  /** Called before each request with its number. */
  readonly before?: (index: number) => void;
}

interface LoadResult {
  readonly ok: number;
  readonly failures: readonly unknown[];
}

async function run(fleet: Fleet, load: Load): Promise<LoadResult> {
  let next = 0;
  let ok = 0;
  const failures: unknown[] = [];
  const worker = async (): Promise<void> => {
    while (next < load.requests) {
      const index = next++;
      load.before?.(index);
      try {
        const { statusCode, body } = await fleet.dispatcher.request(GET);
        await body.text();
        if (statusCode === 200) ok++;
        else failures.push(statusCode);
      } catch (error) {
        failures.push(error);
      }
    }
  };
  await Promise.all(Array.from({ length: load.concurrency }, worker));
  return { ok, failures };
}

export function faultsSuite(name: string): void {
  describe(`faults on ${name}`, () => {
    const opened = new Opened();
    afterEach(() => opened.closeAll());

    const LOAD: Load = { requests: 600, concurrency: 20 };

    /** After a run: nothing in flight anywhere, and after close() no socket and no timer. */
    const expectClean = async (fleet: Fleet): Promise<void> => {
      await until(() => fleet.active() === 0, 'all leases end');
      expect(fleet.dispatcher.stats).toMatchObject({ runningCount: 0, waitingCount: 0 });
      await fleet.dispatcher.close();
      expect(fleet.dispatcher.stats.pools).toEqual([]);
      await until(
        () => fleet.servers.every(({ connectionCount }) => connectionCount === 0),
        'all sockets close',
      );
    };

    const start = (options: FleetOptions = {}): Promise<Fleet> =>
      opened.fleet({ servers: 3, ...options });

    it('no failure when one of three servers is killed under load', async () => {
      const fleet = await start();
      const { ok, failures } = await run(fleet, {
        ...LOAD,
        before: (index) => {
          if (index === 200) void fleet.servers[0]?.kill();
        },
      });
      expect(failures).toEqual([]);
      expect(ok).toBe(LOAD.requests);
      await expectClean(fleet);
    });

    it('no failure when one of three servers was never there', async () => {
      const fleet = await start({
        endpoints: (servers) => [
          ...servers.slice(0, 2).map(({ address }) => address),
          '127.0.0.1:1',
        ],
      });
      expect((await run(fleet, LOAD)).failures).toEqual([]);
      await expectClean(fleet);
    });

    it('no failure when one of three servers fails fast with 503', async () => {
      const fleet = await start();
      fleet.servers[0]?.handle(status(503));
      expect((await run(fleet, LOAD)).failures).toEqual([]);
      // Failing fast must not attract traffic.
      expect(fleet.servers[0]?.requests.length).toBeLessThan(LOAD.requests / 4);
      await expectClean(fleet);
    });

    it('no failure when one of three servers hangs, with a time limit per try', async () => {
      const fleet = await start({ dispatcher: { headersTimeoutMs: 500 } });
      fleet.servers[0]?.handle(hang);
      expect((await run(fleet, LOAD)).failures).toEqual([]);
      expect(fleet.servers[0]?.requests.length).toBeLessThan(LOAD.requests / 4);
      await expectClean(fleet);
    });

    it('no failure when one of three servers accepts connections and never reads', async () => {
      const fleet = await start({ dispatcher: { headersTimeoutMs: 500 } });
      fleet.servers[0]?.server.removeAllListeners('connection');
      fleet.servers[0]?.server.on('connection', (socket: Socket) => {
        socket.pause();
        socket.on('error', () => undefined);
        opened.add(() => socket.destroy());
      });
      expect((await run(fleet, LOAD)).failures).toEqual([]);
      await until(() => fleet.active() === 0, 'all leases end');
    });

    it('no failure when one of three servers resets every request', async () => {
      const fleet = await start();
      fleet.servers[0]?.handle((request) => request.socket.resetAndDestroy());
      expect((await run(fleet, LOAD)).failures).toEqual([]);
      await expectClean(fleet);
    });

    it('no failure when all servers close kept connections at random', async () => {
      const fleet = await start({
        dispatcher: { retry: { attempts: 3, budget: { ratio: 1, minPerSecond: 100 } } },
      });
      let seed = 1;
      const chance = (): number => {
        seed = (seed * 48_271) % 2_147_483_647;
        return seed / 2_147_483_647;
      };
      for (const server of fleet.servers) {
        server.handle((request, response) => {
          response.end('well');
          // Behind the back of HTTP: no "connection: close", and perhaps just when the next request arrives.
          if (chance() < 0.1)
            setImmediate(() =>
              chance() < 0.5 ? request.socket.end() : request.socket.resetAndDestroy(),
            );
        });
      }
      const { ok, failures } = await run(fleet, { requests: 1_500, concurrency: 20 });
      expect(failures).toEqual([]);
      expect(ok).toBe(1_500);
      await expectClean(fleet);
    });

    it('no failure, and little traffic for the slow one, when one of three servers is slow', async () => {
      const fleet = await start();
      fleet.servers[0]?.handle((_request, response) => {
        setTimeout(() => response.end('slow'), 100);
      });
      expect((await run(fleet, LOAD)).failures).toEqual([]);
      expect(fleet.servers[0]?.requests.length).toBeLessThan(LOAD.requests / 6);
      await expectClean(fleet);
    });

    it('broken response bodies reach the caller, and no one else', async () => {
      const fleet = await start();
      fleet.servers[0]?.handle((request, response) => {
        response.writeHead(200, { 'content-length': '1000' });
        response.write('begin', () => request.socket.resetAndDestroy());
      });
      const { ok, failures } = await run(fleet, LOAD);
      expect(failures.length).toBe(fleet.servers[0]?.requests.length);
      expect(ok).toBe(LOAD.requests - failures.length);
      expect(failures.length).toBeGreaterThan(0);
      await expectClean(fleet);
    });

    it('a total outage is not amplified beyond the budget', async () => {
      const fleet = await start({
        dispatcher: { retry: { attempts: 5, budget: { ratio: 0.2, minPerSecond: 1 } } },
      });
      for (const server of fleet.servers) server.handle(status(503));
      const { ok } = await run(fleet, LOAD);
      expect(ok).toBe(0);
      const tries = fleet.servers.reduce((sum, { requests }) => sum + requests.length, 0);
      expect(tries).toBeLessThanOrEqual(LOAD.requests * 1.2 + 2 * 10);
      await expectClean(fleet);
    });

    it('a fleet comes back when its servers do', async () => {
      const fleet = await start({
        cluster: { outlierDetection: { baseEjectionMs: 50, maxEjectionMs: 50, trialLimitMs: 50 } },
      });
      const ports = fleet.servers.map(({ port }) => port);
      await run(fleet, { requests: 30, concurrency: 3 });
      await Promise.all(fleet.servers.map((server) => server.kill()));
      expect((await run(fleet, { requests: 20, concurrency: 4 })).ok).toBe(0);
      const again: TestServer[] = await Promise.all(
        ports.map((port) => startServer(undefined, { port })),
      );
      opened.add(() => Promise.all(again.map((server) => server.kill())));
      let ok = 0;
      await until(
        () => {
          void run(fleet, { requests: 1, concurrency: 1 }).then((result) => (ok += result.ok));
          return ok > 50;
        },
        'requests succeed again',
        10_000,
      );
    });

    it('a thousand requests leave no listener, timer or lease behind', async () => {
      const before = process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length;
      const fleet = await startFleet({ servers: 3, dispatcher: { deadlineMs: 60_000 } });
      await run(fleet, { requests: 1_000, concurrency: 50 });
      const { endpoints } = fleet.cluster.snapshot();
      expect(endpoints.map(({ activeCount }) => activeCount)).toEqual([0, 0, 0]);
      expect(endpoints.reduce((sum, { outcomes }) => sum + outcomes.success, 0)).toBe(1_000);
      await fleet.dispatcher.close();
      await fleet.close();
      await until(
        () =>
          process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length <= before,
        'all timers are gone',
      );
    });
  });
}
