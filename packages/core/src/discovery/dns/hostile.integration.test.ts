/** What servers and forgers may do to us over real sockets, and what must not come of it. */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { networkInterfaces } from 'node:os';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createRuntime } from '../../runtime/runtime.ts';
import type { Resolver } from '../resolver.ts';
import { a, readQuery, u16, writeMessage, writeName } from '../test-support/dns-wire.ts';
import { framed, type HostileBehaviour, HostileServer } from '../test-support/hostile-server.ts';
import { Recorder, until } from '../test-support/recorder.ts';
import type { DnsOptions } from './config.ts';
import { dns } from './dns.ts';

const cleanups: (() => Promise<unknown>)[] = [];
let socketsBefore: number;

beforeEach(() => {
  socketsBefore = openSockets();
});
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
  await until(() => openSockets() <= socketsBefore);
});

/** Sockets of this process that are open now. */
function openSockets(): number {
  return process.getActiveResourcesInfo().filter((kind) => /^(UDP|TCP)/.test(kind)).length;
}

async function serve(behaviour: HostileBehaviour): Promise<HostileServer> {
  const server = await HostileServer.start(behaviour);
  cleanups.push(() => server.close());
  return server;
}

const good = (name = 'web.test') => ({ answers: [a(name, '127.0.0.1', 1)] });
const honest: HostileBehaviour = { udp: (query, reply) => reply(query.answer(good())) };

function watch(servers: readonly HostileServer[], options: Partial<DnsOptions> = {}) {
  const resolver: Resolver = dns({
    name: 'web.test',
    port: 80,
    family: 'ipv4',
    servers: servers.map(({ address }) => address),
    tryTimeoutMs: 200,
    ...options,
  }).create({ cluster: 'users', runtime: createRuntime() });
  cleanups.push(() => resolver.close());
  const recorder = new Recorder();
  resolver.start(recorder);
  return { resolver, recorder };
}

const heardGood = (recorder: Recorder): Promise<void> =>
  until(() => recorder.ids?.[0] === '127.0.0.1:80');

describe('stray datagrams', () => {
  it.each([
    {
      what: 'another id',
      stray: (query: { id: number; answer: (m: object) => Buffer }) =>
        query.answer({ id: query.id ^ 1, answers: [a('web.test', '6.6.6.6')] }),
    },
    {
      what: 'another question',
      stray: (query: { answer: (m: object) => Buffer }) =>
        query.answer({
          question: { name: 'evil.test', type: 1 },
          answers: [a('web.test', '6.6.6.6')],
        }),
    },
    { what: 'nothing in them', stray: () => Buffer.alloc(0) },
  ])('with $what are passed over', async ({ stray }) => {
    const server = await serve({
      udp: (query, reply) => {
        for (let i = 0; i < 5; i += 1) reply(stray(query));
        reply(query.answer(good()));
      },
    });
    const { recorder } = watch([server]);
    await heardGood(recorder);
    expect(recorder.errors).toEqual([]);
  });

  it('from another port do not arrive, even with the right id', async () => {
    const forger = createSocket('udp4');
    cleanups.push(() => new Promise<void>((resolve) => void forger.close(resolve)));
    const server = await serve({
      udp: (query, reply, from) => {
        const forged = query.answer({ answers: [a('web.test', '6.6.6.6')] });
        forger.send(forged, from.port, from.address, () => reply(query.answer(good())));
      },
    });
    const { recorder } = watch([server]);
    await heardGood(recorder);
    expect(recorder.sets[0]?.endpoints).toHaveLength(1);
  });

  it('in a flood end the try', async () => {
    const flood = await serve({
      udp: (query, reply) => {
        for (let i = 0; i < 64; i += 1) reply(query.answer({ id: query.id ^ 1 }));
      },
    });
    const { recorder } = watch([flood, await serve(honest)], {
      tryTimeoutMs: 60_000,
      timeoutMs: 60_000,
    });
    await heardGood(recorder);
  });
});

describe('bad answers', () => {
  const loop = (query: { id: number }): Buffer =>
    Buffer.concat([u16(query.id, 0x8180, 1, 0, 0, 0), Buffer.from([0xc0, 12]), u16(1, 1)]);
  it.each([
    {
      what: 'random bytes',
      bad: (query: { id: number }) => Buffer.concat([u16(query.id), Buffer.from('garbage')]),
    },
    { what: 'a compression loop', bad: loop },
    {
      what: '10,000 records claimed',
      bad: (query: { id: number }) =>
        Buffer.concat([u16(query.id, 0x8180, 1, 10_000, 0, 0), writeName('web.test'), u16(1, 1)]),
    },
    {
      what: 'SERVFAIL',
      bad: (query: { answer: (m: object) => Buffer }) => query.answer({ responseCode: 2 }),
    },
  ])('$what: the next server is asked at once', async ({ bad }) => {
    const wrong = await serve({ udp: (query, reply) => reply(bad(query)) });
    const { recorder } = watch([wrong, await serve(honest)], {
      tryTimeoutMs: 60_000,
      timeoutMs: 60_000,
    });
    await heardGood(recorder);
  });

  it('for other names are not endpoints', async () => {
    const server = await serve({
      udp: (query, reply) =>
        reply(query.answer({ answers: [a('evil.test', '6.6.6.6'), ...good().answers] })),
    });
    const { recorder } = watch([server]);
    await heardGood(recorder);
    expect(recorder.ids).toEqual(['127.0.0.1:80']);
  });

  it('change nothing once a set is known, and are all reported', async () => {
    let respond = (query: { id: number; answer: (m: object) => Buffer }): Buffer =>
      query.answer(good());
    const server = await serve({ udp: (query, reply) => reply(respond(query)) });
    const { recorder, resolver } = watch([server], { minRefreshMs: 100, maxRefreshMs: 1_000 });
    await heardGood(recorder);
    respond = loop;
    await until(() => recorder.errors.length >= 3);
    expect(recorder.sets).toHaveLength(1);
    expect(resolver.status()).toMatchObject({ healthy: false, errorCount: recorder.errors.length });
    expect(recorder.lastError).toContain('malformed answer');
    respond = (query) => query.answer({ answers: [a('web.test', '127.0.0.2')] });
    await until(() => recorder.ids?.[0] === '127.0.0.2:80');
  });

  it('of 60 KB in one datagram are read', async () => {
    const answers = Array.from({ length: 1_900 }, (_, i) =>
      a('web.test', `10.0.${i >> 8}.${i & 255}`),
    );
    const server = await serve({ udp: (query, reply) => reply(query.answer({ answers })) });
    const { recorder } = watch([server]);
    await until(() => recorder.ids?.length === 1_900);
  });
});

