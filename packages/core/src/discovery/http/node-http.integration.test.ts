/** The network port against servers on loopback that behave as badly as they can. */
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { messageOf } from '../../error/evenkeel-error.ts';
import { createSelfSigned } from '../../health/active/test-support/self-signed.ts';
import { systemScheduler } from '../../runtime/scheduler.ts';
import { createManualRuntime } from '../../testing/manual-runtime.ts';
import { until } from '../test-support/recorder.ts';
import {
  completeConnection,
  type ConsulConnectionOptions,
} from '../consul/http/connection-config.ts';
import type { HttpAnswer, HttpRequest } from './http-port.ts';
import { NodeHttp } from './node-http.ts';

type Handler = (incoming: IncomingMessage, outgoing: ServerResponse) => void;

const cleanups: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

class Peer {
  readonly sockets = new Set<Socket>();
  readonly server: Server;

  constructor(server: Server) {
    this.server = server;
    server.on('connection', (socket) => {
      this.sockets.add(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => this.sockets.delete(socket));
    });
    server.on('tlsClientError', () => undefined);
    cleanups.push(async () => {
      for (const socket of this.sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    });
  }

  async listen(where: string | number = 0): Promise<this> {
    if (typeof where === 'string') this.server.listen(where);
    else this.server.listen(where, '127.0.0.1');
    await once(this.server, 'listening');
    return this;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }
}

const serve = (handler: Handler): Promise<Peer> => new Peer(createServer(handler)).listen();

function connect(options: ConsulConnectionOptions, scheduler = systemScheduler): NodeHttp {
  const http = new NodeHttp(completeConnection(options, 'consul', {}), scheduler);
  cleanups.push(() => Promise.resolve(http.close()));
  return http;
}

function send(http: NodeHttp, request: Partial<HttpRequest> = {}): Promise<HttpAnswer> {
  const { signal } = new AbortController();
  return http.send({
    method: 'GET',
    path: '/x',
    headers: {},
    timeoutMs: 5_000,
    signal,
    ...request,
  });
}

/** The message that a call fails with; listens at once, so that no rejection goes unheard. */
function failureOf(call: Promise<unknown>): Promise<string> {
  return call.then(
    () => 'no failure',
    (error: unknown) => messageOf(error),
  );
}

describe('NodeHttp', () => {
  it('sends a body and a query, and gives back status, headers and body', async () => {
    const peer = await serve((incoming, outgoing) => {
      let body = '';
      incoming.on('data', (chunk) => (body += String(chunk)));
      incoming.on('end', () => {
        outgoing.writeHead(207, { 'X-Said': `${incoming.method} ${incoming.url}` }).end(body);
      });
    });
    const http = connect({ address: `http://127.0.0.1:${peer.port}/below` });
    const answer = await send(http, { method: 'PUT', path: '/v1/a?b=c', body: 'grüße' });
    expect(answer.status).toBe(207);
    expect(answer.headers['x-said']).toBe('PUT /below/v1/a?b=c');
    expect(answer.body.toString()).toBe('grüße');
  });

  it('keeps one connection for calls that follow each other', async () => {
    const peer = await serve((_, outgoing) => outgoing.end('ok'));
    const http = connect({ address: `127.0.0.1:${peer.port}` });
    for (let call = 0; call < 5; call += 1) await send(http);
    expect(peer.sockets.size).toBe(1);
    http.close();
    await until(() => peer.sockets.size === 0);
    await expect(send(http)).rejects.toThrow('aborted');
  });

  it('repeats a call once when the kept connection turns out to be dead', async () => {
    let count = 0;
    const peer = await serve((incoming, outgoing) => {
      count += 1;
      if (count === 2) incoming.socket.resetAndDestroy();
      else outgoing.end(String(count));
    });
    const http = connect({ address: `127.0.0.1:${peer.port}` });
    await send(http);
    expect((await send(http)).body.toString()).toBe('3');
  });

  it('does not repeat a call on a new connection', async () => {
    let count = 0;
    const peer = await serve((incoming) => {
      count += 1;
      incoming.socket.resetAndDestroy();
    });
    await expect(send(connect({ address: `127.0.0.1:${peer.port}` }))).rejects.toThrow(
      /ECONNRESET|hang up/u,
    );
    expect(count).toBe(1);
  });

  it('notices an answer that is cut off within its body', async () => {
    const peer = await serve((_, outgoing) => {
      outgoing.writeHead(200, { 'content-length': '100' });
      outgoing.write('[', () => outgoing.destroy());
    });
    await expect(send(connect({ address: `127.0.0.1:${peer.port}` }))).rejects.toThrow(
      /cut off|aborted/u,
    );
  });

  it.each([
    { what: 'no answer', handler: () => undefined },
    {
      what: 'an answer that never ends',
      handler: (_: unknown, out: ServerResponse) => out.write('['),
    },
  ])('gives $what its time, by the clock of the runtime', async ({ handler }) => {
    const peer = await serve(handler as Handler);
    const { scheduler } = createManualRuntime();
    const http = connect({ address: `127.0.0.1:${peer.port}` }, scheduler);
    const sent = failureOf(send(http));
    await until(() => peer.sockets.size === 1);
    scheduler.advance(5_000);
    expect(await sent).toBe('no whole answer within 5000 ms');
    expect(scheduler.pendingCount).toBe(0);
    await until(() => peer.sockets.size === 0);
  });

  it('ends an aborted call, and leaves the one that follows alone', async () => {
    const peer = await serve((incoming, outgoing) => {
      if (incoming.url === '/next') outgoing.end('next');
    });
    const http = connect({ address: `127.0.0.1:${peer.port}` });
    const abort = new AbortController();
    const sent = failureOf(send(http, { signal: abort.signal }));
    await until(() => peer.sockets.size === 1);
    abort.abort();
    const next = send(http, { path: '/next' });
    expect(await sent).toBe('aborted');
    expect((await next).body.toString()).toBe('next');
  });

  it('speaks over a Unix socket', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'evenkeel-http-'));
    cleanups.push(() => rm(directory, { recursive: true, force: true }));
    const path = join(directory, 'consul.sock');
    await new Peer(createServer((_, outgoing) => outgoing.end('unix'))).listen(path);
    expect((await send(connect({ address: `unix://${path}` }))).body.toString()).toBe('unix');
  });

  describe('TLS', () => {
    const secure = async (names: readonly string[]) => {
      const directory = await mkdtemp(join(tmpdir(), 'evenkeel-http-'));
      cleanups.push(() => rm(directory, { recursive: true, force: true }));
      const own = createSelfSigned({ names });
      const peer = await new Peer(
        createSecureServer({ cert: own.cert, key: own.key }, (_, outgoing) => outgoing.end('tls')),
      ).listen();
      const caFile = join(directory, 'ca.pem');
      return { caFile, cert: own.cert, address: `https://127.0.0.1:${peer.port}` };
    };

    it('trusts only what it is told to, and reads the file again after a failure', async () => {
      const { caFile, cert, address } = await secure(['consul.test']);
      const http = connect({ address, tls: { caFile, servername: 'consul.test' } });
      await expect(send(http)).rejects.toThrow(/TLS file: ENOENT/u);
      await writeFile(caFile, createSelfSigned({ names: ['other.test'] }).cert);
      await expect(send(http)).rejects.toThrow(/self-signed certificate/u);
      await writeFile(caFile, cert);
      expect((await send(http)).body.toString()).toBe('tls');
    });

    it('looks for the name in the certificate', async () => {
      const { caFile, cert, address } = await secure(['consul.test']);
      await writeFile(caFile, cert);
      const http = connect({ address, tls: { caFile, servername: 'another.test' } });
      await expect(send(http)).rejects.toThrow(/does not match certificate/u);
    });

    it('accepts anything where that is asked for', async () => {
      const { address } = await secure(['consul.test']);
      const http = connect({ address, tls: { rejectUnauthorized: false } });
      expect((await send(http)).body.toString()).toBe('tls');
    });
  });
});
