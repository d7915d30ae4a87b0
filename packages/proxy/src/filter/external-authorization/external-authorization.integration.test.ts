/** A real service that decides; and one that hangs, breaks off, or is not there. */
import { type Cluster, createCluster } from '@evenkeel/core';
import { createManualRuntime, type ManualRuntime } from '@evenkeel/core/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Filter, FilterAnswer } from '../filter.ts';
import { Authorizer } from '../test-support/authorizer.ts';
import { fakeRequest } from '../test-support/fake-request.ts';
import { faultOf, makeFilter } from '../test-support/make-filter.ts';
import type { ExternalAuthorizationOptions } from './schema.ts';

let service: Authorizer;
let runtime: ManualRuntime;
const open: { close(): unknown }[] = [];
beforeEach(async () => {
  service = await Authorizer.start();
  runtime = createManualRuntime();
});
afterEach(async () => {
  for (const one of open.splice(0).toReversed()) await one.close();
  await service.close();
});

async function filterWith(options: ExternalAuthorizationOptions, clusters: Cluster[] = []) {
  const filter = await makeFilter({ externalAuthorization: options }, { runtime, clusters });
  open.push({ close: () => filter.close?.() });
  return filter;
}

async function ask(filter: Filter, head = 'GET / HTTP/1.1\nhost: a.example') {
  const request = fakeRequest(head, { clientAddress: '10.0.0.7', id: 'r-1' });
  const answer = (await filter.onRequest?.(request)) as FilterAnswer | undefined;
  return { answer, request };
}

const FAILURE = { status: 503, reason: 'authorization-failed' };

