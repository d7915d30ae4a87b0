/** UDP through the proxy, over real sockets. */
import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { afterEach, describe, expect, it } from 'vitest';
import { type Cluster, type ClusterOptions, createCluster } from '@evenkeel/core';
import { createProxy, type Proxy, type UdpOptions } from '../index.ts';

let proxy: Proxy;
let cluster: Cluster;
const sockets = new Set<Socket>();

afterEach(async () => {
  await proxy.close({ drainTimeoutMs: 0 });
  await cluster.close();
  for (const socket of sockets) socket.close();
  sockets.clear();
});

interface Peer {
  readonly socket: Socket;
  readonly port: number;
  /** Text and sender's port of each datagram. */
  readonly received: { readonly text: string; readonly port: number }[];
}

async function open(
  onMessage: (text: string, from: RemoteInfo, socket: Socket) => void = () => undefined,
): Promise<Peer> {
  const socket = createSocket('udp4');
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  sockets.add(socket);
  const received: Peer['received'] = [];
  socket.on('message', (bytes, from) => {
    received.push({ text: bytes.toString('latin1'), port: from.port });
    onMessage(bytes.toString('latin1'), from, socket);
  });
  return { socket, port: socket.address().port, received };
}

/** Answers each datagram with its name and what came. */
const echo = (name = ''): Promise<Peer> =>
  open((text, from, socket) => socket.send(`${name}${text}`, from.port, from.address));

async function closed(peer: Peer): Promise<void> {
  sockets.delete(peer.socket);
  peer.socket.close();
  await once(peer.socket, 'close');
}

async function start(
  servers: readonly Peer[],
  udp: Partial<UdpOptions> = {},
  options: Partial<ClusterOptions> = {},
): Promise<void> {
  cluster = createCluster({
    name: 'origin',
    policy: 'round-robin',
    discovery: servers.map(({ port }) => `127.0.0.1:${port}`),
    ...options,
  });
  await cluster.ready();
  proxy = await createProxy({
    clusters: [cluster],
    listeners: [{ listen: '127.0.0.1:0', udp: { cluster: 'origin', ...udp } }],
  });
}

const send = (client: Peer, text: string): void =>
  client.socket.send(text, proxy.addresses[0]!.port, '127.0.0.1');

