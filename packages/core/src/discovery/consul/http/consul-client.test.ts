import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { completeConnection, type ConsulConnectionOptions } from './connection-config.ts';
import { ConsulClient, ConsulRefusal } from './consul-client.ts';
import type { HttpAnswer, HttpPort, HttpRequest } from '../../http/http-port.ts';

/** Answers everything alike and keeps what it was asked. */
class FakeHttp implements HttpPort {
  readonly requests: HttpRequest[] = [];
  answer: HttpAnswer = { status: 200, headers: {}, body: Buffer.from('[]') };

  send(request: HttpRequest): Promise<HttpAnswer> {
    this.requests.push(request);
    return Promise.resolve(this.answer);
  }

  close(): void {
    this.requests.length = 0;
  }
}

function create(options: ConsulConnectionOptions = {}) {
  const http = new FakeHttp();
  const client = new ConsulClient(completeConnection(options, 'consul', {}), http);
  const { signal } = new AbortController();
  return { http, client, signal };
}

describe('ConsulClient', () => {
  it('puts parameters in order, encoded, flags without a value, and leaves out what is not given', async () => {
    const { http, client, signal } = create({ namespace: 'team a', partition: 'p' });
    await client.call({
      path: '/v1/x',
      query: [
        ['stale', ''],
        ['dc', undefined],
        ['tag', 'a&b'],
        ['tag', 'c'],
      ],
      signal,
    });
    expect(http.requests[0]).toMatchObject({
      method: 'GET',
      path: '/v1/x?stale&tag=a%26b&tag=c&ns=team%20a&partition=p',
      timeoutMs: 10_000,
      body: undefined,
    });
  });

  it('sends a body as JSON, and a token in its header, never in the path', async () => {
    const { http, client, signal } = create({ token: 'secret' });
    await client.call({ method: 'PUT', path: '/v1/x', body: { a: 1 }, timeoutMs: 7, signal });
    expect(http.requests[0]).toMatchObject({
      method: 'PUT',
      path: '/v1/x',
      body: '{"a":1}',
      timeoutMs: 7,
      headers: { 'x-consul-token': 'secret', 'content-type': 'application/json' },
    });
  });

  it('reads the token file for every call', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'evenkeel-token-'));
    const tokenFile = join(directory, 'token');
    const { http, client, signal } = create({ tokenFile });
    const call = (): Promise<unknown> => client.call({ path: '/v1/x', signal });
    await expect(call()).rejects.toThrow(/token file .*: ENOENT/u);
    for (const token of ['one', 'two']) {
      await writeFile(tokenFile, ` ${token}\n`);
      await call();
      expect(http.requests.at(-1)?.headers['x-consul-token']).toBe(token);
    }
    for (const broken of ['', ' \n', 'two words', 'line\nbreak']) {
      await writeFile(tokenFile, broken);
      await expect(call()).rejects.toThrow(/holds no token/u);
    }
    expect(http.requests).toHaveLength(2);
    await rm(directory, { recursive: true });
  });

  it.each([
    {
      status: 403,
      body: 'Permission denied',
      says: /^answered 403 \(.*ACL token.*\): Permission/u,
    },
    { status: 500, body: 'No cluster leader\nstack', says: /^answered 500: No cluster leader$/u },
    { status: 302, body: '', says: /^answered 302$/u },
    { status: 400, body: 'x'.repeat(5_000), says: /^answered 400: x{200}$/u },
    { status: 500, body: 'sent Bearer abc.def', says: /Bearer \[redacted\]/u },
  ])('makes an error of $status', async ({ status, body, says }) => {
    const { http, client, signal } = create();
    http.answer = { status, headers: {}, body: Buffer.from(body) };
    const failure = await client.call({ path: '/v1/x', signal }).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(ConsulRefusal);
    expect(failure).toMatchObject({ status, retryable: true, code: 'EVENKEEL_DISCOVERY' });
    expect((failure as Error).message).toMatch(says);
  });
});
