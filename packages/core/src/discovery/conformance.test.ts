/** What every resolver owes the cluster (resolver.ts), run against all of them. */
import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { isEvenkeelError } from '../error/evenkeel-error.ts';
import type { Scheduler } from '../runtime/scheduler.ts';
import { createManualRuntime } from '../testing/manual-runtime.ts';
import { fallback } from './compose/fallback.ts';
import { merge } from './compose/merge.ts';
import { completeConsulOptions } from './consul/config.ts';
import { createConsulResolver } from './consul/consul.ts';
import type { HttpAnswer, HttpPort, HttpRequest } from './http/http-port.ts';
import { completeDnsOptions } from './dns/config.ts';
import { DnsResolver } from './dns/dns-resolver.ts';
import { completeEtcdOptions } from './etcd/config.ts';
import { createEtcdResolver } from './etcd/etcd.ts';
import { FakeEtcd } from './etcd/test-support/fake-etcd.ts';
import { file } from './file/file.ts';
import { completeWatchOptions } from './registry/config.ts';
import { RegistryResolver } from './registry/registry-resolver.ts';
import type { Discovery } from './resolver.ts';
import { staticEndpoints } from './static/static-endpoints.ts';
import { a } from './test-support/dns-wire.ts';
import { FakeExchange, zone } from './test-support/fake-exchange.ts';
import { FakeRegistry } from './test-support/fake-registry.ts';
import { FakeSource } from './test-support/fake-source.ts';
import { Recorder, until } from './test-support/recorder.ts';
import { completeZookeeperOptions } from './zookeeper/config.ts';
import { FakeZookeeper } from './zookeeper/test-support/fake-zookeeper.ts';
import { createZookeeperResolver } from './zookeeper/zookeeper.ts';

/** A resolver's source under the control of a test. */
interface Subject {
  readonly discovery: Discovery;
  /** Makes the source list these addresses; undefined for a source that never changes. */
  readonly list: ((addresses: readonly string[]) => void | Promise<void>) | undefined;
  /** Makes the source fail. */
  readonly fail: (() => void | Promise<void>) | undefined;
  readonly dispose: () => void | Promise<void>;
}

const FIRST = ['10.0.0.1', '10.0.0.2'];
const SECOND = ['10.0.0.2', '10.0.0.3'];
const ids = (addresses: readonly string[]): string[] => addresses.map((address) => `${address}:80`);

function staticSubject(): Subject {
  const discovery = staticEndpoints(ids(FIRST));
  return { discovery, list: undefined, fail: undefined, dispose: () => undefined };
}

async function fileSubject(): Promise<Subject> {
  const directory = await mkdtemp(join(tmpdir(), 'evenkeel-conformance-'));
  const path = join(directory, 'endpoints.json');
  const write = async (content: string): Promise<void> => {
    await writeFile(`${path}.new`, content);
    await rename(`${path}.new`, path);
  };
  await write(JSON.stringify(ids(FIRST)));
  return {
    discovery: file({ path }),
    list: (addresses) => write(JSON.stringify(ids(addresses))),
    fail: () => write('{'),
    dispose: () => rm(directory, { recursive: true }),
  };
}

function dnsSubject(): Subject {
  const serve = (addresses: readonly string[]) =>
    zone(addresses.map((address) => a('web.test', address, 1)));
  const fake = new FakeExchange(serve(FIRST));
  const config = completeDnsOptions({ name: 'web.test', port: 80, servers: ['10.1.1.1'] });
  return {
    discovery: {
      kind: 'dns',
      create: (environment) => new DnsResolver(config, environment, fake.exchange),
    },
    list: (addresses) => void (fake.handler = serve(addresses)),
    fail: () => void (fake.handler = () => 'no answer'),
    dispose: () => expect(fake.openCount).toBe(0),
  };
}

function registrySubject(): Subject {
  const registry = new FakeRegistry();
  registry.list(ids(FIRST));
  return {
    discovery: {
      kind: 'fake',
      create: (environment) => {
        registry.scheduler = environment.runtime.scheduler;
        return new RegistryResolver({
          source: registry,
          config: completeWatchOptions({}),
          times: { readTimeoutMs: 10_000, silenceMs: 38_000, pollIntervalMs: 5_000 },
          environment,
        });
      },
    },
    list: (addresses) => registry.list(ids(addresses)),
    fail: () => registry.fail(),
    dispose: () => expect(registry.closeCount).toBeGreaterThan(0),
  };
}

