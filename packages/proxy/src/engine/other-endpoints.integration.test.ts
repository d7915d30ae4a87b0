import { describe, expect, it } from 'vitest';
import type { EngineFixture, EngineOptions } from './test-support/engine-fixture.ts';
import { filterEngine, later, type OnData } from './test-support/filter-engine.ts';
import { OK } from './test-support/scripted-origin.ts';

type RouteParts = Omit<NonNullable<EngineOptions['routes']>[number], 'cluster'>;

const startEngine = filterEngine();
const start = (
  route: RouteParts,
  onData: OnData,
  options: EngineOptions = {},
): Promise<EngineFixture> =>
  startEngine([], onData, { routes: [{ cluster: 'origin', ...route }], ...options });

/** Answers every request that ends like this. */
const after =
  (end: string): OnData =>
  (connection) => {
    if (connection.received.endsWith(end)) connection.write(OK);
  };

const GET = 'GET / HTTP/1.1\r\nhost: a\r\n\r\n';
const post = (length: number): string =>
  `POST / HTTP/1.1\r\nhost: a\r\ncontent-length: ${length}\r\n\r\n`;

describe('failover', () => {
  const clusters = { origin: 1, spare: 1, last: 1 };
  const route = { failover: ['spare', 'last'], retry: { attempts: 1 } };
  const naming: OnData = (connection, _origin, cluster) => {
    if (connection.received.endsWith('\r\n\r\n')) connection.write(OK.replace('now', cluster));
  };

  it('does not turn away from a cluster that is well', async () => {
    const engine = await start(route, naming, { clusters });
    const client = await engine.connect();
    await client.send(GET).untilText('date: origin');
    expect(engine.counters.failoverCount).toBe(0);
  });

  it('turns to the next cluster when an endpoint takes no connection', async () => {
    const engine = await start(route, naming, { clusters });
    await engine.origins.get('origin')?.[0]?.close();
    const client = await engine.connect();
    await client.send(GET).untilText('date: spare');
    expect(engine.meterOf('/*', 'spare').statusCounts[2]).toBe(1);
    expect(engine.counters.failoverCount).toBe(1);
    await engine.origins.get('spare')?.[0]?.close();
    await client.send(GET).untilText('date: last');
    await engine.origins.get('last')?.[0]?.close();
    await client.send(GET).untilText('502 Bad Gateway');
    for (const name of Object.keys(clusters)) {
      const { activeCount } = engine.clusters.get(name)?.snapshot().totals ?? {};
      expect(activeCount).toBe(0);
    }
  });

  it('turns away from one whose endpoints are all unhealthy or switched off', async () => {
    const engine = await start(route, naming, { clusters });
    const [endpoint] = engine.clusters.get('origin')?.snapshot().endpoints ?? [];
    engine.clusters.get('origin')?.setEnabled(endpoint?.id ?? '', false);
    const client = await engine.connect();
    await client.send(GET).untilText('date: spare');
    const [spare] = engine.clusters.get('spare')?.snapshot().endpoints ?? [];
    engine.clusters.get('spare')?.setEnabled(spare?.id ?? '', false);
    await client.send(GET).untilText('date: last');
    engine.clusters.get('origin')?.setEnabled(endpoint?.id ?? '', true);
    client.received = '';
    await client.send(GET).untilText('date: origin');
  });

  it('stays when an endpoint has seen the request', async () => {
    const engine = await start(
      route,
      (connection, _origin, cluster) => {
        if (cluster === 'origin') connection.socket.destroy();
      },
      { clusters },
    );
    const client = await engine.connect();
    await client.send(`${post(3)}abc`).untilText('502 Bad Gateway');
    expect(engine.counters.failoverCount).toBe(0);
  });

  it('says 503 when nobody is left', async () => {
    const engine = await start(route, naming, { clusters: { origin: 0, spare: 0, last: 0 } });
    const client = await engine.connect();
    await client.send(GET).untilText('503 Service Unavailable');
    expect(engine.counters.refusals['no-endpoint']).toBe(1);
  });
});

