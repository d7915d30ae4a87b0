/** Answers without an end, from servers on loopback that behave as badly as they can. */
import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { messageOf } from '../../error/evenkeel-error.ts';
import { type Scheduler, systemScheduler } from '../../runtime/scheduler.ts';
import { createManualRuntime } from '../../testing/manual-runtime.ts';
import { until } from '../test-support/recorder.ts';
import type { HttpStream, StreamListener } from './http-port.ts';
import { NodeHttp } from './node-http.ts';

class Listener implements StreamListener {
  status: number | undefined;
  text = '';
  readonly ends: string[] = [];

  onHead(status: number): void {
    this.status = status;
  }

  onData(chunk: Buffer): void {
    expect(this.status).toBeDefined();
    this.text += chunk.toString('utf8');
  }

  onEnd(problem: string): void {
    this.ends.push(problem);
  }
}

describe('NodeHttp.open', () => {
  const cleanups: (() => Promise<unknown>)[] = [];
  afterEach(async () => {
    for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
  });

  async function serve(
    handler: RequestListener,
    scheduler: Scheduler = systemScheduler,
  ): Promise<{ server: Server; http: NodeHttp }> {
    const server = createServer(handler).listen(0, '127.0.0.1');
    await once(server, 'listening');
    cleanups.push(async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    });
    const { port } = server.address() as AddressInfo;
    const target = { kind: 'tcp', secure: false, host: '127.0.0.1', port, prefix: '' } as const;
    const http = new NodeHttp({ target, tls: {} }, scheduler);
    cleanups.push(() => Promise.resolve(http.close()));
    return { server, http };
  }
  const open = (
    http: NodeHttp,
    listener: StreamListener,
    { timeoutMs = 5_000, signal = new AbortController().signal } = {},
  ): Promise<HttpStream> => {
    const request = {
      method: 'POST',
      path: '/',
      headers: {},
      body: 'x',
      timeoutMs,
      signal,
    } as const;
    return http.open(request, listener);
  };
  const connectionCount = (server: Server): Promise<number> =>
    new Promise((resolve) => server.getConnections((_, count) => resolve(count)));

  it('hands on what comes, as it comes, and then the end', async () => {
    const listener = new Listener();
    let finish = (): void => undefined;
    const { http } = await serve((_, answer) => {
      answer.write('one');
      finish = () => answer.end('two');
    });
    await open(http, listener);
    await until(() => listener.text === 'one');
    expect(listener.ends).toEqual([]);
    finish();
    await until(() => listener.ends.length === 1);
    expect(listener).toMatchObject({ status: 200, text: 'onetwo', ends: ['the stream has ended'] });
  });

  it('tells the status before anything else, also of an answer that is over at once', async () => {
    const listener = new Listener();
    const { http } = await serve((_, answer) => answer.writeHead(503).end('no leader'));
    await open(http, listener);
    await until(() => listener.ends.length === 1);
    expect(listener).toMatchObject({ status: 503, text: 'no leader' });
  });

  it('says when a connection breaks off', async () => {
    const listener = new Listener();
    const { http, server } = await serve((_, answer) => void answer.write('one'));
    await open(http, listener);
    await until(() => listener.text === 'one');
    server.closeAllConnections();
    await until(() => listener.ends.length === 1);
    expect(listener.ends[0]).toMatch(/aborted|cut off|ECONNRESET/u);
  });

  it('waits for a head no longer than it may, and for the rest for ever', async () => {
    const { scheduler } = createManualRuntime();
    const listener = new Listener();
    const quiet = await serve((_, answer) => answer.flushHeaders(), scheduler);
    const stream = await open(quiet.http, listener);
    await scheduler.advanceAsync(3_600_000);
    expect(listener.ends).toEqual([]);
    stream.close();
    let isAsked = false;
    const silent = await serve(() => void (isAsked = true), scheduler);
    const failure = open(silent.http, new Listener()).then(() => 'no failure', messageOf);
    await until(() => isAsked);
    await scheduler.advanceAsync(5_000);
    expect(await failure).toBe('no answer within 5000 ms');
  });

  it.each(['close', 'abort'] as const)(
    'is silent after %s, and cuts the connection',
    async (how) => {
      const listener = new Listener();
      const abort = new AbortController();
      const { http, server } = await serve((_, answer) => void answer.write('one'));
      const stream = await open(http, listener, { signal: abort.signal });
      await until(() => listener.text === 'one');
      if (how === 'close') stream.close();
      else abort.abort();
      let count = 1;
      await until(() => {
        void connectionCount(server).then((now) => (count = now));
        return count === 0;
      });
      expect(listener.ends).toEqual([]);
    },
  );

  it('says that nobody listens', async () => {
    const { http, server } = await serve(() => undefined);
    server.close();
    const failure = await open(http, new Listener()).then(() => 'no failure', messageOf);
    expect(failure).toMatch(/ECONNREFUSED/u);
    cleanups.splice(0, 1);
  });
});