describe('truncated answers', () => {
  const truncated: NonNullable<HostileBehaviour['udp']> = (query, reply) =>
    reply(query.answer({ truncated: true }));

  it('are asked for over TCP, however the bytes arrive', async () => {
    const server = await serve({
      udp: truncated,
      tcp: (query, socket) => {
        const bytes = framed(query.answer(good()));
        const sendFrom = (offset: number): void => {
          if (offset >= bytes.length) return;
          socket.write(bytes.subarray(offset, offset + 1), () => sendFrom(offset + 1));
        };
        socket.setNoDelay(true);
        sendFrom(0);
      },
    });
    const { recorder } = watch([server]);
    await heardGood(recorder);
    expect(server.tcpCount).toBe(1);
  });

  it('may be 64 KiB long', async () => {
    const answers = Array.from({ length: 2_400 }, (_, i) =>
      a('web.test', `10.0.${i >> 8}.${i & 255}`),
    );
    const server = await serve({
      udp: truncated,
      tcp: (query, socket) => socket.write(framed(query.answer({ answers }))),
    });
    const { recorder } = watch([server]);
    await until(() => recorder.ids?.length === 2_400);
  });

  it.each<{ what: string; tcp: NonNullable<HostileBehaviour['tcp']>; problem: string }>([
    {
      what: 'closes',
      tcp: (_query, socket) => void socket.end(),
      problem: 'closed before the answer',
    },
    {
      what: 'closes in the middle',
      tcp: (query, socket) => void socket.end(framed(query.answer(good())).subarray(0, 20)),
      problem: 'closed before the answer',
    },
    {
      what: 'sends an empty frame',
      tcp: (_query, socket) => void socket.write(u16(0)),
      problem: 'another question',
    },
    {
      what: 'sends another id',
      tcp: (query, socket) => void socket.write(framed(query.answer({ id: query.id ^ 1 }))),
      problem: 'another question',
    },
    {
      what: 'promises 64 KiB and falls silent',
      tcp: (_query, socket) => void socket.write(u16(65_535)),
      problem: 'over TCP: no answer within',
    },
    {
      what: 'sends garbage',
      tcp: (query, socket) =>
        void socket.write(framed(Buffer.concat([u16(query.id), Buffer.alloc(3)]))),
      problem: 'malformed answer',
    },
    {
      what: 'truncates again',
      tcp: (query, socket) => void socket.write(framed(query.answer({ truncated: true }))),
      problem: 'truncated even over TCP',
    },
    { what: 'resets', tcp: (_query, socket) => void socket.resetAndDestroy(), problem: 'over TCP' },
  ])(
    'and a TCP server that $what: reported, and the next server asked',
    async ({ tcp, problem }) => {
      const server = await serve({ udp: truncated, tcp });
      const alone = watch([server], { timeoutMs: 500 });
      await until(() => alone.recorder.errors.length > 0);
      expect(alone.recorder.lastError).toContain(problem);
      const { recorder } = watch([server, await serve(honest)]);
      await heardGood(recorder);
    },
  );
});

describe('close', () => {
  it('ends a UDP exchange and a TCP exchange that are under way', async () => {
    const silent = await serve({});
    const halfway = await serve({
      udp: (query, reply) => reply(query.answer({ truncated: true })),
    });
    const first = watch([silent], { tryTimeoutMs: 60_000, timeoutMs: 60_000 });
    const second = watch([halfway], { tryTimeoutMs: 60_000, timeoutMs: 60_000 });
    await until(() => silent.udpCount === 1 && halfway.tcpCount === 1);
    await Promise.all([first.resolver.close(), second.resolver.close()]);
    expect(first.recorder.errors).toEqual([]);
    expect(second.recorder.errors).toEqual([]);
    // afterEach waits until no socket is left.
  });
});

describe('a server on IPv6', () => {
  const hasIpv6 = Object.values(networkInterfaces()).some((list) =>
    list?.some(({ address }) => address === '::1'),
  );
  it.skipIf(!hasIpv6)('answers like any other', async () => {
    const socket = createSocket('udp6');
    cleanups.push(() => new Promise<void>((resolve) => void socket.close(resolve)));
    socket.on('message', (bytes, from) => {
      const { id, name, type } = readQuery(bytes);
      const answer = writeMessage({ id, question: { name, type }, ...good() });
      socket.send(answer, from.port, from.address);
    });
    socket.bind(0, '::1');
    await once(socket, 'listening');
    const { recorder } = watch([], { servers: [`[::1]:${socket.address().port}`] });
    await heardGood(recorder);
  });
});