/** Consul's side of the network, with one index for everything. */
class FakeConsul implements HttpPort {
  addresses: readonly string[] = FIRST;
  broken = false;
  scheduler: Scheduler | undefined;
  readonly #waiting = new Set<() => void>();
  #index = 1;

  change(): void {
    this.#index += 1;
    for (const answer of this.#waiting) answer();
    this.#waiting.clear();
  }

  send({ path, signal }: HttpRequest): Promise<HttpAnswer> {
    if (signal.aborted) return Promise.reject(new Error('aborted'));
    return new Promise((resolve, reject) => {
      const answer = (): void => {
        if (this.broken) reject(new Error('ECONNREFUSED'));
        else
          resolve({
            status: 200,
            headers: { 'x-consul-index': `${this.#index}` },
            body: this.#body(),
          });
      };
      const wait = this.scheduler?.after(30_000, answer);
      signal.addEventListener('abort', () => {
        wait?.cancel();
        this.#waiting.delete(answer);
        reject(new Error('aborted'));
      });
      if (path.includes(`index=${this.#index}&`)) this.#waiting.add(answer);
      else answer();
    });
  }

  close(): void {
    expect(this.#waiting.size).toBe(0);
  }

  #body(): Buffer {
    const entries = this.addresses.map((address) => ({
      Node: { Address: address },
      Service: { Address: '', Port: 80 },
      Checks: [],
    }));
    return Buffer.from(JSON.stringify(entries));
  }
}

function consulSubject(): Subject {
  const fake = new FakeConsul();
  const config = completeConsulOptions({ service: 'web' }, 'consul');
  const become = (addresses: readonly string[], broken: boolean): void => {
    fake.addresses = addresses;
    fake.broken = broken;
    fake.change();
  };
  return {
    discovery: {
      kind: 'consul',
      create: (environment) => {
        fake.scheduler = environment.runtime.scheduler;
        return createConsulResolver(config, environment, fake);
      },
    },
    list: (addresses) => become(addresses, false),
    fail: () => become(fake.addresses, true),
    dispose: () => undefined,
  };
}

function etcdSubject(): Subject {
  const fake = new FakeEtcd('/web/');
  fake.list(ids(FIRST));
  const config = completeEtcdOptions({ prefix: '/web/', endpoints: ['etcd:2379'] }, 'etcd');
  return {
    discovery: {
      kind: 'etcd',
      create: (environment) => createEtcdResolver(config, environment, () => fake),
    },
    list: (addresses) => fake.list(ids(addresses)),
    fail: () => fake.fail(),
    dispose: () => expect(fake.streamCount).toBe(0),
  };
}

function zookeeperSubject(): Subject {
  const fake = new FakeZookeeper('/web');
  const list = (addresses: readonly string[]): void =>
    fake.list(new Map(addresses.map((address) => [`n-${address}`, `${address}:80`])));
  list(FIRST);
  const config = completeZookeeperOptions({ path: '/web', servers: 'zk:2181' });
  return {
    discovery: {
      kind: 'zookeeper',
      create: (environment) => {
        fake.scheduler = environment.runtime.scheduler;
        return createZookeeperResolver(config, environment, fake);
      },
    },
    list,
    fail: () => fake.fail(),
    dispose: () => expect(fake.links.size).toBe(0),
  };
}

function composedSubject(compose: (sources: readonly Discovery[]) => Discovery): Subject {
  const inner = new FakeSource('inner', { atStart: ids(FIRST) });
  const quiet = new FakeSource('quiet');
  return {
    discovery: compose([inner, quiet]),
    list: (addresses) => inner.deliver(ids(addresses)),
    fail: () => inner.fail(),
    dispose: () => expect([inner.closeCount > 0, quiet.closeCount > 0]).toEqual([true, true]),
  };
}

const SUBJECTS: readonly { kind: string; create: () => Subject | Promise<Subject> }[] = [
  { kind: 'static', create: staticSubject },
  { kind: 'file', create: fileSubject },
  { kind: 'dns', create: dnsSubject },
  { kind: 'fake', create: registrySubject },
  { kind: 'consul', create: consulSubject },
  { kind: 'etcd', create: etcdSubject },
  { kind: 'zookeeper', create: zookeeperSubject },
  { kind: 'merge', create: () => composedSubject(merge) },
  { kind: 'fallback', create: () => composedSubject((sources) => fallback(sources)) },
];

describe.each(SUBJECTS)('$kind', ({ kind, create }) => {
  async function start() {
    const subject = await create();
    const runtime = createManualRuntime();
    const recorder = new Recorder();
    const resolver = subject.discovery.create({ cluster: 'users', runtime });
    const heard = (expected: readonly string[]): Promise<void> =>
      until(() => JSON.stringify(recorder.ids) === JSON.stringify(ids(expected)), { runtime });
    const dispose = async (): Promise<void> => {
      await resolver.close();
      await subject.dispose();
    };
    resolver.start(recorder);
    await heard(FIRST);
    return { subject, runtime, recorder, resolver, heard, dispose };
  }

  it('delivers what the source lists and says where from', async () => {
    const { resolver, runtime, dispose } = await start();
    expect(resolver.status()).toMatchObject({
      kind,
      healthy: true,
      lastError: undefined,
      errorCount: 0,
    });
    expect(resolver.status().source).not.toBe('');
    expect(resolver.status().refreshCount).toBeGreaterThan(0);
    expect(resolver.status().lastSuccessMs).toBeLessThanOrEqual(runtime.clock.nowMs());
    await dispose();
  });

  it('says nothing when nothing changes, also after refresh()', async () => {
    const { resolver, runtime, recorder, dispose } = await start();
    resolver.refresh();
    for (let round = 0; round < 40; round += 1) {
      await runtime.scheduler.advanceAsync(1_000);
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(recorder.sets).toHaveLength(1);
    expect(recorder.errors).toEqual([]);
    await dispose();
  });

  it('delivers a change once', async (context) => {
    const { subject, recorder, heard, dispose } = await start();
    if (subject.list === undefined) return context.skip('never changes');
    await subject.list(SECOND);
    await heard(SECOND);
    expect(recorder.sets).toHaveLength(2);
    await dispose();
  });

  it('keeps the set when the source fails, reports it, and recovers', async (context) => {
    const { subject, runtime, recorder, resolver, heard, dispose } = await start();
    if (subject.fail === undefined) return context.skip('cannot fail');
    await subject.fail();
    await until(() => recorder.errors.length > 0, { runtime });
    expect(isEvenkeelError(recorder.errors[0], 'EVENKEEL_DISCOVERY')).toBe(true);
    expect(recorder.errors[0]?.retryable).toBe(true);
    expect(recorder.sets).toHaveLength(1);
    expect(resolver.status()).toMatchObject({
      healthy: false,
      lastError: expect.any(String) as string,
    });
    await subject.list?.(SECOND);
    await heard(SECOND);
    expect(resolver.status()).toMatchObject({ healthy: true, lastError: undefined });
    await dispose();
  });

  it('is silent after close, which may be called again and leaves no timer', async () => {
    const { subject, runtime, recorder, resolver, dispose } = await start();
    await Promise.all([resolver.close(), resolver.close()]);
    expect(runtime.scheduler.pendingCount).toBe(0);
    await subject.list?.(SECOND);
    resolver.refresh();
    for (let round = 0; round < 20; round += 1) {
      await runtime.scheduler.advanceAsync(1_000);
      await new Promise((resolve) => setImmediate(resolve));
    }
    await subject.fail?.();
    expect(recorder.sets).toHaveLength(1);
    expect(recorder.errors).toEqual([]);
    expect(runtime.scheduler.pendingCount).toBe(0);
    await dispose();
  });

  it('may be closed before it has delivered anything', async () => {
    const subject = await create();
    const runtime = createManualRuntime();
    const resolver = subject.discovery.create({ cluster: 'users', runtime });
    const recorder = new Recorder();
    resolver.start(recorder);
    const deliveredAtStart = recorder.sets.length;
    await resolver.close();
    expect(recorder.sets).toHaveLength(deliveredAtStart);
    expect(runtime.scheduler.pendingCount).toBe(0);
    await subject.dispose();
  });
});
