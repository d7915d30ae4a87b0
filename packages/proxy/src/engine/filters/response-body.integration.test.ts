import { describe, expect, it } from 'vitest';
import type { BodyFilter, Filter } from '../../filter/filter.ts';
import {
  bodyOf,
  dechunked,
  doubling,
  filterEngine,
  later,
  upper,
} from '../test-support/filter-engine.ts';
import { answering, OK } from '../test-support/scripted-origin.ts';

const start = filterEngine();

describe('a filter of a response body', () => {
  const GET = 'GET / HTTP/1.1\r\nhost: a\r\n\r\n';
  const CHUNKED =
    'HTTP/1.1 200 OK\r\ndate: now\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nt: 1\r\n\r\n';
  const CLOSED = 'HTTP/1.1 200 OK\r\ndate: now\r\n\r\nok';

  it.each(['now', 'later'] as const)('changes it, %s, whatever its framing was', async (how) => {
    const log: string[] = [];
    const filter: Filter = { name: 'd', responseBody: () => doubling(how, log) };
    for (const [index, text] of [OK, CHUNKED, CLOSED].entries()) {
      log.length = 0;
      const engine = await start([filter], (connection) => {
        if (!connection.received.endsWith('\r\n\r\n')) return;
        connection.write(text);
        if (text === CLOSED) connection.socket.end();
      });
      const client = await engine.connect();
      const end = text === CHUNKED ? '\r\n0\r\nt: 1\r\n\r\n' : '\r\n0\r\n\r\n';
      await client.send(GET).untilText(end);
      expect(dechunked(bodyOf(client.received))).toBe('ookk.');
      expect(client.received).toContain('transfer-encoding: chunked\r\n');
      expect(client.received).not.toContain('content-length');
      expect(log).toEqual(['close']);
      client.received = '';
      await client.send(GET).untilText(end);
      const reuses = engine.origins.get('origin')?.[0]?.connections.length;
      expect(reuses).toBe(index === 2 ? 2 : 1);
    }
  });

  it('keeps the length when it says so', async () => {
    const engine = await start([{ name: 'u', responseBody: () => upper }], answering(OK));
    const client = await engine.connect();
    await client.send(GET).untilText('content-length: 2\r\n\r\nOK');
    expect(client.received).not.toContain('chunked');
  });

  it('ends with the connection for clients of HTTP/1.0', async () => {
    const engine = await start(
      [{ name: 'd', responseBody: () => doubling('later') }],
      answering(OK),
    );
    const client = await engine.connect();
    await client.send('GET / HTTP/1.0\r\nconnection: keep-alive\r\n\r\n').untilEnd();
    expect(bodyOf(client.received)).toBe('ookk.');
    expect(client.received).toContain('connection: close');
  });

  it('gets no response without a body', async () => {
    const asked: number[] = [];
    const filter: Filter = {
      name: 'n',
      onResponse: (response) => response.headers.set('x-bytes', String(response.bodyBytes)),
      responseBody(response) {
        asked.push(response.status);
        return undefined;
      },
    };
    const answers = ['204 No Content', '304 Not Modified', '200 OK'];
    let at = 0;
    const engine = await start([filter], (connection) => {
      if (connection.received.endsWith('\r\n\r\n'))
        connection.write(`HTTP/1.1 ${answers[at++]}\r\ndate: now\r\ncontent-length: 5\r\n\r\n`);
    });
    const client = await engine.connect();
    await client.send(GET).untilText('204');
    await client.send(GET).untilText('304');
    await client.send('HEAD / HTTP/1.1\r\nhost: a\r\n\r\n').untilText('200 OK');
    await client.until(({ received }) => received.split('x-bytes: 0').length === 4);
    expect(asked).toEqual([]);
  });

  it('changes answers of the proxy itself', async () => {
    const engine = await start(
      [
        { name: 'd', responseBody: () => doubling('later') },
        { name: 'a', onRequest: () => ({ status: 403, body: 'no' }) },
      ],
      answering(OK),
    );
    const client = await engine.connect();
    await client.send(GET).untilText('\r\n0\r\n\r\n');
    expect(dechunked(bodyOf(client.received))).toBe('nnoo.');
    await client.send(GET).until(({ received }) => received.split('0\r\n\r\n').length === 3);
  });

  it.each(['throws', 'is rejected'])('that %s breaks the response off', async (how) => {
    const ends: string[] = [];
    const bad: BodyFilter = {
      transform() {
        if (how === 'throws') throw new Error('on purpose');
        return later().then(() => Promise.reject(new Error('on purpose')));
      },
      close: () => void ends.push('close'),
    };
    const filter: Filter = {
      name: 'b',
      responseBody: () => bad,
      onEnd: () => void ends.push('end'),
    };
    const engine = await start([filter], answering(OK));
    const client = await engine.connect();
    await client.send(GET).until(({ closed }) => closed);
    expect(bodyOf(client.received)).not.toContain('0\r\n\r\n');
    await engine.until(() => ends.length === 2);
    expect(ends).toEqual(['close', 'end']);
    expect(engine.counters.truncatedCount).toBe(1);
  });

  it('that never comes to an end breaks it off, too, and says nothing of the endpoint', async () => {
    const hangs: BodyFilter = { transform: () => new Promise(() => undefined) };
    const engine = await start([{ name: 'h', responseBody: () => hangs }], answering(OK), {
      timeouts: { bodyIdleMs: 50 },
    });
    const client = await engine.connect();
    await client.send(GET).until(({ closed }) => closed);
    expect(engine.counters.truncatedCount).toBe(1);
    expect(engine.counters.clientAbortCount).toBe(0);
  });

  it('is closed when the client goes away, and the endpoint is given up', async () => {
    const log: string[] = [];
    const engine = await start(
      [{ name: 'd', responseBody: () => doubling('later', log) }],
      (connection) => connection.write('HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nab'),
    );
    const client = await engine.connect();
    await client.send(GET).untilText('aabb');
    client.socket.resetAndDestroy();
    await engine.until(() => log.length === 1);
    const [origin] = engine.origins.get('origin') ?? [];
    await engine.until(() => origin?.connections[0]?.socket.destroyed === true);
  });

  it('has the client cut off when the endpoint breaks off', async () => {
    const log: string[] = [];
    const engine = await start(
      [{ name: 'd', responseBody: () => doubling('now', log) }],
      (connection) => {
        connection.write('HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nab');
        setTimeout(() => connection.socket.destroy(), 20);
      },
    );
    const client = await engine.connect();
    await client.send(GET).until(({ closed }) => closed);
    expect(client.received).not.toContain('0\r\n\r\n');
    expect(log).toEqual(['close']);
  });

  it('holds back the endpoint while it, or the client, takes its time', async () => {
    const size = 8 * 1_048_576;
    const pass: BodyFilter = { transform: (chunk) => later(0).then(() => Buffer.from(chunk)) };
    const engine = await start([{ name: 'p', responseBody: () => pass }], (connection) => {
      connection.write(`HTTP/1.1 200 OK\r\ncontent-length: ${size}\r\n\r\n${'x'.repeat(size)}`);
    });
    const client = await engine.connect();
    client.socket.pause();
    client.send(GET);
    const socket = (): { writableLength: number } | undefined =>
      engine.origins.get('origin')?.[0]?.connections[0]?.socket;
    await engine.until(() => (socket()?.writableLength ?? 0) > 0);
    await later(100);
    expect(socket()?.writableLength).toBeGreaterThan(0);
    client.socket.resume();
    await client.until(({ received }) => received.endsWith('\r\n0\r\n\r\n'));
    expect(dechunked(bodyOf(client.received))).toHaveLength(size);
  });
});
