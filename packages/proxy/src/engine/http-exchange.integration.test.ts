/** What goes in on one side and comes out on the other, byte for byte, over real sockets. */
import { afterEach, describe, expect, it } from 'vitest';
import { type FixtureOptions, ProxyFixture } from './test-support/proxy-fixture.ts';
import { answering, OK, type OriginConnection } from './test-support/scripted-origin.ts';

let fixture: ProxyFixture;
afterEach(() => fixture.close());

const start = async (
  onData: (connection: OriginConnection, origin: number) => void,
  options?: FixtureOptions,
): Promise<void> => {
  fixture = await ProxyFixture.start(onData, options);
};

const head = (received: string): string[] => received.split('\r\n\r\n')[0]!.split('\r\n');

describe('a request', () => {
  it('goes on without what is for this hop only, and with what the endpoint should know', async () => {
    await start((connection) => {
      if (connection.received.endsWith('\r\n\r\n')) connection.write(OK);
    });
    const client = await fixture.connect();
    client.send(
      'GET /a?b HTTP/1.1\r\nHost: example.com\r\nX-Keep: 1\r\nConnection: keep-alive, x-drop, host\r\n' +
        'X-Drop: 2\r\nKeep-Alive: 5\r\nTE: trailers\r\nProxy-Connection: x\r\nX-Forwarded-For: 6.6.6.6\r\n' +
        'x_forwarded_proto: https\r\nForwarded: for=6.6.6.6\r\nX-Forwarded-Port: 1\r\nX-Forwarded_Prefix: /a\r\n' +
        'X-Forwarded: 1\r\nUpgrade: h2c\r\nX-Last: 3\r\n\r\n',
    );
    await client.untilText('ok');
    expect(head(fixture.receivedBy(0))).toEqual([
      'GET /a?b HTTP/1.1',
      'Host: example.com',
      'X-Keep: 1',
      'X-Forwarded: 1',
      'X-Last: 3',
      'x-forwarded-for: 127.0.0.1',
      'x-forwarded-proto: http',
      'via: 1.1 evenkeel',
    ]);
  });

  it('keeps what a trusted proxy said, all lines of it', async () => {
    await start(
      (connection) => {
        if (connection.received.endsWith('\r\n\r\n')) connection.write(OK);
      },
      { proxy: { trustedProxies: ['127.0.0.0/8'], via: false } },
    );
    const client = await fixture.connect();
    client.send(
      'GET / HTTP/1.1\r\nhost: a\r\nx-forwarded-for: 1.1.1.1\r\nX-Forwarded-For: 2.2.2.2\r\n' +
        'x-forwarded-proto: https\r\nx-forwarded-port: 443\r\n\r\n',
    );
    await client.untilText('ok');
    expect(head(fixture.receivedBy(0))).toEqual([
      'GET / HTTP/1.1',
      'host: a',
      'x-forwarded-proto: https',
      'x-forwarded-port: 443',
      'x-forwarded-for: 1.1.1.1, 2.2.2.2, 127.0.0.1',
    ]);
  });

  it('that a trusted peer describes in the words of RFC 7239 has this hop added', async () => {
    await start(
      (connection) => {
        if (connection.received.endsWith('\r\n\r\n')) connection.write(OK);
      },
      { proxy: { trustedProxies: ['127.0.0.0/8'], via: false } },
    );
    const client = await fixture.connect();
    client.send('GET / HTTP/1.1\r\nhost: a\r\nforwarded: for=192.0.2.1;proto=https\r\n\r\n');
    await client.untilText('ok');
    expect(head(fixture.receivedBy(0))).toEqual([
      'GET / HTTP/1.1',
      'host: a',
      'forwarded: for=192.0.2.1;proto=https',
      'x-forwarded-for: 127.0.0.1',
      'x-forwarded-proto: http',
      'forwarded: for=127.0.0.1;proto=http',
    ]);
  });

  it('in absolute form goes on in origin form, with its authority as host', async () => {
    await start((connection) => {
      if (connection.received.endsWith('\r\n\r\n')) connection.write(OK);
    });
    const client = await fixture.connect();
    client.send('GET http://real.example:81?q HTTP/1.1\r\nhost: other\r\n\r\n');
    await client.untilText('ok');
    expect(head(fixture.receivedBy(0)).slice(0, 2)).toEqual([
      'GET /?q HTTP/1.1',
      'host: real.example:81',
    ]);
  });

  it('may arrive byte by byte', async () => {
    await start(answering(OK));
    const client = await fixture.connect();
    for (const byte of 'GET / HTTP/1.1\r\nhost: a\r\n\r\n') {
      client.send(byte);
      await new Promise((resolve) => setImmediate(resolve));
    }
    await client.untilText('ok');
    expect(client.received).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
  });

  it('is followed by others on the same connection, early or not', async () => {
    let count = 0;
    await start((connection) => {
      while (connection.received.includes('\r\n\r\n')) {
        connection.received = connection.received.slice(
          connection.received.indexOf('\r\n\r\n') + 4,
        );
        connection.write(`HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\n[${count++}]`);
      }
    });
    const client = await fixture.connect();
    const one = 'GET / HTTP/1.1\r\nhost: a\r\n\r\n';
    client.send(one + one + one + one.slice(0, 9));
    await client.untilText('[2]');
    client.send(one.slice(9));
    await client.untilText('[3]');
    expect(client.received.match(/\[\d\]/g)).toEqual(['[0]', '[1]', '[2]', '[3]']);
    expect(fixture.origins[0]!.connections).toHaveLength(1);
  });

  it.each([
    ['', 3],
    ['GET / HT', 3],
    ['POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\n\r\nab', 3],
  ])('that came early is answered although the client ends, with %j after it', async (rest, n) => {
    await start((connection) => setTimeout(() => answering(OK)(connection), 10));
    const client = await fixture.connect();
    client.send('GET / HTTP/1.1\r\nhost: a\r\n\r\n'.repeat(n) + rest);
    client.socket.end();
    await client.until(() => client.ended || client.closed);
    expect(client.received.match(/200 OK/g)).toHaveLength(n);
    await fixture.until(() => fixture.proxy.stats.clientCount === 0);
  });

  it('has its chunks framed anew, without extensions and dangerous trailers', async () => {
    await start((connection) => {
      if (connection.received.includes('0\r\n')) connection.write(OK);
    });
    const client = await fixture.connect();
    client.send(
      'POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: Chunked\r\n\r\n3;ext="x"\r\nabc\r\n',
    );
    await fixture.connect();
    client.send('2\r\nde\r\n0\r\nx-sum: 1\r\nhost: evil\r\ncontent-length: 5\r\n\r\n');
    await client.untilText('ok');
    const [lines, ...body] = fixture.receivedBy(0).split('\r\n\r\n');
    expect(lines).toContain('\r\ntransfer-encoding: chunked');
    expect(body.join('\r\n\r\n')).toBe('3\r\nabc\r\n2\r\nde\r\n0\r\nx-sum: 1\r\n\r\n');
  });

  it('with a length arrives whole, however large', async () => {
    const body = 'x'.repeat(3_000_000);
    await start((connection) => {
      if (connection.received.length > 3_000_000) connection.write(OK);
    });
    const client = await fixture.connect();
    client.send(`POST / HTTP/1.1\r\nhost: a\r\ncontent-length: ${body.length}\r\n\r\n${body}`);
    await client.untilText('ok');
    expect(fixture.receivedBy(0).split('\r\n\r\n')[1]).toBe(body);
  });

  it('that waits for 100 (Continue) gets it, and its final response', async () => {
    await start((connection) => {
      if (connection.received.endsWith('\r\n\r\n'))
        connection.write('HTTP/1.1 100 Continue\r\n\r\n');
      else if (connection.received.endsWith('body')) connection.write(OK);
    });
    const client = await fixture.connect();
    client.send('PUT / HTTP/1.1\r\nhost: a\r\nexpect: 100-continue\r\ncontent-length: 4\r\n\r\n');
    await client.untilText('100 Continue\r\n\r\n');
    client.send('body');
    await client.untilText('ok');
    expect(fixture.receivedBy(0)).toContain('expect: 100-continue');
  });
});

