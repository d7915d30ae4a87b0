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

const GET = 'GET /a?b=c HTTP/1.1\r\nhost: example.com\r\ncookie: x=1\r\nx-old: 1\r\n\r\n';

function gate<T>(): { readonly promise: Promise<T>; readonly open: (value: T) => void } {
  let open: (value: T) => void = () => undefined;
  const promise = new Promise<T>((resolve) => {
    open = resolve;
  });
  return { promise, open };
}

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