describe('externalAuthorization', () => {
  it('asks with what the service needs to know, and nothing that the client made up', async () => {
    const filter = await filterWith({
      url: service.url,
      forwardHeaders: ['Authorization', 'x-forwarded-for'],
    });
    const { answer } = await ask(
      filter,
      'DELETE /a/b?c=d HTTP/1.1\nhost: a.example\nauthorization: Bearer t\ncookie: s=1\nx-forwarded-for: 1.2.3.4',
    );
    expect(answer).toBeUndefined();
    const [asked] = service.asked;
    expect([asked?.method, asked?.url]).toEqual(['GET', '/check?by=proxy']);
    expect(asked?.headers).toMatchObject({
      authorization: 'Bearer t',
      'x-forwarded-method': 'DELETE',
      'x-forwarded-proto': 'https',
      'x-forwarded-host': 'a.example',
      'x-forwarded-uri': '/a/b?c=d',
      'x-forwarded-for': '10.0.0.7',
      'x-request-id': 'r-1',
    });
    expect(asked?.headers).not.toHaveProperty('cookie');
  });

  it('copies what the answer says about the request, in place of what the client wrote', async () => {
    const filter = await filterWith({
      url: service.url,
      copyToRequest: ['x-user', 'x-team'],
      copyToResponse: ['set-cookie'],
    });
    service.answer = (_, response) => {
      response.setHeader('x-user', 'jo');
      response.setHeader('set-cookie', ['a=1', 'b=2']);
      response.end();
    };
    const { request } = await ask(filter, 'GET / HTTP/1.1\nx-user: admin\nx-team: root');
    expect(request.headers.lines).toEqual([['x-user', 'jo']]);
    expect(request.responseHeaders.lines).toEqual([
      ['set-cookie', 'a=1'],
      ['set-cookie', 'b=2'],
    ]);
  });

  it('passes on an answer that does not let in', async () => {
    const filter = await filterWith({ url: service.url });
    service.answer = (_, response) => {
      response.setHeader('location', 'https://login.example/');
      response.setHeader('set-cookie', ['a=1', 'b=2']);
      response.writeHead(302).end('go and log in');
    };
    const { answer, request } = await ask(filter);
    expect(answer).toEqual({
      status: 302,
      headers: { location: 'https://login.example/' },
      body: Buffer.from('go and log in'),
      reason: 'unauthorized',
    });
    expect(request.responseHeaders.lines).toHaveLength(2);
  });

  it('asks endpoints of a cluster', async () => {
    const cluster = createCluster({ name: 'auth', discovery: [`127.0.0.1:${service.port}`] });
    open.push(cluster);
    await cluster.ready();
    const filter = await filterWith({ cluster: 'auth', path: '/verify' }, [cluster]);
    service.answer = (request, response) =>
      void response.writeHead(request.url === '/verify' ? 403 : 200).end();
    expect((await ask(filter)).answer?.status).toBe(403);
    expect(service.asked[0]?.headers.host).toBe('auth');
  });

  it.each<[string, Authorizer['answer']]>([
    ['is in trouble', (_, response) => void response.writeHead(500).end()],
    ['breaks off', (_, response) => response.socket?.resetAndDestroy()],
    [
      'breaks off within its answer',
      (_, response) => {
        response.writeHead(200, { 'content-length': '100' });
        response.write('x');
        setImmediate(() => response.socket?.destroy());
      },
    ],
    ['says too much', (_, response) => void response.writeHead(403).end(Buffer.alloc(100_000))],
    ['speaks no HTTP', (_, response) => void response.socket?.end('hello\r\n\r\n')],
  ])('refuses, or lets in, as it is told when the service %s', async (_, answer) => {
    service.answer = answer;
    expect((await ask(await filterWith({ url: service.url }))).answer).toEqual(FAILURE);
    const lenient = await filterWith({
      url: service.url,
      onFailure: 'open',
      copyToRequest: ['x-user'],
    });
    const { answer: open, request } = await ask(lenient, 'GET / HTTP/1.1\nx-user: admin');
    expect(open).toBeUndefined();
    expect(request.headers.get('x-user')).toBeUndefined();
    expect(lenient.status?.()).toEqual({ runningCount: 0, failureCount: 1 });
  });

  it('does not wait for longer than it may', async () => {
    service.answer = () => undefined;
    const filter = await filterWith({ url: service.url, timeoutMs: 700 });
    const asking = ask(filter);
    await expect.poll(() => service.asked.length).toBe(1);
    expect(filter.status?.()['runningCount']).toBe(1);
    runtime.scheduler.advance(700);
    expect((await asking).answer).toEqual(FAILURE);
    expect(runtime.scheduler.pendingCount).toBe(0);
  });

  it('gives up when nobody waits any more', async () => {
    service.answer = () => undefined;
    const filter = await filterWith({ url: service.url });
    const request = fakeRequest();
    const asking = filter.onRequest?.(request);
    await expect.poll(() => service.asked.length).toBe(1);
    request.abort();
    await asking;
    expect(filter.status?.()['runningCount']).toBe(0);
    expect(runtime.scheduler.pendingCount).toBe(0);
  });

  it('asks a bounded number of questions at a time', async () => {
    service.answer = () => undefined;
    const filter = await filterWith({ url: service.url, maxConcurrent: 2 });
    const asked = [1, 2, 3].map(() => ask(filter));
    expect((await asked[2])?.answer).toEqual(FAILURE);
    await expect.poll(() => service.asked.length).toBe(2);
    runtime.scheduler.advance(1_000);
    await Promise.all(asked);
  });

  it('refuses when nobody listens there', async () => {
    const away = await Authorizer.start();
    const { url } = away;
    await away.close();
    expect((await ask(await filterWith({ url }))).answer).toEqual(FAILURE);
  });

  it.each([
    [{}, 'either cluster or url'],
    [{ cluster: 'a', url: 'http://b/' }, 'either cluster or url'],
    [{ url: 'ftp://a/' }, 'externalAuthorization.url: expected a URL of http or https'],
    [{ url: 'http://a/', copyToRequest: ['Content-Length'] }, 'copyToRequest[0]'],
    [{ url: 'http://a/', forwardHeaders: ['Host'] }, 'forwardHeaders[0]'],
    [{ cluster: 'nobody' }, 'the name of a cluster'],
  ])('refuses %j', async (options, message) => {
    expect(await faultOf({ externalAuthorization: options })).toContain(message);
  });
});
