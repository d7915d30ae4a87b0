/** TLS passed through by the name that the client asks for, with real TLS on both sides. */
import { once } from 'node:events';
import net, { type AddressInfo } from 'node:net';
import { Duplex } from 'node:stream';
import tls from 'node:tls';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createCluster } from '@evenkeel/core';
import type { TcpOptions } from '../index.ts';
import { openssl, TestAuthority } from '../tls/test-support/authority.ts';
import { helloMessage, records } from '../tls/test-support/client-hello-bytes.ts';
import { drainOf, patternAt, TcpFixture, tcpServer } from './test-support/tcp-fixture.ts';

describe.skipIf(openssl === undefined)('a listener that looks for the name', () => {
  let authority: TestAuthority;
  let fixture: TcpFixture;
  const servers: tls.Server[] = [];
  const closers: (() => Promise<void>)[] = [];

  beforeAll(async () => {
    authority = await TestAuthority.create();
  });
  afterAll(() => authority.dispose());
  afterEach(async () => {
    await fixture.close();
    for (const server of servers.splice(0)) server.close();
    for (const close of closers.splice(0)) await close();
  });

  /** A TLS server for a name, as a cluster of one. It says its name, then echoes. */
  async function secureCluster(
    name: string,
    cluster: string,
  ): Promise<ReturnType<typeof createCluster>> {
    const { pem } = await authority.issue({ names: [name] });
    const server = tls.createServer({ ...pem, allowHalfOpen: true }, (socket) => {
      socket.on('error', () => undefined);
      socket.write(`${cluster}:`);
      socket.pipe(socket);
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    servers.push(server);
    const made = createCluster({
      name: cluster,
      discovery: [`127.0.0.1:${(server.address() as AddressInfo).port}`],
    });
    await made.ready();
    closers.push(() => made.close());
    return made;
  }

  async function start(tcp: Partial<TcpOptions> = {}): Promise<void> {
    const clusters = [
      await secureCluster('a.example', 'a'),
      await secureCluster('*.b.example', 'b'),
    ];
    const plain = await tcpServer((socket) => {
      socket.write('plain:');
      socket.pipe(socket);
    });
    fixture = await TcpFixture.start([plain], {
      clusters,
      listeners: [
        {
          listen: '127.0.0.1:0',
          tcp: {
            sni: [
              { names: ['a.example'], cluster: 'a' },
              { names: ['*.b.example'], cluster: 'b' },
            ],
            ...tcp,
          },
        },
      ],
    });
  }

  /** What a client gets to hear that asks for a name and sends some bytes. */
  async function visit(servername: string, sent: string): Promise<string> {
    const socket = tls.connect({
      host: '127.0.0.1',
      port: fixture.port,
      servername,
      ca: authority.cert,
    });
    await once(socket, 'secureConnect');
    socket.end(sent);
    return (await drainOf(socket)).text;
  }

  it('brings each client to the endpoint with the certificate for it', async () => {
    await start();
    expect(await visit('a.example', 'one')).toBe('a:one');
    expect(await visit('x.b.example', 'two')).toBe('b:two');
    expect(await visit('A.example', 'three')).toBe('a:three');
    expect(fixture.counters).toMatchObject({ connectCount: 3, unroutedCount: 0 });
  });

  it('carries megabytes of TLS unchanged', async () => {
    await start();
    const bytes = patternAt(0, 4_000_000).toString('latin1');
    expect(await visit('a.example', bytes)).toBe(
      `a:${Buffer.from(bytes, 'utf8').toString('latin1')}`,
    );
  });

  it('understands a hello that comes byte by byte', async () => {
    await start();
    const slow = net.connect(fixture.port, '127.0.0.1');
    slow.setNoDelay(true);
    const socket = tls.connect({
      socket: new SlowStart(slow) as unknown as net.Socket,
      servername: 'a.example',
      ca: authority.cert,
    });
    await once(socket, 'secureConnect');
    socket.end('slow');
    expect((await drainOf(socket)).text).toBe('a:slow');
    slow.destroy();
  });

  it.each([
    ['an unknown name', 'c.example'],
    ['a name two labels below a wildcard', 'x.y.b.example'],
    ['the name above a wildcard', 'b.example'],
  ])('tells a client that asks for %s that there is no such name', async (_, name) => {
    await start();
    await expect(visit(name, 'x')).rejects.toMatchObject({
      code: expect.stringMatching(/UNRECOGNIZED_NAME/),
    });
    expect(fixture.counters).toMatchObject({ unroutedCount: 1, connectCount: 0 });
  });

  it('sends what is no TLS to the default cluster, at its first byte', async () => {
    await start({ cluster: 'origin' });
    const client = await fixture.connect();
    client.write('G');
    expect(String((await once(client, 'data'))[0])).toContain('plain:');
    client.end('ET /');
    expect((await drainOf(client)).text).toContain('ET /');
  });

  it('closes what is no TLS where there is no default', async () => {
    await start();
    const client = await fixture.connect();
    client.write('GET / HTTP/1.1\r\n');
    expect((await drainOf(client)).code).toBe('ECONNRESET');
    expect(fixture.counters.unroutedCount).toBe(1);
  });

  it('sends a hello with an unknown name or none to the default cluster, as it came', async () => {
    await start({ cluster: 'origin' });
    for (const name of ['c.example', undefined]) {
      const bytes = records(helloMessage({ name }), [10, 20]);
      const client = await fixture.connect();
      client.end(bytes);
      expect((await drainOf(client)).text).toBe(`plain:${bytes.toString('latin1')}`);
    }
  });

  it('closes a broken hello even where there is a default', async () => {
    await start({ cluster: 'origin' });
    const client = await fixture.connect();
    client.write(Buffer.from([22, 3, 1, 0, 0]));
    expect((await drainOf(client)).code).toBe('ECONNRESET');
    expect(fixture.counters).toMatchObject({ malformedHelloCount: 1, connectCount: 0 });
  });

  it('waits for a hello only so long, and not for one that is cut short', async () => {
    await start({ cluster: 'origin', helloTimeoutMs: 50 });
    const slow = await fixture.connect();
    slow.write(records(helloMessage({ name: 'a.example' })).subarray(0, 40));
    expect((await drainOf(slow)).code).toBe('ECONNRESET');
    expect(fixture.counters.helloTimeoutCount).toBe(1);
    const short = await fixture.connect();
    short.end(Buffer.from([22, 3]));
    await drainOf(short);
    expect(fixture.counters).toMatchObject({ unroutedCount: 1, connectCount: 0 });
  });
});

/** Hands the first kilobyte to its socket one byte at a time, one write each. */
class SlowStart extends Duplex {
  readonly #socket: net.Socket;
  #count = 0;

  constructor(socket: net.Socket) {
    super({ allowHalfOpen: true });
    this.#socket = socket;
    socket.on('data', (bytes: Buffer) => this.push(bytes));
    socket.on('end', () => this.push(null));
    socket.on('error', () => undefined);
  }

  override _read(): void {}

  override _write(bytes: Buffer, _: BufferEncoding, done: () => void): void {
    const next = (at: number): void => {
      if (at >= bytes.length) return done();
      const size = this.#count++ < 1_024 ? 1 : bytes.length - at;
      this.#socket.write(bytes.subarray(at, at + size), () => setImmediate(next, at + size));
    };
    next(0);
  }

  override _final(done: () => void): void {
    this.#socket.end(done);
  }
}
