/** DNS discovery against dnsmasq and Unbound, over real sockets. */
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { afterEach, describe, expect, it } from 'vitest';
import { requireComponent } from '../../../../../test/support/require-component.ts';
import { createRuntime } from '../../runtime/runtime.ts';
import type { Resolver } from '../resolver.ts';
import { createDnsmasq, freePort, type NameServer, Unbound } from '../test-support/name-servers.ts';
import { Recorder, until } from '../test-support/recorder.ts';
import type { DnsOptions } from './config.ts';
import { dns } from './dns.ts';

const dnsmasq = requireComponent('dnsmasq');
const unbound = requireComponent('unbound');
const unboundControl = requireComponent('unbound-control');

const cleanups: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

function watch(options: DnsOptions): { resolver: Resolver; recorder: Recorder } {
  const resolver = dns({ minRefreshMs: 100, ...options }).create({
    cluster: 'users',
    runtime: createRuntime(),
  });
  const recorder = new Recorder();
  cleanups.push(() => resolver.close());
  resolver.start(recorder);
  return { resolver, recorder };
}

const heard = (recorder: Recorder, ...ids: string[]): Promise<void> =>
  until(() => JSON.stringify(recorder.ids) === JSON.stringify(ids), { what: ids.join(' ') });

describe.skipIf(dnsmasq.path === undefined)('dnsmasq', () => {
  async function serve(records: () => readonly string[]): Promise<NameServer> {
    const server = await createDnsmasq(dnsmasq.path ?? '', records);
    cleanups.push(() => server.stop());
    await server.start();
    return server;
  }

  it('gives the addresses of both families', async () => {
    const server = await serve(() => ['--host-record=web.test,127.0.0.11,::11']);
    const { recorder } = watch({ name: 'web.test', port: 80, servers: [server.address] });
    await heard(recorder, '127.0.0.11:80', '[::11]:80');
    expect(recorder.errors).toEqual([]);
  });

  it('gives the addresses of one family when asked', async () => {
    const server = await serve(() => ['--host-record=web.test,127.0.0.11,::11']);
    const { recorder } = watch({
      name: 'WEB.test.',
      port: 80,
      servers: [server.address],
      family: 'ipv6',
    });
    await heard(recorder, '[::11]:80');
  });

  it('is not asked again before the TTL is over', async () => {
    const server = await serve(() => ['--local-ttl=2', '--host-record=web.test,127.0.0.11']);
    const { resolver, recorder } = watch({ name: 'web.test', port: 80, servers: [server.address] });
    await heard(recorder, '127.0.0.11:80');
    const startMs = performance.now();
    await until(() => resolver.status().refreshCount === 2);
    expect(performance.now() - startMs).toBeGreaterThan(1_950);
  });

  it('follows an alias', async () => {
    const server = await serve(() => [
      '--host-record=b.test,127.0.0.12',
      '--cname=www.test,b.test',
    ]);
    const { recorder } = watch({ name: 'www.test', port: 80, servers: [server.address] });
    await heard(recorder, '127.0.0.12:80');
  });

  it('gives SRV records with the addresses from the additional section', async () => {
    const server = await serve(() => [
      '--srv-host=_http._tcp.web.test,b1.test,8081,10,60',
      '--srv-host=_http._tcp.web.test,b2.test,8082,20,0',
      '--host-record=b1.test,127.0.0.11',
      '--host-record=b2.test,127.0.0.12',
    ]);
    const { recorder } = watch({ srv: '_http._tcp.web.test', servers: [server.address] });
    await heard(recorder, '127.0.0.11:8081', '127.0.0.12:8082');
    expect(recorder.sets[0]?.endpoints).toMatchObject([
      { priority: 0, weight: 60, hostname: 'b1.test' },
      { priority: 1, weight: 1, hostname: 'b2.test' },
    ]);
  });

  it('keeps the set while the server is dead and follows it when it is back', async () => {
    let address = '127.0.0.11';
    const server = await serve(() => [`--host-record=web.test,${address}`]);
    const options = { name: 'web.test', port: 80, servers: [server.address] };
    const { resolver, recorder } = watch({ ...options, maxRefreshMs: 1_000 });
    await heard(recorder, '127.0.0.11:80');
    await server.stop();
    await until(() => recorder.errors.length >= 2);
    expect(recorder.lastError).toContain('ECONNREFUSED');
    expect(resolver.status().healthy).toBe(false);
    expect(recorder.ids).toEqual(['127.0.0.11:80']);
    address = '127.0.0.22';
    await server.start();
    await heard(recorder, '127.0.0.22:80');
    expect(resolver.status()).toMatchObject({ healthy: true, lastError: undefined });
    expect(recorder.sets).toHaveLength(2);
  });

  it('says NXDOMAIN for a name that does not exist', async () => {
    const server = await serve(() => []);
    const { resolver, recorder } = watch({
      name: 'gone.test',
      port: 80,
      servers: [server.address],
    });
    await until(() => recorder.errors.length > 0);
    expect(recorder.lastError).toBe('dns gone.test:80: NXDOMAIN');
    expect(recorder.sets).toEqual([]);
    expect(resolver.status().healthy).toBe(false);
  });

  it('answers although the server before it is dead, and although another one hangs', async () => {
    const server = await serve(() => ['--host-record=web.test,127.0.0.11']);
    const hung = await hang();
    const servers = [`127.0.0.1:${await freePort()}`, hung.address, server.address];
    const { recorder, resolver } = watch({
      name: 'web.test',
      port: 80,
      servers,
      tryTimeoutMs: 100,
    });
    await heard(recorder, '127.0.0.11:80');
    // From now on the one that answered is asked first.
    await until(() => resolver.status().refreshCount >= 2);
    const datagrams = hung.count();
    await until(() => resolver.status().refreshCount >= 4);
    expect(hung.count()).toBe(datagrams);
    expect(recorder.errors).toEqual([]);
  });

  it('gives up on a hung server and says so', async () => {
    const hung = await hang();
    const options = { name: 'web.test', port: 80, servers: [hung.address] };
    const { recorder } = watch({ ...options, tryTimeoutMs: 50, timeoutMs: 300 });
    await until(() => recorder.errors.length > 0);
    expect(recorder.lastError).toContain(`${hung.address} no answer within 50 ms`);
  });
});