describe('a mirror', () => {
  const clusters = { origin: 1, shadow: 1 };

  it('gets what the endpoint gets, and its answer goes nowhere', async () => {
    const engine = await start(
      { mirror: { cluster: 'shadow' } },
      (connection, _origin, cluster) => {
        if (!/abc$|xyz$/.test(connection.received)) return;
        connection.write(cluster === 'shadow' ? OK.replace('ok', 'no') : OK);
      },
      { clusters },
    );
    const client = await engine.connect();
    await client.send(`${post(3)}abc`).untilText('\r\n\r\nok');
    client.send(post(3));
    await later(10);
    await client.send('xyz').until(({ received }) => received.split('\r\n\r\nok').length === 3);
    await engine.until(() => engine.receivedBy('shadow') === engine.receivedBy('origin'));
    // One connection serves both.
    expect(engine.origins.get('shadow')?.[0]?.connections).toHaveLength(1);
    expect(engine.counters.mirrorCount).toBe(2);
    await engine.until(
      () => engine.clusters.get('shadow')?.snapshot().totals.outcomes.success === 2,
    );
  });

  it('that hangs, fails or is away holds up nobody', async () => {
    const engine = await start(
      { mirror: { cluster: 'shadow' } },
      (connection, _origin, cluster) => {
        if (cluster === 'origin') connection.write(OK);
        else if (connection.index === 1) connection.socket.destroy();
      },
      { clusters, timeouts: { responseHeadMs: 50 } },
    );
    const client = await engine.connect();
    await client.send(GET).untilText('\r\n\r\nok');
    await client.send(GET).until(({ received }) => received.split('\r\n\r\nok').length === 3);
    await engine.until(() => {
      const { outcomes } = engine.clusters.get('shadow')?.snapshot().totals ?? {};
      return outcomes?.timeout === 1 && outcomes.reset === 1;
    });
    await engine.origins.get('shadow')?.[0]?.close();
    await client.send(GET).until(({ received }) => received.split('\r\n\r\nok').length === 4);
    await engine.until(() => engine.clusters.get('shadow')?.snapshot().totals.activeCount === 0);
    expect(engine.clusters.get('origin')?.snapshot().totals.outcomes.success).toBe(3);
  });

  it('gets no large requests, and none with 0 percent', async () => {
    const engine = await start({ mirror: { cluster: 'shadow', maxBytes: 200 } }, after('x'), {
      clusters,
    });
    const client = await engine.connect();
    await client.send(`${post(300)}${'x'.repeat(300)}`).untilText('\r\n\r\nok');
    client.send(`${post(300)}${'y'.repeat(10)}`);
    await later(10);
    client.send('x'.repeat(290));
    await client.until(({ received }) => received.split('\r\n\r\nok').length >= 3);
    expect(engine.receivedBy('shadow')).toBe('');
    expect(engine.counters.mirrorDropCount).toBe(2);
    const none = await start({ mirror: { cluster: 'shadow', percent: 0 } }, after('x'), {
      clusters,
    });
    await (await none.connect()).send(`${post(1)}x`).untilText('\r\n\r\nok');
    expect(none.counters.mirrorCount + none.counters.mirrorDropCount).toBe(0);
  });
});

