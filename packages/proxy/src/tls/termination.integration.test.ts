/** TLS at a listener, over real sockets. */
import { X509Certificate } from 'node:crypto';
import { copyFile, writeFile } from 'node:fs/promises';
import net from 'node:net';
import { once } from 'node:events';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { ProxyOptions, TlsOptions } from '../index.ts';
import { ProxyFixture } from '../engine/test-support/proxy-fixture.ts';
import { answering, OK, type OriginConnection } from '../engine/test-support/scripted-origin.ts';
import { type IssuedCertificate, openssl, TestAuthority } from './test-support/authority.ts';
import { connectSecure, visit } from './test-support/secure-client.ts';

const fingerprintOf = ({ pem }: IssuedCertificate): string =>
  new X509Certificate(pem.cert).fingerprint256;

describe.skipIf(openssl === undefined)('a listener with TLS', () => {
  let authority: TestAuthority;
  let first: IssuedCertificate;
  let other: IssuedCertificate;
  let wild: IssuedCertificate;
  let fixture: ProxyFixture | undefined;

  beforeAll(async () => {
    authority = await TestAuthority.create();
    first = await authority.issue({ names: ['a.example', '127.0.0.1'] });
    other = await authority.issue({ names: ['b.example', 'c.example'] });
    wild = await authority.issue({ names: ['*.wild.example'] });
  });
  afterEach(async () => {
    await fixture?.close();
    fixture = undefined;
  });
  afterAll(() => authority.dispose());

  const start = async (
    tls: TlsOptions,
    proxy: Partial<ProxyOptions> = {},
    onData: (connection: OriginConnection) => void = answering(OK),
  ): Promise<ProxyFixture> => {
    fixture = await ProxyFixture.start(onData, {
      proxy: {
        listeners: [{ listen: '127.0.0.1:0', tls, http: { routes: [{ cluster: 'origin' }] } }],
        ...proxy,
      },
    });
    return fixture;
  };
  const trusting = (servername = 'a.example'): { ca: string; servername: string } => ({
    ca: authority.cert,
    servername,
  });

  it('passes requests on, and tells that they came by https', async () => {
    let seen = '';
    const { port, proxy } = await start({ certificates: [first.pem] }, {}, (connection) => {
      seen = connection.received;
      answering(OK)(connection);
    });
    const { response, alpn, failure } = await visit(port, {
      ...trusting(),
      ALPNProtocols: ['http/1.1'],
    });
    expect(failure).toBeUndefined();
    expect(response).toMatch(/^HTTP\/1\.1 200 OK\r\n[\s\S]*ok$/);
    expect(alpn).toBe('http/1.1');
    expect(seen).toContain('x-forwarded-proto: https\r\n');
    expect(seen).toContain('x-forwarded-for: 127.0.0.1\r\n');
    expect(proxy.stats.counters).toMatchObject({ handshakeCount: 1, handshakeErrorCount: 0 });
  });

  it('takes many requests and large bodies on a connection', async () => {
    const body = Buffer.alloc(3_000_000, 'abcdefghijk').toString('latin1');
    const { port } = await start(
      { certificates: [first.pem] },
      {},
      answering(`HTTP/1.1 200 OK\r\ncontent-length: ${body.length}\r\n\r\n${body}`),
    );
    const socket = await connectSecure(port, trusting());
    let received = '';
    socket.on('data', (bytes: Buffer) => {
      received += bytes.toString('latin1');
    });
    socket.write('GET / HTTP/1.1\r\nhost: a\r\n\r\n'.repeat(3));
    await fixture!.until(() => received.split(body).length === 4);
    // What the client asked for before it stops sending is answered, then both sides end.
    socket.end('GET / HTTP/1.1\r\nhost: a\r\n\r\n');
    await once(socket, 'close');
    expect(received.split(body)).toHaveLength(5);
  });

  it.each([
    ['a.example', 'first'],
    ['B.Example', 'other'],
    ['c.example', 'other'],
    ['x.wild.example', 'wild'],
    ['wild.example', 'first'],
    ['x.y.wild.example', 'first'],
    ['unknown.example', 'first'],
  ])('shows %s the right certificate', async (servername, expected) => {
    const { port } = await start({ certificates: [first.pem, other.pem, wild.pem] });
    const { fingerprint } = await visit(port, { servername, rejectUnauthorized: false });
    expect(fingerprint).toBe(fingerprintOf({ first, other, wild }[expected] as IssuedCertificate));
  });

  it('does not offer what is older than TLS 1.2, nor another protocol', async () => {
    const { port, proxy } = await start({ certificates: [first.pem], minVersion: 'TLSv1.3' });
    const old = await visit(port, { ...trusting(), maxVersion: 'TLSv1.2' });
    expect(old.failure).toBe('ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION');
    const other = await visit(port, { ...trusting(), ALPNProtocols: ['spdy/3'] });
    expect(other.failure).toBe('ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL');
    await fixture!.until(() => proxy.stats.counters.handshakeErrorCount === 2);
    expect((await visit(port, trusting())).response).toContain('200 OK');
  });

  it('closes on those who do not speak TLS, leave early or stay silent, and goes on', async () => {
    const { port, proxy } = await start(
      { certificates: [first.pem] },
      { timeouts: { handshakeMs: 200 } },
    );
    const plain = net.connect(port, '127.0.0.1');
    plain.resume().write('GET / HTTP/1.1\r\nhost: a\r\n\r\n');
    await closed(plain);
    const leaving = net.connect(port, '127.0.0.1');
    await once(leaving, 'connect');
    leaving.destroy();
    await fixture!.until(() => proxy.stats.counters.handshakeErrorCount === 2);
    expect(proxy.stats.counters.handshakeTimeoutCount).toBe(0);
    await closed(net.connect(port, '127.0.0.1').resume());
    // The first bytes of a ClientHello, now and then one more: the limit is for the whole.
    const slow = net.connect(port, '127.0.0.1');
    slow.write(Buffer.from([0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3]));
    const drip = setInterval(() => slow.write(Buffer.of(7)), 20);
    await closed(slow.resume());
    clearInterval(drip);
    expect(proxy.stats.counters.handshakeTimeoutCount).toBe(2);
    expect(proxy.stats.counters.handshakeErrorCount).toBe(4);
    expect((await visit(port, trusting())).response).toContain('200 OK');
  });

  it('cuts a response off with RST, so that nobody takes a part for the whole', async () => {
    const { port } = await start({ certificates: [first.pem] }, {}, (connection) => {
      connection.write('HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nabc');
      setImmediate(() => connection.socket.destroy());
    });
    const { response, failure } = await visit(port, trusting());
    expect(response.endsWith('abc')).toBe(true);
    expect(failure).toBe('ECONNRESET');
  });

  it('ends handshakes under way when the proxy closes', async () => {
    const { port, proxy } = await start({ certificates: [first.pem] });
    const silent = net.connect(port, '127.0.0.1');
    await once(silent, 'connect');
    await fixture!.until(() => proxy.stats.counters.acceptedCount === 1);
    const gone = closed(silent.resume());
    await proxy.close({ drainTimeoutMs: 60_000 });
    await gone;
  });

  it('accepts no more than it may, however many there have been', async () => {
    const { port, proxy } = await start(
      { certificates: [first.pem] },
      { limits: { maxClients: 2 } },
    );
    for (let round = 0; round < 3; round++) {
      const sockets = [
        await connectSecure(port, trusting()),
        await connectSecure(port, trusting()),
      ];
      expect((await visit(port, trusting())).response).toBe('');
      for (const socket of sockets) socket.destroy();
      await fixture!.until(() => proxy.stats.clientCount === 0);
    }
    expect(proxy.stats.counters.refusedCount).toBe(3);
  });

  /** The end of a connection, whether it comes by FIN or by RST: which of them is a matter of timing. */
  function closed(socket: net.Socket): Promise<void> {
    socket.on('error', () => undefined);
    return new Promise((resolve) => {
      socket.once('close', () => resolve());
    });
  }

  describe('that asks clients for certificates', () => {
    let stranger: TestAuthority;
    beforeAll(async () => {
      stranger = await TestAuthority.create('Stranger');
    });
    afterAll(() => stranger.dispose());

    it.each([
      ['required', 'none', false],
      ['required', 'good', true],
      ['required', 'strange', false],
      ['optional', 'none', true],
      ['optional', 'good', true],
      ['optional', 'strange', false],
    ] as const)('%s: %s', async (requestClientCertificate, shown, isServed) => {
      const { port, proxy } = await start({
        certificates: [first.pem],
        clientCa: authority.cert,
        requestClientCertificate,
      });
      const from = shown === 'good' ? authority : stranger;
      const own = shown === 'none' ? undefined : await from.issue({ names: ['client'] });
      const { response } = await visit(port, {
        ...trusting(),
        ...(own !== undefined && own.pem),
      });
      expect(response.includes('200 OK')).toBe(isServed);
      expect(proxy.stats.counters.handshakeErrorCount).toBe(isServed ? 0 : 1);
    });

    it('lets nobody resume a session of those whom it trusted once', async () => {
      const ca = `${authority.folder}/ca.pem`;
      await writeFile(ca, authority.cert);
      const { port, proxy } = await start({
        certificates: [first.pem],
        clientCaFile: ca,
        requestClientCertificate: 'optional',
      });
      const own = await authority.issue({ names: ['client'] });
      const options = { ...trusting(), ...own.pem };
      const { session } = await visit(port, options);
      expect((await visit(port, { ...options, ...(session && { session }) })).resumed).toBe(true);
      await writeFile(ca, stranger.cert);
      await proxy.reloadCertificates();
      const later = await visit(port, { ...options, ...(session && { session }) });
      expect(later.resumed).toBe(false);
      expect(later.response).toBe('');
    });
  });

  describe('whose certificates change', () => {
    it('shows the new one to new connections, and keeps connections and sessions', async () => {
      const certFile = `${authority.folder}/live.cert.pem`;
      const keyFile = `${authority.folder}/live.key.pem`;
      const put = async (from: IssuedCertificate): Promise<void> => {
        await copyFile(from.files.certFile, certFile);
        await copyFile(from.files.keyFile, keyFile);
      };
      await put(first);
      const { port, proxy } = await start({ certificates: [{ certFile, keyFile }] });
      const before = await visit(port, trusting());
      expect(before.fingerprint).toBe(fingerprintOf(first));
      const running = await connectSecure(port, trusting());
      const second = await authority.issue({ names: ['a.example'] });
      await put(second);
      await proxy.reloadCertificates();
      expect(proxy.certificates).toMatchObject([
        { listener: 0, names: ['a.example'], fingerprint: fingerprintOf(second) },
      ]);
      expect((await visit(port, trusting())).fingerprint).toBe(fingerprintOf(second));
      const { session } = before;
      const resumed = await visit(port, { ...trusting(), ...(session && { session }) });
      expect(resumed).toMatchObject({ resumed: true, failure: undefined });
      expect(proxy.stats.counters.resumedHandshakeCount).toBe(1);
      running.write('GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n');
      const [bytes] = (await once(running, 'data')) as [Buffer];
      expect(bytes.toString()).toContain('200 OK');
      running.destroy();
    });

    it('goes on with what it has when anything is wrong with the new ones', async () => {
      const { port, proxy } = await start({ certificates: [first.pem] });
      const { cert } = other.pem;
      await expect(
        proxy.reloadCertificates([
          { listener: 0, certificates: [wild.pem, { cert, key: wild.pem.key }] },
        ]),
      ).rejects.toMatchObject({
        issues: [
          { path: 'createProxy.listeners[0].tls.certificates[1].key', actual: 'another key' },
        ],
      });
      await expect(
        proxy.reloadCertificates([{ listener: 1, certificates: [wild.pem] }]),
      ).rejects.toMatchObject({ issues: [{ path: 'reloadCertificates[0].listener' }] });
      expect((await visit(port, trusting())).fingerprint).toBe(fingerprintOf(first));
      await proxy.reloadCertificates([{ listener: 0, certificates: [other.pem] }]);
      const { fingerprint } = await visit(port, trusting('b.example'));
      expect(fingerprint).toBe(fingerprintOf(other));
    });
  });
});
