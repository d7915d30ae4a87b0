/** The access log and request ids of a proxy, over real sockets. */
import { afterEach, describe, expect, it } from 'vitest';
import { type FixtureOptions, ProxyFixture } from '../../engine/test-support/proxy-fixture.ts';
import { answering, OK } from '../../engine/test-support/scripted-origin.ts';
import type { AccessLogOptions, ProxyOptions } from '../../index.ts';

let fixture: ProxyFixture | undefined;
afterEach(async () => {
  await fixture?.close();
  fixture = undefined;
});

const GET = 'GET /a?b HTTP/1.1\r\nhost: x.example\r\n\r\n';

async function start(
  proxy: Partial<ProxyOptions>,
  options: Partial<FixtureOptions> = {},
  answer = OK,
): Promise<ProxyFixture> {
  fixture = await ProxyFixture.start(answering(answer), { proxy, ...options });
  return fixture;
}

/** All lines of a proxy, once it is closed. */
async function linesOf(
  accessLog: AccessLogOptions,
  traffic: (fixture: ProxyFixture) => Promise<void>,
): Promise<string[]> {
  const written: string[] = [];
  const own = await start({ accessLog: { ...accessLog, write: (lines) => written.push(lines) } });
  await traffic(own);
  await own.close();
  fixture = undefined;
  return written.join('').split('\n').slice(0, -1);
}

async function exchange(own: ProxyFixture, text: string, until = 'ok'): Promise<string> {
  const client = await own.connect();
  client.send(text);
  await client.untilText(until);
  return client.received;
}

describe('the access log', () => {
  it('has a line for each request, also for those that were refused', async () => {
    const lines = await linesOf({ format: 'json' }, async (own) => {
      await exchange(own, GET);
      await exchange(own, 'GET / HTTP/1.1\r\nhost : a\r\n\r\n', '400 Bad Request\n');
    });
    const [good, bad] = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(lines).toHaveLength(2);
    expect(good).toMatchObject({
      client: '127.0.0.1',
      method: 'GET',
      host: 'x.example',
      path: '/a',
      protocol: 'HTTP/1.1',
      status: 200,
      bytesIn: GET.length,
      bytesOut: OK.length,
      route: '/*',
      cluster: 'origin',
      tries: 1,
      reason: null,
    });
    expect(good?.['endpoint']).toMatch(/^127\.0\.0\.1:\d+$/);
    expect(bad).toMatchObject({ status: 400, method: null, reason: 'bad-request', route: '' });
  });

  it('has the status of tunnels, retries and clients that left', async () => {
    const lines = await linesOf({ format: '%{status} %{tries} %{path}' }, async (own) => {
      const client = await own.connect();
      client.send('GET /left HTTP/1.1\r\nhost: a\r\ncontent-length: 10\r\n\r\nabc');
      await own.until(() => own.receivedBy(0) !== '' || own.origins[0]!.connections.length > 0);
      client.destroy();
      await own.until(() => own.proxy.stats.clientCount === 0);
    });
    expect(lines).toEqual([expect.stringMatching(/^(0|200) 1 \/left$/)]);
  });

  it('cannot be made to hold lines of a client', async () => {
    const lines = await linesOf({ format: '%{client} "%{header:user-agent}"' }, async (own) => {
      const agent = '" 200\x0b"x\\';
      await exchange(own, `GET / HTTP/1.1\r\nhost: a\r\nuser-agent: ${agent}\r\n\r\n`, '400');
      await exchange(own, 'GET / HTTP/1.1\r\nhost: a\r\nuser-agent: a" "b\\\r\n\r\n');
    });
    // A control character is refused with the head; the rest is escaped.
    expect(lines).toEqual(['127.0.0.1 "-"', '127.0.0.1 "a\\x22 \\x22b\\x5c"']);
  });

  it('may hold a sample', async () => {
    const requests = 400;
    const lines = await linesOf({ format: '%{path}', sampleRatio: 0.25 }, async (own) => {
      const client = await own.connect();
      client.send(GET.repeat(requests));
      await client.until(({ received }) => received.split('\r\n\r\nok').length > requests);
    });
    // Five standard deviations of a binomial.
    const deviation = 5 * Math.sqrt(requests * 0.25 * 0.75);
    expect(Math.abs(lines.length - requests * 0.25)).toBeLessThan(deviation);
  });

  it('that nobody takes holds up no request, and tells what it dropped', async () => {
    const own = await start({
      accessLog: {
        format: 'json',
        maxBufferedCharacters: 1_024,
        write: () => new Promise((resolve) => setTimeout(resolve, 300)),
      },
    });
    const client = await own.connect();
    client.send(GET.repeat(50));
    await client.until(({ received }) => received.split('\r\n\r\nok').length > 50);
    expect(own.proxy.stats.droppedLogLineCount).toBeGreaterThan(30);
  });
});

describe('request ids', () => {
  const idOf = (text: string): string | undefined => /^x-request-id: (.*)\r$/m.exec(text)?.[1];

  it('are made, and told to the endpoint, the client and the log', async () => {
    const lines: string[] = [];
    const own = await start({
      requestId: true,
      accessLog: { format: '%{requestId}', write: (text) => lines.push(text) },
    });
    const heads: string[] = [];
    own.origins[0]!.connections.forEach(({ received }) => heads.push(received));
    const request = 'GET / HTTP/1.1\r\nhost: a\r\nx-request-id: mine\r\n\r\n';
    const first = idOf(await exchange(own, request));
    const second = idOf(await exchange(own, request));
    expect(first).toMatch(/^[0-9a-f]{32}$/);
    expect(second).toMatch(/^[0-9a-f]{32}$/);
    expect(second).not.toBe(first);
    await own.close();
    fixture = undefined;
    expect(lines.join('')).toBe(`${first}\n${second}\n`);
  });

  it('of trusted peers stay, those of endpoints do not', async () => {
    const received: string[] = [];
    fixture = await ProxyFixture.start(
      (connection) => {
        if (!connection.received.endsWith('\r\n\r\n')) return;
        received.push(connection.received);
        connection.received = '';
        connection.write('HTTP/1.1 200 OK\r\nX-Request-Id: other\r\ncontent-length: 2\r\n\r\nok');
      },
      { proxy: { requestId: true, trustedProxies: ['127.0.0.1'] } },
    );
    const ask = (id: string) =>
      exchange(fixture!, `GET / HTTP/1.1\r\nhost: a\r\nX-Request-ID: ${id}\r\n\r\n`);
    const kept = await ask('abc-123');
    expect(kept.match(/x-request-id/gi)).toHaveLength(1);
    expect(idOf(kept)).toBe('abc-123');
    expect(received[0]!.match(/x-request-id: .*/gi)).toEqual(['x-request-id: abc-123']);
    for (const odd of ['two words', 'x'.repeat(129), '<b>'])
      expect(idOf(await ask(odd))).toMatch(/^[0-9a-f]{32}$/);
  });

  it('are in answers of the proxy itself', async () => {
    const own = await start({ requestId: true });
    const text = await exchange(own, 'CONNECT a:1 HTTP/1.1\r\nhost: a:1\r\n\r\n', '405 Method');
    expect(idOf(text)).toMatch(/^[0-9a-f]{32}$/);
  });
});