describe('a hedge', () => {
  const clusters = { origin: 2 };
  const hedge = { delayMs: 20 };
  const named = (origin: number): string => OK.replace('now', `origin-${origin}`);

  /** The first endpoint that is asked hangs; what it is told later is up to the test. */
  function slowFirst(): { onData: OnData; asked: number[] } {
    const asked: number[] = [];
    return {
      asked,
      onData(connection, origin) {
        asked.push(origin);
        if (asked.length !== 1) connection.write(named(origin));
      },
    };
  }

  it('asks a second endpoint after the delay, and gives up the slow one', async () => {
    const { onData, asked } = slowFirst();
    const engine = await start({ hedge }, onData, { clusters });
    const client = await engine.connect();
    await client.send(GET).untilText('\r\n\r\nok');
    expect(asked).toHaveLength(2);
    expect(asked[0]).not.toBe(asked[1]);
    expect(client.received).toContain(`date: origin-${asked[1]}`);
    const slow = engine.origins.get('origin')?.[asked[0] ?? 0]?.connections[0];
    await engine.until(() => slow?.socket.destroyed === true);
    const { outcomes, activeCount } = engine.clusters.get('origin')?.snapshot().totals ?? {};
    expect([outcomes?.success, outcomes?.cancelled, activeCount]).toEqual([1, 1, 0]);
    expect([engine.counters.hedgeCount, engine.counters.hedgeWinCount]).toEqual([1, 1]);
    await client.send(GET).until(({ received }) => received.split('\r\n\r\nok').length === 3);
  });

  it('is given up when the first endpoint answers first', async () => {
    const engine = await start(
      { hedge },
      (connection, origin) => {
        const isFirst = engine.counters.hedgeCount === 0;
        if (isFirst) setTimeout(() => connection.write(named(origin)), 60);
      },
      { clusters },
    );
    const client = await engine.connect();
    await client.send(GET).untilText('\r\n\r\nok');
    expect([engine.counters.hedgeCount, engine.counters.hedgeWinCount]).toEqual([1, 0]);
    await engine.until(() => engine.clusters.get('origin')?.snapshot().totals.activeCount === 0);
    const { outcomes } = engine.clusters.get('origin')?.snapshot().totals ?? {};
    expect([outcomes?.success, outcomes?.cancelled]).toEqual([1, 1]);
  });

  it.each(['breaks off', 'answers 503'])('takes over when the first endpoint %s', async (how) => {
    const asked: number[] = [];
    const engine = await start(
      { hedge, retry: false },
      (connection, origin) => {
        asked.push(origin);
        const isFirst = asked.length === 1;
        setTimeout(
          () => {
            if (!isFirst) connection.write(named(origin));
            else if (how === 'breaks off') connection.socket.destroy();
            else connection.write(OK.replace('200 OK', '503 No'));
          },
          isFirst ? 50 : 70,
        );
      },
      { clusters },
    );
    const client = await engine.connect();
    await client.send(GET).untilText('\r\n\r\nok');
    expect(client.received).toContain(`date: origin-${asked[1]}`);
    expect(client.received).toContain('200 OK');
    expect(engine.clusters.get('origin')?.snapshot().totals.activeCount).toBe(0);
  });

  it('that fails leaves the request to the first endpoint', async () => {
    const asked: number[] = [];
    const engine = await start(
      { hedge },
      (connection, origin) => {
        asked.push(origin);
        if (asked.length === 1) setTimeout(() => connection.write(named(origin)), 80);
        else connection.socket.destroy();
      },
      { clusters },
    );
    const client = await engine.connect();
    await client.send(GET).untilText('\r\n\r\nok');
    expect(client.received).toContain(`date: origin-${asked[0]}`);
    expect(asked).toHaveLength(2);
  });

  it('is not made for requests with effects, nor for ones that are not whole', async () => {
    const engine = await start(
      { hedge },
      (connection) => setTimeout(() => connection.write(OK), 60),
      { clusters },
    );
    const client = await engine.connect();
    await client.send(`${post(3)}abc`).untilText('\r\n\r\nok');
    expect(engine.counters.hedgeCount).toBe(0);
  });

  it('dies with its client', async () => {
    const engine = await start({ hedge }, () => undefined, { clusters });
    const client = await engine.connect();
    client.send(GET);
    await engine.until(() => engine.counters.hedgeCount === 1);
    client.socket.resetAndDestroy();
    await engine.until(() => engine.clusters.get('origin')?.snapshot().totals.activeCount === 0);
    const connections = [0, 1].map((at) => engine.origins.get('origin')?.[at]?.connections[0]);
    await engine.until(() => connections.every((one) => one?.socket.destroyed === true));
  });
});
