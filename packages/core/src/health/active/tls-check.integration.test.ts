import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { HttpCheckOptions } from './http-config.ts';
import {
  eventually,
  httpBench,
  listenHttp,
  listenHttps,
  listenTcp,
  listenTls,
  tcpBench,
  type TestServer,
} from './test-support/check-bench.ts';
import { createSelfSigned } from './test-support/self-signed.ts';

const good = createSelfSigned({ names: ['users.internal'], ipv4: ['127.0.0.1'] });
const expired = createSelfSigned({ names: ['users.internal'], fromDays: -3, toDays: -2 });
const nameOnly = createSelfSigned({ names: ['users.internal'] });

let server: TestServer;
let expiredServer: TestServer;
let nameOnlyServer: TestServer;
let plainServer: TestServer;
let lastServername: unknown;

beforeAll(async () => {
  server = await listenHttps(good, (request, response) => {
    lastServername = (request.socket as unknown as { servername?: unknown }).servername;
    response.end('secure');
  });
  expiredServer = await listenHttps(expired, (_request, response) => void response.end());
  nameOnlyServer = await listenHttps(nameOnly, (_request, response) => void response.end());
  plainServer = await listenHttp((_request, response) => void response.end());
});

afterAll(async () => {
  await Promise.all(
    [server, expiredServer, nameOnlyServer, plainServer].map((each) => each.close()),
  );
});

describe('HTTPS check', () => {
  it.each<{
    name: string;
    tls: HttpCheckOptions['tls'];
    hostname?: string;
    passed: boolean;
    reason: string;
  }>([
    {
      name: 'does not trust a stranger',
      tls: true,
      passed: false,
      reason: 'TLS DEPTH_ZERO_SELF_SIGNED_CERT',
    },
    {
      name: 'trusts the authority given',
      tls: { ca: good.cert },
      passed: true,
      reason: 'HTTP 200',
    },
    {
      name: 'takes several authorities',
      tls: { ca: [expired.cert, good.cert] },
      passed: true,
      reason: 'HTTP 200',
    },
    {
      name: 'accepts anything where told',
      tls: { rejectUnauthorized: false },
      passed: true,
      reason: 'HTTP 200',
    },
    {
      name: 'looks for the name given',
      tls: { ca: good.cert, servername: 'users.internal' },
      passed: true,
      reason: 'HTTP 200',
    },
    {
      name: 'refuses another name',
      tls: { ca: good.cert, servername: 'orders.internal' },
      passed: false,
      reason: 'TLS ERR_TLS_CERT_ALTNAME_INVALID',
    },
    {
      name: "looks for the endpoint's host name",
      tls: { ca: good.cert },
      hostname: 'orders.internal',
      passed: false,
      reason: 'TLS ERR_TLS_CERT_ALTNAME_INVALID',
    },
  ])('$name', async ({ tls, hostname, passed, reason }) => {
    const result = await httpBench({ tls }).run(server.endpoint({ hostname }));
    expect(result).toEqual({ passed, reason });
  });

  it('sends the name in the handshake, but never an address', async () => {
    await httpBench({ tls: { ca: good.cert } }).run(
      server.endpoint({ hostname: 'users.internal' }),
    );
    expect(lastServername).toBe('users.internal');
    expect((await httpBench({ tls: { ca: good.cert } }).run(server.endpoint())).passed).toBe(true);
    expect(lastServername).toBe(false);
  });

  it('looks for the address itself when there is no name', async () => {
    const result = await httpBench({ tls: { ca: nameOnly.cert } }).run(nameOnlyServer.endpoint());
    expect(result).toEqual({ passed: false, reason: 'TLS ERR_TLS_CERT_ALTNAME_INVALID' });
  });

  it('sees that a certificate has expired', async () => {
    const result = await httpBench({ tls: { ca: expired.cert, servername: 'users.internal' } }).run(
      expiredServer.endpoint(),
    );
    expect(result).toEqual({ passed: false, reason: 'TLS CERT_HAS_EXPIRED' });
  });

  it('keeps its connection where asked', async () => {
    const before = server.acceptedCount;
    const bench = httpBench({ tls: { ca: good.cert }, reuseConnection: true });
    const check = bench.create(server.endpoint());
    for (let round = 0; round < 3; round++) {
      expect((await check.run(new AbortController().signal)).passed).toBe(true);
    }
    expect(server.acceptedCount - before).toBe(1);
    check.close();
    await server.idle();
    await eventually(() => bench.sockets.size).toBe(0);
  });

  it('fails against an endpoint that speaks plain HTTP', async () => {
    const result = await httpBench({ tls: true }).run(plainServer.endpoint());
    expect(result.passed).toBe(false);
    expect(result.reason).toMatch(/^TLS |^connection closed \(TLS handshake\)$/);
  });

  it('names the handshake when it hangs or breaks', async () => {
    const hanging = await listenTcp(() => undefined);
    const closing = await listenTcp((socket) => socket.once('data', () => socket.end()));
    try {
      expect(await httpBench({ tls: true, timeoutMs: 200 }).run(hanging.endpoint())).toEqual({
        passed: false,
        reason: 'timed out after 200 ms (TLS handshake)',
      });
      expect(await httpBench({ tls: true }).run(closing.endpoint())).toEqual({
        passed: false,
        reason: 'connection closed (TLS handshake)',
      });
      await Promise.all([hanging.idle(), closing.idle()]);
    } finally {
      await Promise.all([hanging.close(), closing.close()]);
    }
  });
});

describe('TLS check', () => {
  it('passes after a good handshake only', async () => {
    const tls = await listenTls(good, (socket) => {
      socket.on('error', () => undefined);
      socket.on('data', (data) => socket.write(`you said ${data.toString()}`));
    });
    try {
      const endpoint = tls.endpoint();
      expect(await tcpBench({ tls: { ca: good.cert } }).run(endpoint)).toEqual({
        passed: true,
        reason: 'connected',
      });
      expect(await tcpBench({ tls: true }).run(endpoint)).toEqual({
        passed: false,
        reason: 'TLS DEPTH_ZERO_SELF_SIGNED_CERT',
      });
      const talking = tcpBench({ tls: { ca: good.cert }, send: 'hello', expect: 'you said hello' });
      expect(await talking.run(endpoint)).toEqual({ passed: true, reason: 'expected answer' });
      await tls.idle();
    } finally {
      await tls.close();
    }
  });
});
