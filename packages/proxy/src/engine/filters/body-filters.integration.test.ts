import { afterEach, describe, expect, it } from 'vitest';
import { type BodyFilter, BodyRefusal, type Filter } from '../../filter/filter.ts';
import { EngineFixture, type EngineOptions } from '../test-support/engine-fixture.ts';
import { answering, OK } from '../test-support/scripted-origin.ts';

let fixture: EngineFixture | undefined;

afterEach(async () => {
  await fixture?.close();
  fixture = undefined;
});

type OnData = Parameters<typeof EngineFixture.start>[0];

async function start(
  filters: readonly Filter[],
  onData: OnData,
  options: EngineOptions = {},
): Promise<EngineFixture> {
  fixture = await EngineFixture.start(onData, { filters, ...options });
  return fixture;
}

const later = (ms = 1): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Doubles every byte and adds an end; `how` says whether at once or later. */
function doubling(how: 'now' | 'later', log: string[] = []): BodyFilter {
  const double = (chunk: Buffer): Buffer =>
    Buffer.from([...chunk.toString('latin1')].map((byte) => byte + byte).join(''), 'latin1');
  return {
    transform: (chunk) => (how === 'now' ? double(chunk) : later().then(() => double(chunk))),
    flush: () => (how === 'now' ? Buffer.from('.') : later().then(() => Buffer.from('.'))),
    close: () => void log.push('close'),
  };
}

const upper: BodyFilter = {
  keepsLength: true,
  transform: (chunk) => Buffer.from(chunk.toString('latin1').toUpperCase(), 'latin1'),
};

/** What a chunked body holds. */
function dechunked(text: string): string {
  let [rest, body] = [text, ''];
  for (;;) {
    const size = Number.parseInt(rest, 16);
    const from = rest.indexOf('\r\n') + 2;
    if (!(size > 0)) return body;
    body += rest.slice(from, from + size);
    rest = rest.slice(from + size + 2);
  }
}

const bodyOf = (message: string): string => message.slice(message.indexOf('\r\n\r\n') + 4);

/** Answers once a request in chunks, or one of a known length, is whole. */
const whenWhole =
  (text = OK): OnData =>
  (connection) => {
    const { received } = connection;
    const length = /content-length: (\d+)/.exec(received)?.[1];
    const isWhole =
      length === undefined
        ? received.endsWith('0\r\n\r\n') || received.endsWith('t: 1\r\n\r\n')
        : bodyOf(received).length === Number(length);
    if (isWhole) connection.write(text);
  };

const POST = 'POST / HTTP/1.1\r\nhost: a\r\n';

