/** Who a client is said to be, over real sockets. */
import net from 'node:net';
import { once } from 'node:events';
import tls from 'node:tls';
import { afterEach, describe, expect, it } from 'vitest';
import type { ListenerOptions, ProxyOptions } from '../index.ts';
import { ProxyFixture } from '../engine/test-support/proxy-fixture.ts';
import { answering, OK } from '../engine/test-support/scripted-origin.ts';
import { IPV4, version2Header } from '../proxy-protocol/test-support/version2-header.ts';
import { openssl, TestAuthority } from '../tls/test-support/authority.ts';

const VERSION_1 = 'PROXY TCP4 192.0.2.1 198.51.100.7 56324 443\r\n';
const VERSION_2 = version2Header({ following: IPV4 }).toString('latin1');
const GET = 'GET / HTTP/1.1\r\nhost: a\r\nx-forwarded-for: 6.6.6.6\r\n\r\n';

let fixture: ProxyFixture;
/** All that origins have got, in order. */
let seen = '';
afterEach(() => fixture.close());

const start = async (
  listener: Partial<ListenerOptions> = {},
  proxy: Partial<ProxyOptions> = {},
): Promise<void> => {
  seen = '';
  fixture = await ProxyFixture.start(
    (connection) => {
      seen += connection.received;
      answering(OK)(connection);
    },
    {
      proxy: {
        listeners: [
          {
            listen: '127.0.0.1:0',
            proxyProtocol: 'required',
            ...listener,
            http: { routes: [{ cluster: 'origin' }] },
          },
        ],
        trustedProxies: ['127.0.0.1'],
        ...proxy,
      },
    },
  );
};

describe('a listener that asks for the PROXY protocol', () => {
  it.each([
    ['version 1', VERSION_1, '192.0.2.1'],
    ['version 2', VERSION_2, '192.0.2.1'],
    ['nobody in particular', 'PROXY UNKNOWN\r\n', '6.6.6.6, 127.0.0.1'],
  ])('takes the client of %s for the client', async (_, header, expected) => {
    await start();
    const client = await fixture.connect();
    client.send(header + GET);
    await client.untilText('ok');
    expect(seen).toContain(`x-forwarded-for: ${expected}\r\n`);
    // The connection goes on as any other.
    client.send(GET);
    await client.until(() => client.received.split('200 OK').length === 3);
  });

  it.each([VERSION_1, VERSION_2])('may get it byte by byte', async (header) => {
    await start();
    const client = await fixture.connect();
    for (const byte of header + GET) {
      client.send(byte);
      await new Promise((resolve) => setImmediate(resolve));
    }
    await client.untilText('ok');
    expect(seen).toContain('x-forwarded-for: 192.0.2.1\r\n');
  });

  it.each([
    ['without one', GET],
    ['with a broken one', 'PROXY TCP4 1.2.3 4.5.6.7 1 2\r\n'],
  ])('closes a connection %s', async (_, text) => {
    await start();
    const client = await fixture.connect();
    client.send(text);
    await client.untilEnd();
    expect(client.received).toBe('');
    expect(seen).toBe('');
    expect(fixture.proxy.stats.counters.handshakeErrorCount).toBe(1);
  });

  it('does not listen to those whom it does not trust', async () => {
    await start({}, { trustedProxies: ['192.0.2.7'] });
    const client = await fixture.connect();
    client.send(VERSION_1 + GET);
    await client.untilEnd();
    expect(seen).toBe('');
  });

  it('does not wait for ever, nor for those who leave', async () => {
    await start({}, { timeouts: { handshakeMs: 150 } });
    const slow = await fixture.connect();
    slow.send('PROXY TC');
    const leaving = await fixture.connect();
    leaving.socket.end('PROXY TC');
    await slow.untilEnd();
    await leaving.untilEnd();
    expect(fixture.proxy.stats.counters).toMatchObject({
      handshakeErrorCount: 2,
      handshakeTimeoutCount: 1,
    });
    expect(fixture.proxy.stats.clientCount).toBe(0);
  });

  it('has nothing left after it was closed', async () => {
    await start();
    const waiting = await fixture.connect();
    await fixture.until(() => fixture.proxy.stats.counters.acceptedCount === 1);
    await fixture.proxy.close();
    await waiting.untilEnd();
  });

  it('is refused where nobody is trusted', async () => {
    await start();
    const http = { routes: [{ cluster: 'origin' }] };
    const { createProxy } = await import('../index.ts');
    await expect(
      createProxy({
        clusters: [fixture.cluster],
        listeners: [{ listen: '127.0.0.1:0', proxyProtocol: 'required', http }],
      }),
    ).rejects.toMatchObject({ issues: [{ path: 'createProxy.listeners[0].proxyProtocol' }] });
  });

  it.skipIf(openssl === undefined)('finds TLS after it, also in the same packet', async () => {
    const authority = await TestAuthority.create();
    const { pem } = await authority.issue({ names: ['a.example'] });
    await start({ tls: { certificates: [pem] } });
    for (const isTogether of [true, false]) {
      const socket = net.connect(fixture.port, '127.0.0.1');
      await once(socket, 'connect');
      if (isTogether) socket.cork();
      socket.write(Buffer.from(VERSION_2, 'latin1'));
      if (!isTogether) await fixture.until(() => fixture.proxy.stats.counters.acceptedCount === 2);
      const secure = tls.connect({ socket, ca: authority.cert, servername: 'a.example' });
      if (isTogether) setImmediate(() => socket.uncork());
      await once(secure, 'secureConnect');
      secure.write(GET);
      const [bytes] = (await once(secure, 'data')) as [Buffer];
      expect(bytes.toString()).toContain('200 OK');
      secure.destroy();
    }
    expect(seen.split('x-forwarded-for: 192.0.2.1\r\nx-forwarded-proto: https\r\n')).toHaveLength(
      3,
    );
    await authority.dispose();
  });
});
