import { afterEach, describe, expect, it } from 'vitest';
import { createManualRuntime } from '../../../testing/manual-runtime.ts';
import type {
  HttpAnswer,
  HttpRequest,
  HttpStream,
  StreamingHttpPort,
  StreamListener,
} from '../../http/http-port.ts';
import { completeConnection, type EtcdConnectionOptions } from './connection-config.ts';
import { EtcdClient } from './etcd-client.ts';
import type { WatchListener } from './open-watch.ts';

type Reply = { readonly status?: number; readonly body: object | string } | Error;

/** A member that answers as a test says. */
class FakeMember implements StreamingHttpPort {
  readonly host: string;
  readonly requests: HttpRequest[] = [];
  reply: (request: HttpRequest) => Reply = () => ({ body: {} });
  listener: StreamListener | undefined;
  isCut = false;

  constructor(host: string) {
    this.host = host;
  }

  send(request: HttpRequest): Promise<HttpAnswer> {
    this.requests.push(request);
    const reply = this.reply(request);
    if (reply instanceof Error) return Promise.reject(reply);
    const { status = 200, body } = reply;
    const text = typeof body === 'string' ? body : JSON.stringify(body);
    return Promise.resolve({ status, headers: {}, body: Buffer.from(text) });
  }

  open(request: HttpRequest, listener: StreamListener): Promise<HttpStream> {
    this.requests.push(request);
    const reply = this.reply(request);
    if (reply instanceof Error) return Promise.reject(reply);
    this.listener = listener;
    const { status = 200, body } = reply;
    listener.onHead(status);
    listener.onData(Buffer.from(typeof body === 'string' ? body : `${JSON.stringify(body)}\n`));
    if (status !== 200) listener.onEnd('the stream has ended');
    return Promise.resolve({ close: () => void (this.isCut = true) });
  }

  close(): void {}
}

const { signal } = new AbortController();
const refused = { status: 401, body: { message: 'etcdserver: invalid auth token', code: 16 } };
const CREATED = { result: { header: { cluster_id: '1', revision: '5' }, created: true } };
const IGNORE: WatchListener = { onMessage: () => undefined, onEnd: () => undefined };

/** Listens at once, so that no rejection goes unheard. */
function messageOfFailure(call: Promise<unknown>): Promise<string> {
  return call.then(
    () => 'no failure',
    (error: unknown) => String(error),
  );
}

