/** Whatever clients and endpoints do, every request is counted once: begun, and ended. */
import { createRandom } from '@evenkeel/core';
import { expect, it } from 'vitest';
import { ProxyFixture } from '../engine/test-support/proxy-fixture.ts';
import { OK } from '../engine/test-support/scripted-origin.ts';

const CLIENTS = 300;

/** What a client sends; `leaves`: it is reset before an answer can come. */
const VISITS: readonly { readonly text: string; readonly leaves?: boolean }[] = [
  { text: 'GET /a HTTP/1.1\r\nhost: a\r\n\r\n' },
  { text: 'GET /a HTTP/1.1\r\nhost: a\r\n\r\n'.repeat(5) },
  { text: 'POST /a HTTP/1.1\r\nhost: a\r\ncontent-length: 9\r\n\r\nabc', leaves: true },
  { text: 'GET /a HTTP/1.1\r\nhost: a\r\n\r\n', leaves: true },
  { text: 'POST /a HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n' },
  { text: 'GET /local HTTP/1.1\r\nhost: a\r\n\r\n' },
  { text: 'GET /none HTTP/1.1\r\nhost: a\r\n\r\n' },
  { text: 'GET /a HTTP/1.1\r\n\r\n' },
  { text: 'CONNECT a:1 HTTP/1.1\r\nhost: a:1\r\n\r\n' },
];

it('every request is counted once, whatever becomes of it', async () => {
  const random = createRandom(11);
  const below = (count: number): number => (random.nextInt32() >>> 0) % count;
  let lineCount = 0;
  const fixture = await ProxyFixture.start(
    (connection) => {
      const requests = connection.received.split('\r\n\r\n').length - 1;
      if (requests === 0) return;
      connection.received = '';
      switch (below(6)) {
        case 0:
          connection.socket.resetAndDestroy();
          return;
        case 1:
          connection.write('HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\ncut');
          connection.socket.end();
          return;
        default:
          connection.write(OK.repeat(requests));
      }
    },
    {
      origins: 2,
      proxyOf: (cluster) => ({
        clusters: [cluster],
        accessLog: {
          format: '%{status}',
          write: (lines) => {
            lineCount += lines.split('\n').length - 1;
          },
        },
        listeners: [
          {
            listen: '127.0.0.1:0',
            http: {
              routes: [
                { match: { path: { exact: '/a' } }, cluster: 'origin' },
                { match: { path: { exact: '/local' } }, respond: { status: 200 } },
              ],
            },
          },
        ],
      }),
    },
  );
  for (let count = 0; count < CLIENTS; count++) {
    const { text, leaves } = VISITS[below(VISITS.length)]!;
    const client = await fixture.connect();
    client.send(text);
    if (leaves === true) setImmediate(() => client.socket.resetAndDestroy());
    else client.socket.end();
  }
  await fixture.until(() => fixture.proxy.stats.clientCount === 0);
  const { routes, counters } = fixture.proxy.stats;
  const ended = routes.reduce((sum, one) => sum + one.statusCounts.reduce((a, b) => a + b), 0);
  expect(routes.map(({ activeCount }) => activeCount)).toEqual([0, 0, 0]);
  // A head that breaks a rule is an entry without a request.
  const bad =
    routes[0]!.statusCounts[4]! - counters.refusals['no-route'] - counters.refusals.method;
  expect(bad).toBeGreaterThan(0);
  expect(ended).toBe(counters.requestCount + bad);
  await fixture.close();
  expect(lineCount).toBe(ended);
}, 20_000);
