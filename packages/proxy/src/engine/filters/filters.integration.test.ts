import { afterEach, describe, expect, it } from 'vitest';
import type { Filter, FilterAnswer } from '../../filter/filter.ts';
import { EngineFixture, type EngineOptions } from '../test-support/engine-fixture.ts';
import { answering, OK } from '../test-support/scripted-origin.ts';

let fixture: EngineFixture | undefined;

afterEach(async () => {
  await fixture?.close();
  fixture = undefined;
});

async function start(
  filters: readonly Filter[],
  options: EngineOptions = {},
  onData: Parameters<typeof EngineFixture.start>[0] = answering(OK),
): Promise<EngineFixture> {
  fixture = await EngineFixture.start(onData, { filters, ...options });
  return fixture;
}

/** Keeps what it is sent, and answers each head. */
const keeping =
  (text: string): Parameters<typeof EngineFixture.start>[0] =>
  (connection) => {
    if (connection.received.endsWith('\r\n\r\n')) connection.write(text);
  };

const GET = 'GET /a?b=c HTTP/1.1\r\nhost: example.com\r\ncookie: x=1\r\nx-old: 1\r\n\r\n';

function gate<T>(): {
  promise: Promise<T>;
  open: (value: T) => void;
  fail: (error: Error) => void;
} {
  let open: (value: T) => void = () => undefined;
  let fail: (error: Error) => void = () => undefined;
  const promise = new Promise<T>((resolve, reject) => {
    open = resolve;
    fail = reject;
  });
  return { promise, open, fail };
}

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
    await client.send(`POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 3\r\n\r\nabc${GET}`);
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