describe('EtcdClient', () => {
  const clients: EtcdClient[] = [];
  afterEach(async () => {
    for (const client of clients.splice(0)) await client.close();
  });

  function create(options: EtcdConnectionOptions = {}) {
    const runtime = createManualRuntime();
    const members: FakeMember[] = [];
    const connection = completeConnection({ endpoints: ['a:1'], ...options }, 'etcd', {});
    const client = new EtcdClient(connection, runtime, (target) => {
      const member = new FakeMember(target.kind === 'tcp' ? target.host : '');
      members.push(member);
      return member;
    });
    clients.push(client);
    return { client, members, runtime, first: members[0] as FakeMember };
  }
  const call = { path: '/v3/kv/range', body: { key: 'YQ==' }, signal };
  const user = { username: 'me', password: 'hunter2' };
  const paths = ({ requests }: FakeMember): string[] => requests.map(({ path }) => path);
  const withToken =
    (token: string) =>
    (request: HttpRequest): Reply => {
      if (request.path === '/v3/auth/authenticate') return { body: { token } };
      return request.headers['authorization'] === token ? { body: { ok: true } } : refused;
    };

  it('asks for a token once, and for a new one when it is refused', async () => {
    const { client, first } = create(user);
    first.reply = withToken('t1');
    await client.call(call);
    await client.call(call);
    expect(paths(first)).toEqual(['/v3/auth/authenticate', '/v3/kv/range', '/v3/kv/range']);
    first.requests.length = 0;
    first.reply = withToken('t2');
    await client.call(call);
    expect(paths(first)).toEqual(['/v3/kv/range', '/v3/auth/authenticate', '/v3/kv/range']);
  });

  it('gives up when the new token is worth nothing either', async () => {
    const { client, first } = create(user);
    first.reply = ({ path }) => (path.startsWith('/v3/auth') ? { body: { token: 'x' } } : refused);
    await expect(client.call(call)).rejects.toThrow(
      /^answered 401: etcdserver: invalid auth token$/u,
    );
    expect(paths(first)).toHaveLength(4);
  });

  it('goes without a token while authentication is off, and asks for one when it is on', async () => {
    const { client, first } = create(user);
    const off = { status: 412, body: { message: 'authentication is not enabled', code: 9 } };
    first.reply = ({ path }) => (path.startsWith('/v3/auth') ? off : { body: {} });
    await client.call(call);
    await client.call(call);
    expect(paths(first)).toEqual(['/v3/auth/authenticate', '/v3/kv/range', '/v3/kv/range']);
    const nameless = { status: 400, body: { message: 'etcdserver: user name is empty', code: 3 } };
    first.reply = (request) =>
      request.headers['authorization'] === undefined && request.path === '/v3/kv/range'
        ? nameless
        : withToken('t')(request);
    expect((await client.call(call)).fields).toEqual({ ok: true });
  });

  it('never tells the password', async () => {
    const { client, first } = create(user);
    first.reply = () => ({ status: 500, body: '//me:hunter2@host said no' });
    await expect(client.call(call)).rejects.toThrow(
      /^answered 500: \/\/\[redacted\]@host said no$/u,
    );
  });

  it.each<{ what: string; reply: Reply }>([
    { what: 'cannot be reached', reply: Object.assign(new Error('no'), { code: 'ECONNREFUSED' }) },
    { what: 'has no leader', reply: { status: 503, body: { message: 'no leader', code: 14 } } },
    { what: 'answers nonsense', reply: { body: '<html>' } },
    { what: 'answers with a list', reply: { body: [] } },
  ])('asks another member when one $what, and then leaves that one alone', async ({ reply }) => {
    const { client, members, runtime } = create({ endpoints: ['a:1', 'b:1', 'c:1'] });
    for (const member of members.slice(0, 2)) member.reply = () => reply;
    for (let round = 0; round < 20; round += 1) await client.call(call).catch(() => undefined);
    // Who is left alone is published soon after.
    await runtime.scheduler.advanceAsync(1);
    const before = members.map(({ requests }) => requests.length);
    for (let round = 0; round < 20; round += 1) await client.call(call);
    expect(members.map(({ requests }, index) => requests.length - (before[index] ?? 0))).toEqual([
      0, 0, 20,
    ]);
  });

  it('tries all of them when all are bad', async () => {
    const { client, members } = create({ endpoints: ['a:1', 'b:1', 'c:1'] });
    for (const member of members) member.reply = () => new Error('reset');
    for (let round = 0; round < 60; round += 1) await client.call(call).catch(() => undefined);
    const isTried = members.every(({ requests }) => requests.length > 2);
    expect(isTried).toBe(true);
    for (const member of members) member.reply = () => ({ body: { ok: 1 } });
    expect((await client.call(call)).fields).toEqual({ ok: 1 });
  });

  it('does not ask another member about what the first has refused', async () => {
    const { client, members } = create({ endpoints: ['a:1', 'b:1'] });
    const denied = { status: 403, body: { message: 'permission denied', code: 7 } };
    for (const member of members) member.reply = () => denied;
    await expect(client.call(call)).rejects.toThrow(/permission denied/u);
    expect(members.flatMap(paths)).toHaveLength(1);
  });

  it('sticks to a member, and avoids one', async () => {
    const { client, members } = create({ endpoints: ['a:1', 'b:1', 'c:1'] });
    const { slot } = await client.call(call);
    for (let round = 0; round < 10; round += 1) {
      expect((await client.call({ ...call, prefer: { stickTo: slot } })).slot).toBe(slot);
      expect((await client.call({ ...call, prefer: { avoid: [slot] } })).slot).not.toBe(slot);
    }
    expect(members).toHaveLength(3);
  });

  it('opens a watch, demands a leader, and hears of its end', async () => {
    const { client, first } = create();
    first.reply = () => ({ body: CREATED });
    const ends: Error[] = [];
    const watch = await client.watch(
      { create: {}, signal },
      { ...IGNORE, onEnd: (error) => ends.push(error) },
    );
    expect(watch.header).toEqual({ clusterId: '1', revision: 5n });
    expect(first.requests[0]?.headers['grpc-metadata-hasleader']).toBe('true');
    first.listener?.onEnd('the stream was cut off');
    first.listener?.onData(Buffer.from('x\n'));
    expect(ends.map(String)).toEqual([expect.stringContaining('watch: the stream was cut off')]);
    expect(first.isCut).toBe(true);
  });

  it('gives a watch that is not confirmed its time, and no more', async () => {
    const { client, first, runtime } = create();
    first.reply = () => ({ body: '' });
    const opening = client.watch({ create: {}, signal }, IGNORE);
    const failure = messageOfFailure(opening);
    await runtime.scheduler.advanceAsync(5_000);
    expect(await failure).toMatch(/not confirmed within 5000 ms/u);
    expect(first.isCut).toBe(true);
  });

  it('says why a watch is refused from the start, and gets a new token for one', async () => {
    const { client, first } = create(user);
    const error = { grpc_code: 14, http_code: 503, message: 'etcdserver: no leader' };
    first.reply = ({ path }) =>
      path.startsWith('/v3/auth') ? { body: { token: 't' } } : { status: 503, body: { error } };
    await expect(client.watch({ create: {}, signal }, IGNORE)).rejects.toThrow(
      /^answered 503: etcdserver: no leader$/u,
    );
    let isOld = true;
    const canceled = {
      created: true,
      canceled: true,
      cancel_reason: 'etcdserver: invalid auth token',
    };
    first.reply = ({ path }) => {
      if (path.startsWith('/v3/auth')) isOld = false;
      if (path.startsWith('/v3/auth')) return { body: { token: 'u' } };
      return { body: isOld ? { result: { ...CREATED.result, ...canceled } } : CREATED };
    };
    await client.watch({ create: {}, signal }, IGNORE);
    expect(isOld).toBe(false);
  });

  it('ends with the signal', async () => {
    const { client, first } = create();
    first.reply = () => ({ body: '' });
    const abort = new AbortController();
    const opening = client.watch({ create: {}, signal: abort.signal }, IGNORE);
    const failure = messageOfFailure(opening);
    await Promise.resolve();
    abort.abort();
    expect(await failure).toMatch(/aborted/u);
    first.listener?.onEnd('late');
  });
});