describe('a filter of a request body', () => {
  it.each(['now', 'later'] as const)('changes it, %s, whatever its framing was', async (how) => {
    const log: string[] = [];
    const engine = await start([{ name: 'd', requestBody: () => doubling(how, log) }], whenWhole());
    const client = await engine.connect();
    await client.send(`${POST}content-length: 3\r\n\r\nabc`).untilText('\r\n\r\nok');
    expect(engine.receivedBy('origin')).toContain('transfer-encoding: chunked\r\n');
    expect(engine.receivedBy('origin')).not.toContain('content-length');
    expect(dechunked(bodyOf(engine.receivedBy('origin')))).toBe('aabbcc.');
    expect(log).toEqual(['close']);
    // The connection goes on, on both sides.
    client.send(`${POST}transfer-encoding: chunked\r\n\r\n2\r\nx`);
    await later(10);
    client.send('y\r\n0\r\nt: 1\r\n\r\n');
    await client.until(({ received }) => received.split('\r\n\r\nok').length === 3);
    const second = engine.receivedBy('origin').split('POST')[2] ?? '';
    expect(dechunked(bodyOf(second))).toBe('xxyy.');
    expect(second).toContain('\r\n0\r\nt: 1\r\n\r\n');
    expect(engine.origins.get('origin')?.[0]?.connections).toHaveLength(1);
  });

  it('keeps the length when it says so, and fails when it does not keep it', async () => {
    const short: BodyFilter = { keepsLength: true, transform: () => Buffer.from('x') };
    const engine = await start(
      [
        {
          name: 'u',
          requestBody: (request) => (request.path === '/short' ? short : upper),
        },
      ],
      whenWhole(),
    );
    const client = await engine.connect();
    await client.send(`${POST}content-length: 3\r\n\r\nabc`).untilText('\r\n\r\nok');
    expect(engine.receivedBy('origin')).toMatch(/content-length: 3\r\n\r\nABC$/);
    client.send('POST /short HTTP/1.1\r\nhost: a\r\ncontent-length: 3\r\n\r\nabc');
    await client.untilText('500 Internal Server Error\n');
  });

  it('runs before and behind others in order', async () => {
    const engine = await start(
      [
        { name: 'd', requestBody: () => doubling('later') },
        { name: 'u', requestBody: () => upper },
        { name: 'none', requestBody: () => undefined },
      ],
      whenWhole(),
    );
    const client = await engine.connect();
    await client.send(`${POST}content-length: 3\r\n\r\nabc`).untilText('\r\n\r\nok');
    expect(dechunked(bodyOf(engine.receivedBy('origin')))).toBe('AABBCC.');
  });

  it('gets no request without a body', async () => {
    const asked: string[] = [];
    const requestBody = (): undefined => void asked.push('asked');
    const engine = await start([{ name: 'n', requestBody }], answering(OK));
    const client = await engine.connect();
    await client.send('GET / HTTP/1.1\r\nhost: a\r\n\r\n').untilText('\r\n\r\nok');
    expect(asked).toEqual([]);
  });

  it('refuses with the status of its choice, early and late', async () => {
    const refusing: BodyFilter = {
      transform(chunk) {
        if (chunk.includes('!')) throw new BodyRefusal(415, 'no-shouting');
        return chunk;
      },
    };
    const ends: string[] = [];
    const engine = await start(
      [{ name: 'r', requestBody: () => refusing, onEnd: () => void ends.push('end') }],
      whenWhole(),
    );
    const early = await engine.connect();
    await early.send(`${POST}content-length: 9\r\n\r\nhey!`).untilEnd();
    expect(early.received).toContain('415 Unsupported Media Type');
    expect(early.received).toContain('connection: close');
    expect(engine.receivedBy('origin')).toBe('');
    const late = await engine.connect();
    late.send(`${POST}content-length: 9\r\n\r\nhey`);
    await engine.until(() => engine.receivedBy('origin').includes('hey'));
    await late.send('!').untilEnd();
    expect(late.received).toContain('415 Unsupported Media Type');
    expect(engine.counters.filterAnswers.get('no-shouting')).toBe(2);
    expect(ends).toEqual(['end', 'end']);
  });

  it.each(['throws', 'is rejected', 'gives back nonsense'])(
    'that %s has the client get 500',
    async (how) => {
      const bad: BodyFilter = {
        transform() {
          if (how === 'throws') throw new Error('on purpose');
          if (how === 'is rejected') return Promise.reject(new Error('on purpose'));
          return 'text' as unknown as Buffer;
        },
      };
      const engine = await start([{ name: 'b', requestBody: () => bad }], whenWhole());
      const client = await engine.connect();
      await client.send(`${POST}content-length: 3\r\n\r\nabc`).untilText('500 Internal');
      expect(engine.counters.refusals['filter-failed']).toBe(1);
    },
  );

  it('that never comes to an end is given up with 504', async () => {
    const hangs: BodyFilter = { transform: () => new Promise(() => undefined) };
    const engine = await start([{ name: 'h', requestBody: () => hangs }], whenWhole(), {
      timeouts: { bodyIdleMs: 50 },
    });
    const client = await engine.connect();
    await client.send(`${POST}content-length: 3\r\n\r\nabc`).untilText('504 Gateway Timeout\n');
    expect(engine.counters.refusals['filter-timeout']).toBe(1);
  });

  it('is closed when the endpoint dies, or the client', async () => {
    const log: string[] = [];
    let calls = 0;
    const slow: BodyFilter = {
      transform: (chunk) => (++calls % 2 === 1 ? chunk : new Promise(() => undefined)),
      close: () => void log.push('close'),
    };
    const engine = await start([{ name: 's', requestBody: () => slow }], () => undefined);
    const client = await engine.connect();
    client.send(`${POST}content-length: 6\r\n\r\nabc`);
    await engine.until(() => engine.receivedBy('origin').includes('abc'));
    client.send('d');
    await engine.until(() => calls === 2);
    engine.origins.get('origin')?.[0]?.connections[0]?.socket.resetAndDestroy();
    await client.untilText('502 Bad Gateway\n');
    expect(log).toEqual(['close']);
    const other = await engine.connect();
    other.send(`${POST}content-length: 6\r\n\r\nxyz`);
    await engine.until(() => engine.receivedBy('origin').includes('xyz'));
    other.socket.resetAndDestroy();
    await engine.until(() => log.length === 2);
  });

  it('holds back the client while it takes its time', async () => {
    const size = 4 * 1_048_576;
    let open: () => void = () => undefined;
    const gate = new Promise<void>((resolve) => {
      open = resolve;
    });
    let largest = 0;
    const slow: BodyFilter = {
      keepsLength: true,
      async transform(chunk) {
        largest = Math.max(largest, chunk.length);
        await gate;
        return chunk;
      },
    };
    const engine = await start([{ name: 's', requestBody: () => slow }], whenWhole());
    const client = await engine.connect();
    client.send(`${POST}content-length: ${size}\r\n\r\n${'x'.repeat(size)}`);
    await engine.until(() => largest > 0);
    await later(100);
    expect(client.socket.writableLength).toBeGreaterThan(0);
    expect(engine.host.output.length).toBeLessThanOrEqual(65_536);
    open();
    await client.untilText('\r\n\r\nok');
    expect(bodyOf(engine.receivedBy('origin'))).toHaveLength(size);
    expect(largest).toBeLessThanOrEqual(65_536);
  });
});

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
      await engine.close();
      fixture = undefined;
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