describe.skipIf(unbound.path === undefined || unboundControl.path === undefined)('unbound', () => {
  async function serve(): Promise<Unbound> {
    const commands = { unbound: unbound.path ?? '', control: unboundControl.path ?? '' };
    const server = await Unbound.start(commands, { negativeTtl: 0 });
    cleanups.push(() => server.close());
    return server;
  }

  it('is followed through changes of addresses', async () => {
    const { set, address } = await serving();
    await set('web.test.', ['1 IN A 127.0.0.1']);
    const { recorder } = watch({ name: 'web.test', port: 80, servers: [address] });
    await heard(recorder, '127.0.0.1:80');
    await set('web.test.', ['1 IN A 127.0.0.2', '1 IN A 127.0.0.3', '1 IN AAAA ::1']);
    await heard(recorder, '127.0.0.2:80', '127.0.0.3:80', '[::1]:80');
    await set('web.test.', ['1 IN A 127.0.0.3']);
    await heard(recorder, '127.0.0.3:80');
    expect(recorder.sets.length).toBeLessThanOrEqual(5); // a look may fall between two commands
  });

  it('is followed through changes of SRV weights and priorities', async () => {
    const { set, address } = await serving();
    const service = '_http._tcp.web.test.';
    await set('a.test.', ['1 IN A 127.0.0.1']);
    await set('b.test.', ['1 IN A 127.0.0.2', '1 IN A 127.0.0.3']);
    await set(service, ['1 IN SRV 10 40 8081 a.test.', '1 IN SRV 20 7 8082 b.test.']);
    const { recorder } = watch({ srv: '_http._tcp.web.test', servers: [address] });
    const weights = (): string =>
      (recorder.sets.at(-1)?.endpoints ?? [])
        .map(({ priority, weight }) => `${priority}/${weight}`)
        .join(' ');
    // b.test's weight is shared by its two addresses.
    await until(() => weights() === '0/40 1/7 1/7');
    await set(service, ['1 IN SRV 5 10 8081 a.test.', '1 IN SRV 5 10 8082 b.test.']);
    await until(() => weights() === '0/20 0/10 0/10');
    await set(service, ['1 IN SRV 5 0 8081 a.test.', '1 IN SRV 5 1 8082 b.test.']);
    await until(() => weights() === '0/2 0/15 0/15');
  });

  it('may lose the name for a while without the set being cleared', async () => {
    const { set, address } = await serving();
    await set('web.test.', ['1 IN A 127.0.0.1']);
    const { recorder } = watch({ name: 'web.test', port: 80, servers: [address] });
    await heard(recorder, '127.0.0.1:80');
    await set('web.test.', []);
    await until(() => recorder.errors.length > 0);
    expect(recorder.lastError).toBe('dns web.test:80: NXDOMAIN; keeping the last 1 endpoints');
    await set('web.test.', ['1 IN A 127.0.0.2']);
    await heard(recorder, '127.0.0.2:80');
    expect(recorder.sets.every((published) => published.endpoints.length === 1)).toBe(true);
  });

  it('clears the set by an empty answer when told so', async () => {
    const { set, address } = await serving();
    await set('web.test.', ['1 IN A 127.0.0.1']);
    const { recorder } = watch({
      name: 'web.test',
      port: 80,
      servers: [address],
      onEmpty: 'clear',
    });
    await heard(recorder, '127.0.0.1:80');
    await set('web.test.', []);
    await heard(recorder);
  });

  it('gives over TCP what does not fit into a datagram', async () => {
    const { set, address } = await serving();
    const addresses = Array.from({ length: 200 }, (_, i) => `127.0.1.${i}`);
    await set(
      'many.test.',
      addresses.map((text) => `1 IN A ${text}`),
    );
    const { recorder } = watch({ name: 'many.test', port: 80, servers: [address], family: 'ipv4' });
    await heard(recorder, ...addresses.map((text) => `${text}:80`).sort());
  });

  async function serving() {
    const server = await serve();
    return {
      address: server.server.address,
      set: (name: string, records: readonly string[]) => server.set(name, records),
    };
  }
});

/** A server that takes every datagram and never answers. */
async function hang(): Promise<{ address: string; count: () => number }> {
  const socket: Socket = createSocket('udp4');
  let count = 0;
  socket.on('message', () => (count += 1));
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  cleanups.push(() => new Promise<void>((resolve) => void socket.close(resolve)));
  return { address: `127.0.0.1:${socket.address().port}`, count: () => count };
}
