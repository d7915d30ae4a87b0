import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterEach, describe, expect, it } from 'vitest';
import { createRuntime } from '../../runtime/runtime.ts';
import { decode } from '../../schema/decode.ts';
import type { ActiveHealthVerdict, TrackedEndpoint } from '../health.ts';
import { createActiveHealthChecker } from './checker.ts';
import { type ActiveHealthOptions, activeHealthSchema } from './config.ts';
import { eventually, listenHttp, listenTcp, type TestServer } from './test-support/check-bench.ts';

const servers: TestServer[] = [];
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.close()));
});

async function start(pending: Promise<TestServer>): Promise<TestServer> {
  const server = await pending;
  servers.push(server);
  return server;
}

function setUp(options: ActiveHealthOptions) {
  const verdicts = new Map<number, ActiveHealthVerdict>();
  const checker = createActiveHealthChecker(
    decode(activeHealthSchema, options, 'health'),
    { cluster: 'test', runtime: createRuntime() },
    { onActiveHealth: (slot, verdict) => void verdicts.set(slot, verdict) },
  );
  return { checker, verdicts };
}

const track = (list: readonly TestServer[]): TrackedEndpoint[] =>
  list.map((server, slot) => ({ slot, endpoint: server.endpoint() }));

/** TCP sockets of this process. Timers are counted in the tests under a manual clock. */
function openSockets(): string[] {
  return process.getActiveResourcesInfo().filter((kind) => /^(TCP|TLS)/.test(kind));
}

describe('active checks against real servers', () => {
  it('see an endpoint fall and rise', async () => {
    let statusCode = 200;
    const server = await start(
      listenHttp((_request, response) => void response.writeHead(statusCode).end()),
    );
    const steady = await start(listenHttp((_request, response) => void response.end()));
    const { checker, verdicts } = setUp({
      http: { path: '/healthz', intervalMs: 15, fall: 2, rise: 2 },
    });
    checker.update(track([server, steady]));
    await eventually(() => verdicts.get(0)).toEqual({ healthy: true, reason: 'HTTP 200' });
    statusCode = 503;
    await eventually(() => verdicts.get(0)).toEqual({ healthy: false, reason: 'HTTP 503' });
    statusCode = 200;
    await eventually(() => verdicts.get(0)).toEqual({ healthy: true, reason: 'HTTP 200' });
    expect(verdicts.get(1)).toEqual({ healthy: true, reason: 'HTTP 200' });
    await checker.close();
  });

  it('keep apart the good, the slow and the dead', async () => {
    const good = await start(listenTcp((socket) => socket.write('220 ready\r\n')));
    const hung = await start(listenTcp(() => undefined));
    const dead = await start(listenTcp(() => undefined));
    await dead.close();
    const { checker, verdicts } = setUp({
      tcp: { expect: '220', intervalMs: 20, timeoutMs: 200, fall: 2, initial: 'unchecked' },
    });
    checker.update(track([good, hung, dead]));
    await eventually(() => verdicts.size).toBe(3);
    await eventually(() => verdicts.get(0)).toEqual({ healthy: true, reason: 'expected answer' });
    expect(verdicts.get(1)).toEqual({
      healthy: false,
      reason: 'timed out after 200 ms (waiting for the answer)',
    });
    expect(verdicts.get(2)).toEqual({ healthy: false, reason: 'connect ECONNREFUSED' });
    await checker.close();
  });

  it.each([
    { name: 'new connections', reuseConnection: false },
    { name: 'kept connections', reuseConnection: true },
  ])('leave no socket behind: $name', async ({ reuseConnection }) => {
    await eventually(openSockets).toEqual([]);
    const good = await start(listenHttp((_request, response) => void response.end('ok')));
    const hung = await start(listenTcp(() => undefined));
    const { checker, verdicts } = setUp({
      http: { intervalMs: 20, initialSpreadMs: 0, timeoutMs: 60_000, reuseConnection },
    });
    checker.update(track([good, hung]));
    // Closed in the middle of things: one check hangs, the other has come and gone.
    await eventually(() => hung.openCount).toBe(1);
    await eventually(() => verdicts.get(0)?.healthy).toBe(true);
    await checker.close();
    await Promise.all([good.idle(), hung.idle()]);
    await Promise.all(servers.splice(0).map((server) => server.close()));
    await eventually(openSockets).toEqual([]);
  });

  it('leave nothing behind when closed in the turn in which they start', async () => {
    const server = await start(listenHttp((_request, response) => void response.end()));
    for (const reuseConnection of [false, true]) {
      const runtime = createRuntime();
      const due: (() => void)[] = [];
      const checker = createActiveHealthChecker(
        decode(activeHealthSchema, { http: { reuseConnection } }, 'health'),
        {
          cluster: 'test',
          runtime: {
            ...runtime,
            scheduler: {
              ...runtime.scheduler,
              after: (_delayMs, task) => {
                due.push(task);
                return { cancel: () => undefined };
              },
            },
          },
        },
        { onActiveHealth: () => undefined },
      );
      checker.update(track([server]));
      due.shift()?.();
      await checker.close();
      await server.idle();
      expect(server.openCount).toBe(0);
    }
  });

  it('do not hold a finished program open, even in the middle of a check', async () => {
    const hung = await start(listenTcp(() => undefined));
    const module = (path: string): string => JSON.stringify(new URL(path, import.meta.url).href);
    const program = `
      const { createActiveHealthChecker } = await import(${module('./checker.ts')});
      const { activeHealthSchema } = await import(${module('./config.ts')});
      const { createRuntime } = await import(${module('../../runtime/runtime.ts')});
      const { createEndpoint } = await import(${module('../../model/endpoint.ts')});
      const config = activeHealthSchema.parse({ http: { initialSpreadMs: 0, timeoutMs: 600_000 } });
      const environment = { cluster: 'test', runtime: createRuntime() };
      const checker = createActiveHealthChecker(config, environment, { onActiveHealth: () => {} });
      checker.update([{ slot: 0, endpoint: createEndpoint('127.0.0.1:${hung.port}') }]);
      setTimeout(() => console.log('finished'), 200);
    `;
    const child = promisify(execFile)(
      process.execPath,
      ['--input-type=module', '--eval', program],
      {
        timeout: 30_000,
      },
    );
    await eventually(() => hung.acceptedCount).toBe(1);
    expect((await child).stdout).toBe('finished\n');
  }, 40_000);
});
