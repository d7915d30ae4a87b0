import { describe, expect, it } from 'vitest';
import type { Filter } from '../../filter/filter.ts';
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

describe('a filter of responses', () => {
  it('edits the head, in the opposite order', async () => {
    const seen: unknown[] = [];
    const engine = await start(
      [
        {
          name: 'outer',
          onRequest(request) {
            request.responseHeaders.append('x-early', '1');
            return undefined;
          },
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
          onRequest(request) {
            request.headers.set('x-try', 'kept');
            return undefined;
          },
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