describe('a response', () => {
  const request = (version: string, method = 'GET'): string =>
    `${method} / HTTP/${version}\r\nhost: a\r\n\r\n`;

  const exchange = async (response: string, sent = request('1.1')): Promise<string> => {
    await start((connection) => {
      if (connection.received.endsWith('\r\n\r\n')) connection.write(response);
    });
    const client = await fixture.connect();
    client.send(sent);
    client.socket.end();
    await client.untilEnd();
    return client.received;
  };

  it('goes on without what is for this hop only', async () => {
    const received = await exchange(
      'HTTP/1.1 200 Fine\r\nX-A: 1\r\nConnection: x-drop\r\nX-Drop: 1\r\nKeep-Alive: 3\r\n' +
        'Set-Cookie: a\r\nSet-Cookie: b\r\nDate: now\r\nContent-Length: 2\r\n\r\nok',
    );
    expect(received).toBe(
      'HTTP/1.1 200 Fine\r\nX-A: 1\r\nSet-Cookie: a\r\nSet-Cookie: b\r\nDate: now\r\n' +
        'content-length: 2\r\n\r\nok',
    );
  });

  it('gets a date if it has none', async () => {
    expect(await exchange('HTTP/1.1 204 No\r\n\r\n')).toMatch(
      /^HTTP\/1\.1 204 No\r\ndate: \w{3}, \d\d \w{3} \d{4} [\d:]{8} GMT\r\n\r\n$/,
    );
  });

  it('in chunks stays so for HTTP/1.1', async () => {
    const chunks = '3;x\r\nabc\r\n0\r\nx-t: 1\r\n\r\n';
    const received = await exchange(
      `HTTP/1.1 200 OK\r\ndate: x\r\ntransfer-encoding: chunked\r\n\r\n${chunks}`,
    );
    expect(received).toBe(
      'HTTP/1.1 200 OK\r\ndate: x\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nx-t: 1\r\n\r\n',
    );
  });

  it('in chunks loses them for HTTP/1.0, and ends with the connection', async () => {
    const received = await exchange(
      'HTTP/1.1 200 OK\r\ndate: x\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n',
      request('1.0'),
    );
    expect(received).toBe('HTTP/1.1 200 OK\r\ndate: x\r\nconnection: close\r\n\r\nabc');
  });

  it('that ends with its connection gets chunks', async () => {
    await start((connection) => {
      connection.write('HTTP/1.0 200 OK\r\ndate: x\r\n\r\nabc');
      connection.socket.end();
    });
    const client = await fixture.connect();
    client.send(request('1.1'));
    await client.untilText('0\r\n\r\n');
    expect(client.received).toBe(
      'HTTP/1.1 200 OK\r\ndate: x\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n',
    );
    expect(client.ended).toBe(false);
  });

  it.each([
    ['to HEAD', '200 OK', 'HEAD', 'content-length: 7\r\n'],
    ['304', '304 Same', 'GET', 'content-length: 7\r\n'],
    ['204', '204 No', 'GET', ''],
  ])('%s has no body', async (_, status, method, line) => {
    const received = await exchange(
      `HTTP/1.1 ${status}\r\ndate: x\r\ncontent-length: 7\r\n\r\n`,
      request('1.1', method),
    );
    expect(received).toBe(`HTTP/1.1 ${status}\r\ndate: x\r\n${line}\r\n`);
  });

  it('may be preceded by informational ones, but not for HTTP/1.0', async () => {
    const hints = 'HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n';
    expect(await exchange(hints + OK)).toBe(hints + OK);
    await fixture.close();
    expect(await exchange(hints + OK, request('1.0'))).not.toContain('103');
  });

  it.each([
    ['a bare LF', 'HTTP/1.1 200 OK\nx: y\n\n'],
    ['two lengths', 'HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n'],
    [
      'a length beside chunks',
      'HTTP/1.1 200 OK\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n',
    ],
    ['an odd coding', 'HTTP/1.1 200 OK\r\ntransfer-encoding: gzip, chunked\r\n\r\n'],
    ['a head without end', `HTTP/1.1 200 OK\r\nx: ${'y'.repeat(20_000)}`],
    ['a 101 that nobody asked for', 'HTTP/1.1 101 Sw\r\nupgrade: x\r\n\r\n'],
    ['garbage', '\0\x01\x02\x03\r\n\r\n'],
  ])('with %s becomes 502', async (_, response) => {
    const received = await exchange(response, request('1.1', 'POST'));
    expect(received).toMatch(/^HTTP\/1\.1 502 /);
    expect(fixture.proxy.stats.counters.badResponseCount).toBe(1);
    expect(fixture.proxy.stats.upstreamCount).toBe(0);
  });

  it('that breaks off is cut off for the client, too', async () => {
    await start((connection) => {
      connection.write('HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nabc');
      setImmediate(() => connection.socket.resetAndDestroy());
    });
    const client = await fixture.connect();
    client.send(request('1.1'));
    await client.until(() => client.closed);
    expect(client.ended).toBe(false);
    expect(fixture.proxy.stats.counters.truncatedCount).toBe(1);
    expect(fixture.cluster.snapshot().totals.outcomes.reset).toBe(1);
  });

  it('followed by bytes that nobody asked for costs its connection, and nothing else', async () => {
    await start((connection) =>
      connection.write(`${OK}HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nevil`),
    );
    const client = await fixture.connect();
    client.send(request('1.1'));
    await client.untilText('ok');
    client.send(request('1.1'));
    await client.until(() => client.received.split('ok').length === 3);
    expect(client.received).not.toContain('evil');
    expect(fixture.origins[0]!.connections).toHaveLength(2);
  });
});
