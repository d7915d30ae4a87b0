import type { RequestOptions, ServerResponse } from 'node:http';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterEach, describe, expect, it } from 'vitest';
import { type Answer, ask, Closers, hello, scripted } from '../test-support/reporter-bench.ts';
import type { Handler } from './load-reporter.ts';

const closers = new Closers();
afterEach(() => closers.close());

describe('a report in the trailer', () => {
  /** Begins to answer, waits for a second request, and ends. */
  async function serve(respond: Handler, options: RequestOptions = {}): Promise<Answer> {
    const { reporter } = scripted({ placement: 'trailer' });
    const port = await closers.listen(reporter.wrap(respond));
    return ask(port, options);
  }

  const inParts: Handler = (_request, response) => {
    response.writeHead(200, { 'content-type': 'text/plain' });
    response.write('a');
    response.end('b');
  };

  it('comes after the last byte of a stream, announced', async () => {
    const { headers, trailers, body, report } = await serve(inParts);
    expect(body).toBe('ab');
    expect(headers.trailer).toBe('endpoint-load-metrics');
    expect(headers['endpoint-load-metrics']).toBeUndefined();
    expect(trailers['endpoint-load-metrics']).toBeDefined();
    expect(report?.memoryUtilization).toBe(0.25);
  });

  it('tells the load at the end of the stream', async () => {
    const { reporter } = scripted({ placement: 'trailer' });
    const waiting: ServerResponse[] = [];
    const port = await closers.listen(
      reporter.wrap((request, response) => {
        response.write('begun');
        if (request.url === '/wait') waiting.push(response);
        else response.end();
      }),
    );
    const first = ask(port, { path: '/wait' });
    await expect.poll(() => waiting.length).toBe(1);
    const second = ask(port, { path: '/wait' });
    await expect.poll(() => waiting.length).toBe(2);
    waiting[0]?.end();
    expect((await first).report?.namedMetrics.get('rif')).toBe(1);
    waiting[1]?.end();
    expect((await second).report?.namedMetrics.get('rif')).toBe(0);
  });

  it.for<[string, Handler, RequestOptions]>([
    ['a single end', hello, {}],
    [
      'a length of its own',
      (_request, response) => response.writeHead(200, { 'Content-Length': '2' }).end('ab'),
      {},
    ],
    [
      'a length set before',
      (_request, response) => {
        response.setHeader('content-length', 2);
        response.write('a');
        response.end('b');
      },
      {},
    ],
    ['no body', (_request, response) => response.writeHead(204).end(), {}],
    [
      'headers as a list',
      (_request, response) => response.writeHead(200, ['x-own', '1']).end('x'),
      {},
    ],
    ['an answer to HEAD', inParts, { method: 'HEAD' }],
    [
      'a trailer of its own',
      (_request, response) => {
        response.writeHead(200, { Trailer: 'x-own' });
        response.addTrailers({ 'x-own': '1' });
        response.end('x');
      },
      {},
    ],
  ])('goes into the header of an answer with %s', async ([, handler, options]) => {
    const { headers, trailers } = await serve(handler, options);
    expect(headers['endpoint-load-metrics']).toBeDefined();
    expect(trailers['endpoint-load-metrics']).toBeUndefined();
  });

  it('goes into the header for HTTP/1.0', async () => {
    const { reporter } = scripted({ placement: 'trailer' });
    const port = await closers.listen(reporter.wrap(inParts));
    // Node's client speaks 1.1 only: the bytes are written by hand.
    const socket = connect(port, '127.0.0.1');
    socket.write('GET / HTTP/1.0\r\n\r\n');
    expect(await text(socket)).toMatch(/\r\nendpoint-load-metrics: TEXT [^]*\r\n\r\nab$/);
  });
});