async function until(condition: () => boolean): Promise<void> {
  const limit = Date.now() + 5_000;
  while (!condition()) {
    if (Date.now() > limit) throw new Error(`${condition.toString()} did not come true`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

const texts = ({ received }: Peer): string[] => received.map(({ text }) => text);

describe('a session of datagrams', () => {
  it('keeps to one endpoint, and brings the answers back from the port they were sent to', async () => {
    const servers = [await echo('0:'), await echo('1:')];
    await start(servers);
    const clients = await Promise.all([open(), open(), open(), open()]);
    for (const [index, client] of clients.entries()) {
      send(client, `${index}a`);
      await until(() => client.received.length === 1);
      send(client, `${index}b`);
      await until(() => client.received.length === 2);
      const server = texts(client)[0]!.charAt(0);
      expect(texts(client)).toEqual([`${server}:${index}a`, `${server}:${index}b`]);
      expect(new Set(client.received.map(({ port }) => port))).toEqual(
        new Set([proxy.addresses[0]!.port]),
      );
    }
    expect(servers.map(({ received }) => received.length)).toEqual([4, 4]);
    expect(proxy.stats.udp).toMatchObject({
      activeCount: 4,
      counters: { sessionCount: 4, clientDatagramCount: 8, endpointDatagramCount: 8 },
    });
    expect(cluster.snapshot().totals.activeCount).toBe(4);
  });

  it('loses nothing of a burst that comes before its socket is ready, and keeps its order', async () => {
    const server = await open();
    await start([server]);
    const client = await open();
    const sent = Array.from({ length: 40 }, (_, index) => `datagram ${index}`);
    for (const text of sent) send(client, text);
    await until(() => server.received.length === sent.length);
    expect(texts(server)).toEqual(sent);
  });

  it('carries datagrams of any size that there is', async () => {
    await start([await echo()]);
    const client = await open();
    const sizes = [0, 1, 1_400, 9_000, 65_507];
    for (const [index, size] of sizes.entries()) {
      send(client, 'x'.repeat(size));
      await until(() => client.received.length === index + 1);
    }
    expect(client.received.map(({ text }) => text.length)).toEqual(sizes);
  });

  it('hears nobody but its endpoint', async () => {
    const server = await echo();
    await start([server]);
    const client = await open();
    send(client, 'x');
    await until(() => client.received.length === 1);
    const stranger = await open();
    stranger.socket.send('forged', server.received[0]!.port, '127.0.0.1');
    send(client, 'y');
    await until(() => client.received.length === 2);
    expect(texts(client)).toEqual(['x', 'y']);
  });

  it('is over after a silence, as a success if the endpoint has answered', async () => {
    await start([await echo()], { idleTimeoutMs: 50 });
    const client = await open();
    send(client, 'x');
    await until(() => proxy.stats.udp.counters.expiredSessionCount === 1);
    expect(texts(client)).toEqual(['x']);
    expect(proxy.stats.udp.activeCount).toBe(0);
    expect(cluster.snapshot().totals).toMatchObject({ activeCount: 0, outcomes: { success: 1 } });
  });

  it('says nothing about an endpoint that never answers', async () => {
    await start([await open()], { idleTimeoutMs: 50 });
    send(await open(), 'log line');
    await until(() => proxy.stats.udp.counters.expiredSessionCount === 1);
    expect(cluster.snapshot().totals).toMatchObject({ activeCount: 0, outcomes: { cancelled: 1 } });
  });

  it('ends when nobody listens, and the next datagram finds another endpoint', async () => {
    const gone = await open();
    const server = await echo();
    await start([gone, server]);
    await closed(gone);
    // Of two clients one meets the endpoint that is gone, whichever has the first turn.
    const clients = [await open(), await open()];
    for (const client of clients) send(client, 'first');
    await until(() => proxy.stats.udp.counters.refusedSessionCount === 1);
    await until(() => {
      const unanswered = clients.filter(({ received }) => received.length === 0);
      for (const client of unanswered) send(client, 'again');
      return unanswered.length === 0;
    });
    expect(cluster.snapshot().totals.outcomes.connectFailure).toBeGreaterThan(0);
  });

  it('leaves an endpoint that is taken out of rotation', async () => {
    const servers = [await echo('0:'), await echo('1:')];
    await start(servers);
    const client = await open();
    send(client, 'a');
    await until(() => client.received.length === 1);
    const first = texts(client)[0] === '0:a' ? 0 : 1;
    cluster.setEnabled(`127.0.0.1:${servers[first]!.port}`, false);
    send(client, 'b');
    await until(() => client.received.length === 2);
    expect(texts(client)).toEqual([`${first}:a`, `${1 - first}:b`]);
    expect(proxy.stats.udp.counters.movedSessionCount).toBe(1);
  });
});

describe('the limits of a UDP listener', () => {
  it('bound the sessions', async () => {
    await start([await echo()], { maxSessions: 2 });
    const clients = await Promise.all([open(), open(), open()]);
    for (const client of clients) send(client, 'x');
    await until(() => proxy.stats.udp.counters.sessionLimitDropCount === 1);
    await until(() => proxy.stats.udp.counters.endpointDatagramCount === 2);
    expect(proxy.stats.udp.activeCount).toBe(2);
  });

  it('drop what nobody can take', async () => {
    await start([]);
    send(await open(), 'x');
    await until(() => proxy.stats.udp.counters.unservedDropCount === 1);
    expect(proxy.stats.udp.activeCount).toBe(0);
  });
});

describe('closing', () => {
  it('ends every session and every socket', async () => {
    await start([await echo()]);
    const client = await open();
    send(client, 'x');
    await until(() => client.received.length === 1);
    await proxy.close({ drainTimeoutMs: 0 });
    expect(proxy.stats.udp.activeCount).toBe(0);
    expect(cluster.snapshot().totals.activeCount).toBe(0);
  });

  it('fails a proxy whose port is taken, and leaves nothing open', async () => {
    await start([await echo()]);
    const { host, port } = proxy.addresses[0]!;
    const taken = { listen: `${host}:${port}`, udp: { cluster: 'origin' } };
    await expect(createProxy({ clusters: [cluster], listeners: [taken] })).rejects.toThrow(
      'EADDRINUSE',
    );
  });
});
