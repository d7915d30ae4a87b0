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
const post = (length: number | 'chunked'): string =>
  `POST / HTTP/1.1\r\nhost: a\r\n${
    length === 'chunked' ? 'transfer-encoding: chunked' : `content-length: ${length}`
  }\r\n\r\n`;

describe('maxBodyBytes', () => {
  it('refuses a body by its content-length before any of it, and one that fits passes', async () => {
    const engine = await start({ maxBodyBytes: 3 }, after('abc'));
    const client = await engine.connect();
    await client.send(`${post(3)}abc`).untilText('\r\n\r\nok');
    await client.send(post(4)).untilEnd();
    expect(client.received).toContain('413 Payload Too Large');
    expect(client.received).toContain('connection: close');
    expect(engine.receivedBy('origin').split('POST')).toHaveLength(2);
    expect(engine.counters.refusals['body-too-large']).toBe(1);
  });

  it('refuses a chunked body once it is too large, and gives up the endpoint', async () => {
    const engine = await start({ maxBodyBytes: 3 }, () => undefined);
    const client = await engine.connect();
    client.send(`${post('chunked')}3\r\nabc\r\n`);
    await engine.until(() => engine.receivedBy('origin').includes('abc'));
    await client.send('1\r\nd\r\n').untilEnd();
    expect(client.received).toContain('413 Payload Too Large');
    const [origin] = engine.origins.get('origin') ?? [];
    await engine.until(() => origin?.connections[0]?.socket.destroyed === true);
  });
});

describe('buffer', () => {
  it('has the whole body before an endpoint is asked, which can be tried again', async () => {
    let tries = 0;
    const engine = await start(
      { buffer: { maxBytes: 100 }, retry: { statuses: [503] } },
      (connection) => {
        if (!connection.received.endsWith('0\r\n\r\n')) return;
        const isFirst = ++tries === 1;
        connection.write(isFirst ? OK.replace('200 OK', '503 No') : OK);
      },
      { clusters: { origin: 2 } },
    );
    const client = await engine.connect();
    client.send(`PUT / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n2\r\nab\r\n`);
    await engine.until(() => engine.counters.requestCount === 1);
    await later(20);
    expect(engine.receivedBy('origin', 0) + engine.receivedBy('origin', 1)).toBe('');
    await client.send('1\r\nc\r\n0\r\n\r\n').untilText('200 OK');
    expect(tries).toBe(2);
    for (const origin of [0, 1])
      expect(engine.receivedBy('origin', origin)).toContain('2\r\nab\r\n1\r\nc\r\n0\r\n\r\n');
  });

  it('asks for the body itself when the client waits for that', async () => {
    const engine = await start({ buffer: { maxBytes: 100 } }, after('abc'));
    const client = await engine.connect();
    client.send(post(3).replace('host', 'expect: 100-continue\r\nhost'));
    await client.untilText('HTTP/1.1 100 Continue\r\n\r\n');
    await client.send('abc').untilText('\r\n\r\nok');
    expect(engine.receivedBy('origin')).not.toContain('expect');
  });

  it.each([
    ['a length', `${post(11)}`],
    ['chunks, at once', `${post('chunked')}b\r\nhello world\r\n0\r\n\r\n`],
    ['chunks, later', post('chunked')],
  ])('refuses more than it holds, with %s', async (_kind, text) => {
    const engine = await start({ buffer: { maxBytes: 10 } }, () => undefined);
    const client = await engine.connect();
    client.send(text);
    await engine.until(() => engine.counters.requestCount === 1);
    if (text === post('chunked')) client.send('b\r\nhello world\r\n');
    await client.untilEnd();
    expect(client.received).toContain('413 Payload Too Large');
    expect(engine.receivedBy('origin')).toBe('');
  });
});

describe('the pace of a body', () => {
  const timeouts = { bodyGraceMs: 50, minBodyBytesPerSecond: 100 };

  it('that is too slow is refused with 408, though it is never silent for long', async () => {
    const engine = await start({}, () => undefined, { timeouts });
    const client = await engine.connect();
    client.send(post(100));
    const timer = setInterval(() => client.send('x'), 20);
    await client.untilEnd();
    clearInterval(timer);
    expect(client.received).toContain('408 Request Timeout');
  });

  it('does not count while the endpoint is what is slow', async () => {
    const size = 8 * 1_048_576;
    let [count, isPaused] = [0, false];
    const engine = await start(
      {},
      (connection) => {
        count += connection.received.length;
        connection.received = '';
        if (count >= size && isPaused) connection.write(OK);
        if (isPaused) return;
        isPaused = true;
        connection.socket.pause();
        setTimeout(() => connection.socket.resume(), 400);
      },
      { timeouts: { bodyGraceMs: 250, minBodyBytesPerSecond: 1_000_000_000 } },
    );
    const client = await engine.connect();
    client.send(post(size)).send('x'.repeat(size));
    await client.untilText('\r\n\r\nok');
  });
});

describe('a fault', () => {
  it('delays and aborts, where the header is', async () => {
    const fault = { delay: { durationMs: 60 }, abort: { status: 418 }, header: 'x-fault' };
    const engine = await start({ fault }, after('\r\n\r\n'));
    const client = await engine.connect();
    await client.send(GET).untilText('\r\n\r\nok');
    const before = performance.now();
    await client.send(GET.replace('host', 'x-fault: 1\r\nhost')).untilText('418');
    expect(performance.now() - before).toBeGreaterThanOrEqual(55);
    expect(engine.counters.filterAnswers.get('fault')).toBe(1);
  });

  it('with a delay alone lets the request on', async () => {
    const engine = await start({ fault: { delay: { durationMs: 60 } } }, after('\r\n\r\n'));
    const client = await engine.connect();
    const before = performance.now();
    await client.send(GET).untilText('\r\n\r\nok');
    expect(performance.now() - before).toBeGreaterThanOrEqual(55);
  });

  it('of 0 percent does nothing', async () => {
    const fault = {
      abort: { status: 500, percent: 0 },
      delay: { durationMs: 3_600_000, percent: 0 },
    };
    const engine = await start({ fault }, after('\r\n\r\n'));
    await (await engine.connect()).send(GET).untilText('\r\n\r\nok');
  });
});
