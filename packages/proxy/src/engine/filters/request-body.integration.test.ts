import { describe, expect, it } from 'vitest';
import { type BodyFilter, BodyRefusal } from '../../filter/filter.ts';
import {
  bodyOf,
  dechunked,
  doubling,
  filterEngine,
  later,
  type OnData,
  upper,
} from '../test-support/filter-engine.ts';
import { answering, OK } from '../test-support/scripted-origin.ts';

const start = filterEngine();

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