describe('a filter that takes its time', () => {
  it('has the request wait, with a body and a request behind it', async () => {
    const { promise, open } = gate<undefined>();
    let path = '';
    const engine = await start(
      [
        {
          name: 'slow',
          async onRequest(request) {
            await promise;
            path = `${request.path} ${request.header('x-old')}`;
            request.headers.set('x-seen', '1');
            return undefined;
          },
        },
      ],
      {},
      (connection) => {
        if (connection.received.endsWith('body') || connection.received.endsWith('\r\n\r\n'))
          connection.write(OK);
      },
    );
    const client = await engine.connect();
    client.send('POST /1 HTTP/1.1\r\nhost: a\r\nx-old: 5\r\ncontent-length: 4\r\n\r\nbo');
    // Another connection overwrites what the parser held of the first one.
    const other = await engine.connect();
    other.send('BAD\r\n\r\n');
    await other.untilEnd();
    client.send(`dy${GET}`);
    await engine.until(() => engine.counters.requestCount === 1);
    open(undefined);
    await client.until(({ received }) => received.split('\r\n\r\nok').length === 3);
    expect(engine.receivedBy('origin')).toContain('x-seen: 1\r\n');
    expect(engine.receivedBy('origin')).toContain('\r\n\r\nbodyGET /a?b=c HTTP/1.1');
    expect(path).toBe('/a 1');
  });

  it('may answer, and the rest of the body is passed over', async () => {
    const { promise, open } = gate<FilterAnswer>();
    const engine = await start([
      { name: 'slow', onRequest: (request) => (request.method === 'POST' ? promise : undefined) },
    ]);
    const client = await engine.connect();
    client.send(`POST /1 HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n2\r\nab\r\n`);
    await engine.until(() => engine.counters.requestCount === 1);
    client.send(`0\r\n\r\n${GET}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
    open({ status: 403 });
    await client.untilText('\r\n\r\nok');
    expect(client.received).toContain('403 Forbidden');
    expect(client.received).not.toContain('connection: close');
  });

  it('that never comes to an end is given up with 504', async () => {
    let signal: AbortSignal | undefined;
    const engine = await start(
      [
        {
          name: 'hangs',
          onRequest(request) {
            signal = request.signal;
            return new Promise(() => undefined);
          },
        },
      ],
      { timeouts: { responseHeadMs: 50 } },
    );
    const client = await engine.connect();
    await client.send(GET).untilText('504 Gateway Timeout\n');
    expect(signal?.aborted).toBe(true);
    expect(engine.counters.refusals['filter-timeout']).toBe(1);
  });

  it('is told when the client goes away, and ends once', async () => {
    let signal: AbortSignal | undefined;
    let endCount = 0;
    const { promise, open } = gate<undefined>();
    const engine = await start([
      {
        name: 'slow',
        onRequest(request) {
          signal = request.signal;
          return promise;
        },
        onEnd: () => void endCount++,
      },
    ]);
    const client = await engine.connect();
    client.send(GET);
    await engine.until(() => signal !== undefined);
    client.socket.resetAndDestroy();
    await engine.until(() => signal?.aborted === true);
    open(undefined);
    await promise;
    expect(endCount).toBe(1);
    expect(engine.counters.clientAbortCount).toBe(1);
    expect(engine.receivedBy('origin')).toBe('');
  });

  it('holds no more than a bound of what the client sends meanwhile', async () => {
    const { promise, open } = gate<undefined>();
    const size = 8 * 1_048_576;
    const engine = await start([{ name: 'slow', onRequest: () => promise }], {}, (connection) => {
      if (connection.received.length >= size && connection.received.endsWith('!')) {
        connection.received = '';
        connection.write(OK);
      }
    });
    const client = await engine.connect();
    client.send(`PUT / HTTP/1.1\r\nhost: a\r\ncontent-length: ${size}\r\n\r\n`);
    client.send(`${'x'.repeat(size - 1)}!`);
    await engine.until(() => engine.counters.requestCount === 1);
    await new Promise((resolve) => setTimeout(resolve, 100));
    // What is in flight between two sockets on loopback is less than the rest of it.
    expect(client.socket.writableLength).toBeGreaterThan(0);
    open(undefined);
    await client.untilText('\r\n\r\nok');
  });
});

describe('a filter of responses', () => {
  it('edits the head, in the opposite order', async () => {
    const seen: unknown[] = [];
    const engine = await start(
      [
        {
          name: 'outer',
          onRequest: (request) => void request.responseHeaders.append('x-early', '1'),
          onResponse(response, request) {
            seen.push(response.header('X-Inner'), response.header('date'), request.path);
            seen.push(response.bodyBytes, response.isLocal, response.status);
            response.headers.remove('server');
          },
        },
        { name: 'inner', onResponse: (response) => response.headers.set('x-inner', 'i') },
      ],
      {},
      answering(OK.replace('date: now', 'date: now\r\nserver: old\r\nx-inner: o')),
    );
    const client = await engine.connect();
    await client.send(GET).untilText('\r\n\r\nok');
    expect(client.received.split('\r\n\r\n')[0]?.split('\r\n')).toEqual([
      'HTTP/1.1 200 OK',
      'date: now',
      'x-early: 1',
      'x-inner: i',
      'content-length: 2',
    ]);
    expect(seen).toEqual(['i', 'now', '/a', 2, false, 200]);
  });

  it('that throws has the client get 500, with what filters before it add', async () => {
    const engine = await start([
      {
        name: 'outer',
        onResponse: (response) => response.headers.set('x-outer', response.status + ''),
      },
      {
        name: 'inner',
        onResponse() {
          throw new Error('on purpose');
        },
      },
    ]);
    const client = await engine.connect();
    await client.send(GET).untilText('500 Internal Server Error\n');
    expect(client.received).toContain('x-outer: 500');
    await client.send(GET).until(({ received }) => received.split('x-outer: 500').length === 3);
  });

  it('sees answers of the proxy itself, when an endpoint fails, too', async () => {
    const seen: number[] = [];
    const engine = await start(
      [{ name: 'sees', onResponse: (response) => void seen.push(response.status) }],
      {},
      (connection) => connection.socket.destroy(),
    );
    const client = await engine.connect();
    await client.send(GET).untilText('502 Bad Gateway\n');
    expect(seen).toEqual([502]);
  });

  it('is not asked about interim responses, and once after a retry', async () => {
    const seen: number[] = [];
    let tries = 0;
    const ends: string[] = [];
    const engine = await start(
      [
        {
          name: 'sees',
          onRequest: (request) => void request.headers.set('x-try', 'kept'),
          onResponse: (response) => void seen.push(response.status),
          onEnd: () => void ends.push('end'),
        },
      ],
      { clusters: { origin: 2 } },
      (connection) => {
        if (++tries === 1) connection.socket.destroy();
        else connection.write(`HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n${OK}`);
      },
    );
    const client = await engine.connect();
    await client.send(GET).untilText('\r\n\r\nok');
    expect(client.received).toMatch(/^HTTP\/1.1 103 /);
    expect(seen).toEqual([200]);
    expect(ends).toEqual(['end']);
    const all = engine.receivedBy('origin', 0) + engine.receivedBy('origin', 1);
    expect(all.split('x-try: kept')).toHaveLength(3);
  });

  it('ends when a tunnel closes, and when the proxy does', async () => {
    let endCount = 0;
    const engine = await start(
      [{ name: 'ends', onEnd: () => void endCount++ }],
      {},
      (connection) => {
        if (connection.received.endsWith('\r\n\r\n'))
          connection.write('HTTP/1.1 101 Switching\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n');
      },
    );
    const client = await engine.connect();
    client.send('GET / HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n');
    await client.untilText('101 Switching');
    expect(endCount).toBe(0);
    client.destroy();
    await engine.until(() => endCount === 1);
  });
});
