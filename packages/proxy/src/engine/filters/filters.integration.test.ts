import { describe, expect, it } from 'vitest';
import type { Filter, FilterAnswer } from '../../filter/filter.ts';
import type { EngineFixture, EngineOptions } from '../test-support/engine-fixture.ts';
import { filterEngine, type OnData } from '../test-support/filter-engine.ts';
import { answering, OK } from '../test-support/scripted-origin.ts';

const startEngine = filterEngine();
const start = (
  filters: readonly Filter[],
  options: EngineOptions = {},
  onData: OnData = answering(OK),
): Promise<EngineFixture> => startEngine(filters, onData, options);

/** Keeps what it is sent, and answers each head. */
const keeping =
  (text: string): OnData =>
  (connection) => {
    if (connection.received.endsWith('\r\n\r\n')) connection.write(text);
  };

const GET = 'GET /a?b=c HTTP/1.1\r\nhost: example.com\r\ncookie: x=1\r\nx-old: 1\r\n\r\n';

describe('a filter of requests', () => {
  it('edits the head that the endpoint gets', async () => {
    const engine = await start(
      [
        {
          name: 'edit',
          onRequest(request) {
            request.headers.set('X-Old', '2');
            request.headers.append('x-new', 'a');
            request.headers.append('x-new', 'b');
            request.headers.set('host', 'inner:81');
            request.headers.remove('cookie');
            request.setTarget('/other?q=1');
            return undefined;
          },
        },
      ],
      {},
      keeping(OK),
    );
    const client = await engine.connect();
    await client.send(GET).untilText('ok');
    const lines = engine.receivedBy('origin').split('\r\n');
    expect(lines[0]).toBe('GET /other?q=1 HTTP/1.1');
    expect(lines.filter((line) => /^(x-old|x-new|host|cookie)/i.test(line))).toEqual([
      'x-old: 2',
      'x-new: a',
      'x-new: b',
      'host: inner:81',
    ]);
    expect(lines.filter((line) => line.startsWith('x-forwarded-'))).toEqual([
      'x-forwarded-for: 127.0.0.1',
      'x-forwarded-proto: http',
    ]);
  });

  it('sees what filters before it have changed', async () => {
    const seen: unknown[] = [];
    const engine = await start([
      {
        name: 'first',
        onRequest(request) {
          request.headers.append('x-old', '2');
          request.headers.set('cookie', 'x=9; y=8');
          request.setTarget('/p?z=7');
          return undefined;
        },
      },
      {
        name: 'second',
        onRequest(request) {
          seen.push(request.header('x-old'), request.cookie('y'), request.query('z'));
          seen.push(request.path, request.search, request.host, request.method, request.route);
          return undefined;
        },
      },
    ]);
    await (await engine.connect()).send(GET).untilText('ok');
    expect(seen).toEqual(['1, 2', '8', '7', '/p', '?z=7', 'example.com', 'GET', '/*']);
  });

  it.each([
    ['content-length', '5'],
    ['Transfer-Encoding', 'chunked'],
    ['connection', 'close'],
    ['x-a', 'b\r\nc: d'],
    ['x a', 'b'],
    ['host', 'a b'],
  ])('cannot set %s to %j: the request fails with 500', async (name, value) => {
    const engine = await start([
      {
        name: 'bad',
        onRequest(request) {
          request.headers.set(name, value);
          return undefined;
        },
      },
    ]);
    const client = await engine.connect();
    await client.send(GET).untilText('500 Internal Server Error\n');
    expect(engine.receivedBy('origin')).toBe('');
    expect(engine.counters.refusals['filter-failed']).toBe(1);
    // The connection is as good as before.
    await client.send(GET).until(({ received }) => received.split('HTTP/1.1 500').length === 3);
  });

  it('answers in place of the cluster, and the connection stays', async () => {
    const order: string[] = [];
    const engine = await start([
      {
        name: 'outer',
        onRequest: () => void order.push('outer'),
        onResponse(response) {
          order.push(`outer ${response.status} ${response.isLocal} ${response.header('x-why')}`);
          response.headers.set('x-outer', '1');
        },
        onEnd: () => void order.push('outer end'),
      },
      {
        name: 'auth',
        onRequest: () => ({ status: 401, headers: { 'x-why': 'no' }, body: 'go', reason: 'none' }),
        onEnd: () => void order.push('auth end'),
      },
      {
        name: 'inner',
        onRequest: () => void order.push('inner'),
        onResponse: () => void order.push('inner response'),
        onEnd: () => void order.push('inner end'),
      },
    ]);
    const client = await engine.connect();
    client.send(`POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 3\r\n\r\nabc${GET}`);
    await client.until(({ received }) => received.split('\r\n\r\ngo').length === 3);
    expect(client.received).toMatch(/^HTTP\/1.1 401 Unauthorized\r\nx-why: no\r\nx-outer: 1\r\n/);
    expect(client.received).toContain('content-length: 2\r\n');
    expect(order.slice(0, 4)).toEqual(['outer', 'outer 401 true no', 'outer end', 'auth end']);
    expect(order).toHaveLength(8);
    expect(engine.receivedBy('origin')).toBe('');
    expect([...engine.counters.filterAnswers]).toEqual([['none', 2]]);
    expect(engine.meterOf('/*', '').statusCounts[4]).toBe(2);
  });

  it('closes the connection when the body of an answered request has not come', async () => {
    const engine = await start([{ name: 'no', onRequest: () => ({ status: 403 }) }]);
    const client = await engine.connect();
    await client.send('POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 3\r\n\r\na').untilEnd();
    expect(client.received).toContain('HTTP/1.1 403 Forbidden');
    expect(client.received).toContain('connection: close');
  });

  it('waits with its answer for as long as it says', async () => {
    const engine = await start([{ name: 'slow', onRequest: () => ({ status: 429, delayMs: 60 }) }]);
    const client = await engine.connect();
    const before = performance.now();
    await client
      .send(`POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 3\r\n\r\nabc`)
      .untilText('429');
    expect(performance.now() - before).toBeGreaterThanOrEqual(55);
    expect(client.received).not.toContain('connection: close');
  });

  it.each(['throws', 'is rejected', 'answers nonsense', 'answers nonsense later'])(
    'fails the request alone when it %s, unless it is open',
    async (how) => {
      const ends: string[] = [];
      const onRequest = (): Promise<FilterAnswer | undefined> | FilterAnswer => {
        if (how === 'throws') throw new Error('on purpose');
        if (how === 'is rejected') return Promise.reject(new Error('on purpose'));
        const nonsense = { status: 99 };
        return how === 'answers nonsense' ? nonsense : Promise.resolve(nonsense);
      };
      const closed: Filter = { name: 'closed', onRequest, onEnd: () => void ends.push('closed') };
      const open: Filter = {
        ...closed,
        name: 'open',
        onError: 'open',
        onResponse: () => void ends.push('response'),
        onEnd: () => void ends.push('open'),
      };
      const match = { path: { exact: '/open' } };
      const engine = await start([], {
        routes: [
          { match, cluster: 'origin', filters: [open] },
          { cluster: 'origin', filters: [closed] },
        ],
      });
      const client = await engine.connect();
      await client.send(GET).untilText('500 Internal');
      await client.send('GET /open HTTP/1.1\r\nhost: a\r\n\r\n').untilText('ok');
      expect(ends).toEqual(['closed', 'open']);
      expect(engine.errors).toHaveLength(2);
    },
  );
});
