/** Discovery against a real etcd server that works as it should. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { EtcdServer } from '../../../../../test/support/etcd-server.ts';
import { requireComponent } from '../../../../../test/support/require-component.ts';
import { createSelfSigned } from '../../health/active/test-support/self-signed.ts';
import { until } from '../test-support/recorder.ts';
import type { EtcdOptions } from './config.ts';
import { StreamFaultProxy } from './test-support/stream-fault-proxy.ts';
import { Watched } from './test-support/watched.ts';

const component = requireComponent('etcd');

describe.skipIf(component.path === undefined)('etcd', () => {
  let server: EtcdServer;
  let prefix = '';
  let prefixNumber = 0;
  const cleanups: (() => Promise<unknown>)[] = [];

  beforeAll(async () => {
    server = await EtcdServer.start(component.path ?? '');
  });
  afterAll(() => server?.dispose());
  afterEach(async () => {
    for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
  });

  /** A prefix of its own per test: the server is shared. */
  const newPrefix = (): string => (prefix = `/services/web-${(prefixNumber += 1)}/`);
  const watch = (options: Partial<EtcdOptions> = {}): Watched => {
    const watched = new Watched({ endpoints: [server.address], prefix, ...options });
    cleanups.push(() => watched.resolver.close());
    return watched;
  };
  const proxied = async (): Promise<StreamFaultProxy> => {
    const proxy = await StreamFaultProxy.start(server.port);
    cleanups.push(() => proxy.close());
    return proxy;
  };
  const folder = async (): Promise<string> => {
    const directory = await mkdtemp(join(tmpdir(), 'evenkeel-etcd-'));
    cleanups.push(() => rm(directory, { recursive: true, force: true }));
    return directory;
  };

  it('lists what is below the prefix, in every form, and says what makes no sense', async () => {
    newPrefix();
    await server.put(`${prefix}a`, '10.0.0.1:80');
    await server.put(
      `${prefix}b`,
      JSON.stringify({
        host: '10.0.0.2',
        port: 80,
        weight: 7,
        metadata: { version: 'v2' },
        tags: ['blue'],
        locality: { zone: 'a' },
      }),
    );
    await server.put(
      `${prefix}c`,
      JSON.stringify({ Op: 0, Addr: '10.0.0.3:80', Metadata: { weight: 3, zone: 'b' } }),
    );
    await server.put(`${prefix}d`, '{"Op":1,"Addr":"10.0.0.4:80"}');
    await server.put(`${prefix}e`, 'nonsense');
    await server.put('/services/web-elsewhere', '10.0.0.9:80');
    const watched = watch();
    await until(() => watched.ids?.length === 3);
    const [set] = watched.recorder.sets;
    expect(set?.byId.get('10.0.0.2:80')).toMatchObject({
      weight: 7,
      locality: { zone: 'a' },
      metadata: { version: 'v2', 'tag.blue': 'true' },
    });
    expect(set?.byId.get('10.0.0.3:80')).toMatchObject({ weight: 3, locality: { zone: 'b' } });
    expect(watched.status).toMatchObject({
      kind: 'etcd',
      source: `${prefix} at ${server.address}`,
      healthy: true,
      lastError: `1 nodes left out, the first: ${prefix}e: no host:port`,
    });
  });

  it('follows instances that join, leave and change', async () => {
    newPrefix();
    await server.put(`${prefix}a`, '10.0.0.1:80');
    const watched = watch();
    await until(() => watched.ids?.join() === '10.0.0.1:80');
    await server.put(`${prefix}b`, '10.0.0.2:80');
    await until(() => watched.ids?.join() === '10.0.0.1:80,10.0.0.2:80');
    await server.put(`${prefix}b`, '{"host":"10.0.0.2","port":80,"weight":5}');
    await until(() => watched.recorder.sets.at(-1)?.byId.get('10.0.0.2:80')?.weight === 5);
    // The same once more, and something else elsewhere: no new set.
    await server.put(`${prefix}b`, '{"host":"10.0.0.2","port":80,"weight":5}');
    await server.put('/elsewhere', 'x');
    await server.delete(`${prefix}a`);
    await until(() => watched.ids?.join() === '10.0.0.2:80');
    expect(watched.recorder.sets).toHaveLength(4);
    expect(watched.recorder.errors.map(String)).toEqual([]);
  });

  it('takes of two keys with one address the one written last', async () => {
    newPrefix();
    await server.put(`${prefix}z`, '{"host":"10.0.0.1","port":80,"weight":1}');
    await server.put(`${prefix}a`, '{"host":"10.0.0.1","port":80,"weight":2}');
    const watched = watch();
    await until(() => watched.recorder.sets[0]?.byId.get('10.0.0.1:80')?.weight === 2);
    await server.delete(`${prefix}a`);
    await until(() => watched.recorder.sets.at(-1)?.byId.get('10.0.0.1:80')?.weight === 1);
  });

  it('opens a quiet watch anew, on and on, and misses nothing', async () => {
    newPrefix();
    await server.put(`${prefix}a`, '10.0.0.1:80');
    const proxy = await proxied();
    const watched = watch({ endpoints: [proxy.address] });
    await until(() => proxy.countOf('/v3/watch') >= 3);
    await server.put(`${prefix}b`, '10.0.0.2:80');
    await until(() => watched.ids?.length === 2);
    expect(watched.recorder.errors.map(String)).toEqual([]);
    expect(watched.watch).toMatchObject({ resyncCount: 0, silenceCount: 0 });
    expect(proxy.countOf('/v3/kv/range')).toBe(1);
  });

  it('reads everything, and complains of nothing, when history was compacted past a quiet prefix', async () => {
    newPrefix();
    await server.put(`${prefix}a`, '10.0.0.1:80');
    const proxy = await proxied();
    const watched = watch({ endpoints: [proxy.address] });
    // The reading, and the confirmation of the watch.
    await until(() => watched.ids !== undefined && proxy.pieceCount >= 2);
    for (let round = 0; round < 3; round += 1) await server.put('/elsewhere', String(round));
    await server.compact();
    await until(() => proxy.countOf('/v3/kv/range') === 2);
    await server.put(`${prefix}b`, '10.0.0.2:80');
    await until(() => watched.ids?.length === 2);
    expect(watched.recorder.errors.map(String)).toEqual([]);
  });

  it('reads everything when what it wanted to hear was compacted away', async () => {
    newPrefix();
    await server.put(`${prefix}a`, '10.0.0.1:80');
    const proxy = await proxied();
    proxy.fault = (path) => (path === '/v3/watch' ? { kind: 'freeze' } : { kind: 'none' });
    const watched = watch({ endpoints: [proxy.address], timeoutMs: 5_000 });
    await until(() => proxy.countOf('/v3/watch') === 1);
    // Between the reading and the watch: two changes, one forgotten.
    await server.put(`${prefix}b`, '10.0.0.2:80');
    await server.delete(`${prefix}a`);
    await server.put(`${prefix}c`, '10.0.0.3:80');
    await server.compact();
    proxy.fault = () => ({ kind: 'none' });
    proxy.breakAll();
    await until(() => watched.ids?.join() === '10.0.0.2:80,10.0.0.3:80');
    expect(watched.watch.resyncCount).toBeGreaterThan(0);
  });

  it('hears of a compaction while it waits to begin', async () => {
    newPrefix();
    await server.put(`${prefix}a`, '10.0.0.1:80');
    const proxy = await proxied();
    let isHeld = true;
    proxy.fault = (path) =>
      path === '/v3/watch' && isHeld ? { kind: 'delay', delayMs: 500 } : { kind: 'none' };
    const guard = { maxRemovalPercent: 100 };
    const watched = watch({ endpoints: [proxy.address], timeoutMs: 5_000, guard });
    await until(() => proxy.countOf('/v3/watch') === 1);
    isHeld = false;
    await server.put(`${prefix}b`, '10.0.0.2:80');
    await server.delete(`${prefix}a`);
    await server.put('/elsewhere', 'x');
    await server.compact();
    await until(() => watched.ids?.join() === '10.0.0.2:80');
    expect(watched.recorder.lastError).toMatch(/compacted away/u);
    await until(() => watched.status.healthy);
  });

  it('heeds the signs of life that a server sends by itself', async () => {
    const chatty = await EtcdServer.start(component.path ?? '', {
      flags: ['--experimental-watch-progress-notify-interval=100ms'],
    });
    cleanups.push(() => chatty.dispose());
    newPrefix();
    await chatty.put(`${prefix}a`, '10.0.0.1:80');
    const proxy = await StreamFaultProxy.start(chatty.port);
    cleanups.push(() => proxy.close());
    const watched = watch({ endpoints: [proxy.address], minIntervalMs: 200 });
    const lookCount = (): number => watched.status.refreshCount;
    await until(() => lookCount() > 8);
    expect(proxy.countOf('/v3/watch')).toBe(1);
    // History is compacted, but not past what the signs of life have told.
    await chatty.put('/elsewhere', 'x');
    const seen = lookCount();
    await until(() => lookCount() > seen + 2);
    await chatty.compact();
    proxy.breakAll();
    await chatty.put(`${prefix}b`, '10.0.0.2:80');
    await until(() => watched.ids?.length === 2);
  });

  it('follows a thousand changes a second without as many sets, and ends with the last', async () => {
    newPrefix();
    const watched = watch({ minIntervalMs: 200 });
    const entriesOf = (round: number): (readonly [string, string])[] =>
      Array.from({ length: 100 }, (_, index) => [
        `${prefix}${index}`,
        JSON.stringify({ host: `10.1.0.${index}`, port: 80, metadata: { round: String(round) } }),
      ]);
    const startMs = performance.now();
    let round = 0;
    while (performance.now() - startMs < 2_500) {
      await server.putAll(entriesOf(round));
      round += 1;
    }
    const seconds = (performance.now() - startMs) / 1_000;
    expect((100 * round) / seconds).toBeGreaterThan(1_000);
    const last = String(round - 1);
    await until(() =>
      (watched.recorder.sets.at(-1)?.endpoints ?? []).every(
        ({ metadata }) => metadata['round'] === last,
      ),
    );
    expect(watched.ids).toHaveLength(100);
    expect(watched.recorder.sets.length).toBeLessThanOrEqual(5 * (seconds + 2));
    expect(watched.watch.resyncCount).toBe(0);
  });

  it('holds 10,000 endpoints, reads them page by page, and follows a change among them', async () => {
    newPrefix();
    await server.putAll(
      Array.from({ length: 10_000 }, (_, index) => {
        const address = `10.${100 + (index >> 16)}.${(index >> 8) & 255}.${index & 255}:80`;
        return [`${prefix}${String(index).padStart(5, '0')}`, address] as const;
      }),
    );
    const proxy = await proxied();
    const watched = watch({ endpoints: [proxy.address] });
    await until(() => watched.ids?.length === 10_000);
    expect(proxy.countOf('/v3/kv/range')).toBe(10);
    await server.put(`${prefix}x`, '10.200.0.1:80');
    await until(() => watched.ids?.length === 10_001);
    expect(watched.recorder.sets).toHaveLength(2);
    expect(proxy.countOf('/v3/kv/range')).toBe(10);
  }, 30_000);

  it('makes pages smaller where the values are large', async () => {
    newPrefix();
    const padding = 'x'.repeat(4_000);
    for (let start = 0; start < 2_000; start += 50) {
      await server.putAll(
        Array.from({ length: 50 }, (_, index) => {
          const number = start + index;
          const metadata = { a: padding, b: padding };
          const host = `10.2.${number >> 8}.${number & 255}`;
          return [`${prefix}${number}`, JSON.stringify({ host, port: 80, metadata })] as const;
        }),
      );
    }
    const watched = watch({ timeoutMs: 5_000 });
    await until(() => watched.ids?.length === 2_000);
    expect(watched.recorder.errors.map(String)).toEqual([]);
  }, 30_000);

  it('leaves no connection behind when closed', async () => {
    newPrefix();
    await server.put(`${prefix}a`, '10.0.0.1:80');
    const proxy = await proxied();
    const watched = watch({ endpoints: [proxy.address] });
    await until(() => watched.ids !== undefined && proxy.countOf('/v3/watch') === 1);
    await watched.resolver.close();
    await until(() => proxy.openCount === 0);
  });

  it('trusts and is trusted by certificates', async () => {
    const { cert, key } = createSelfSigned({ names: ['localhost'], ipv4: ['127.0.0.1'] });
    const directory = await folder();
    const files = { certFile: join(directory, 'cert.pem'), keyFile: join(directory, 'key.pem') };
    await writeFile(files.certFile, cert);
    await writeFile(files.keyFile, key);
    const secure = await EtcdServer.start(component.path ?? '', { tls: { ca: cert, cert, key } });
    cleanups.push(() => secure.dispose());
    newPrefix();
    await secure.put(`${prefix}a`, '10.0.0.1:80');
    const tls = { caFile: files.certFile };
    const watched = watch({ endpoints: [secure.secureAddress], tls: { ...tls, ...files } });
    const stranger = watch({ endpoints: [secure.secureAddress], tls });
    await until(() => watched.ids?.length === 1);
    await secure.put(`${prefix}b`, '10.0.0.2:80');
    await until(() => watched.ids?.length === 2);
    await until(() => stranger.recorder.errors.length > 1);
    expect(stranger.ids).toBeUndefined();
  });
});
