/** Discovery against a real Consul server that works as it should. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { ConsulAgent } from '../../../../../test/support/consul-agent.ts';
import { requireComponent } from '../../../../../test/support/require-component.ts';
import { createTemporaryDirectory } from '../../../../../test/support/temporary-directory.ts';
import { createSelfSigned } from '../../health/active/test-support/self-signed.ts';
import { until } from '../test-support/recorder.ts';
import type { ConsulOptions } from './config.ts';
import { FaultProxy } from '../../../../../test/support/fault-proxy.ts';
import { Watched } from './test-support/watched.ts';

const component = requireComponent('consul');

describe.skipIf(component.path === undefined)('consul', () => {
  let agent: ConsulAgent;
  const cleanups: (() => Promise<unknown>)[] = [];
  let serviceNumber = 0;
  let service = '';

  beforeAll(async () => {
    agent = await ConsulAgent.start(component.path ?? '');
  });
  afterAll(() => agent?.dispose());
  afterEach(async () => {
    for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
  });

  /** A service of its own per test: the agent is shared. */
  const newService = (): string => (service = `web-${(serviceNumber += 1)}`);
  const watch = (options: Partial<ConsulOptions> = {}): Watched => {
    const watched = new Watched({ address: agent.address, service, ...options });
    cleanups.push(() => watched.resolver.close());
    return watched;
  };

  it('lists the instances of a service with their weights, labels and places', async () => {
    const name = newService();
    await agent.register({
      name,
      address: '10.0.0.1',
      port: 80,
      tags: ['blue', 'v2'],
      meta: { version: 'v2', zone: 'a' },
      weights: { Passing: 7, Warning: 3 },
      status: 'passing',
    });
    await agent.register({ name, port: 81 });
    const watched = watch();
    await until(() => watched.ids?.length === 2);
    const [set] = watched.recorder.sets;
    expect(set?.byId.get('10.0.0.1:80')).toMatchObject({
      weight: 7,
      locality: { region: 'dc1', zone: 'a', subzone: '' },
      metadata: {
        version: 'v2',
        zone: 'a',
        'tag.blue': 'true',
        'tag.v2': 'true',
        'consul.id': `${name}-10.0.0.1-80`,
        'consul.node': 'node-1',
        'consul.datacenter': 'dc1',
      },
    });
    // Without an address of its own an instance is reached at its node's.
    expect(set?.byId.get('127.0.0.1:81')).toMatchObject({ weight: 1 });
    expect(watched.status).toMatchObject({
      kind: 'consul',
      source: `${name} at ${agent.address}`,
      healthy: true,
      lastError: undefined,
    });
  });

  it('follows instances that join, leave and change', async () => {
    const name = newService();
    const one = { name, address: '10.0.0.1', port: 80 };
    const two = { name, address: '10.0.0.2', port: 80 };
    await agent.register(one);
    const watched = watch();
    await until(() => watched.ids?.join() === '10.0.0.1:80');
    await agent.register(two);
    await until(() => watched.ids?.join() === '10.0.0.1:80,10.0.0.2:80');
    await agent.register({ ...two, weights: { Passing: 5, Warning: 1 } });
    await until(() => watched.recorder.sets.at(-1)?.byId.get('10.0.0.2:80')?.weight === 5);
    await agent.deregister(one);
    await until(() => watched.ids?.join() === '10.0.0.2:80');
    expect(watched.recorder.sets).toHaveLength(4);
    expect(watched.recorder.errors).toEqual([]);
  });

  it('gives an instance its warning weight, and leaves it out while critical or in maintenance', async () => {
    const name = newService();
    const one = { name, address: '10.0.0.1', port: 80 };
    const two = { name, address: '10.0.0.2', port: 80, weights: { Passing: 10, Warning: 2 } };
    await agent.register(one);
    await agent.register({ ...two, status: 'passing' });
    const watched = watch();
    const weight = (): number | undefined =>
      watched.recorder.sets.at(-1)?.byId.get('10.0.0.2:80')?.weight;
    await until(() => weight() === 10);
    await agent.setStatus(two, 'warning');
    await until(() => weight() === 2);
    const inForce = watched.recorder.sets.at(-1)?.byId.get('10.0.0.2:80');
    expect(inForce?.metadata['consul.status']).toBe('warning');
    expect(inForce?.degraded).toBe(true);
    await agent.setStatus(two, 'critical');
    await until(() => watched.ids?.join() === '10.0.0.1:80');
    await agent.setStatus(two, 'passing');
    await until(() => weight() === 10);
    await agent.put(`/v1/agent/service/maintenance/${name}-10.0.0.2-80?enable=true`);
    await until(() => watched.ids?.join() === '10.0.0.1:80');
  });

  it.each([
    { accept: 'passing', expected: ['10.0.0.1:80'] },
    { accept: 'warning', expected: ['10.0.0.1:80', '10.0.0.2:80'] },
    { accept: 'any', expected: ['10.0.0.1:80', '10.0.0.2:80', '10.0.0.3:80'] },
  ] as const)('accept: $accept takes $expected.length of three', async ({ accept, expected }) => {
    const name = newService();
    await agent.register({ name, address: '10.0.0.1', port: 80, status: 'passing' });
    await agent.register({ name, address: '10.0.0.2', port: 80, status: 'warning' });
    await agent.register({ name, address: '10.0.0.3', port: 80, status: 'critical' });
    const watched = watch({ accept });
    await until(() => watched.ids !== undefined);
    expect(watched.ids).toEqual(expected);
  });

  it('asks only for instances with the tags, and for what the filter selects', async () => {
    const name = newService();
    const at = (number: number): string => `10.0.0.${number}`;
    await agent.register({ name, address: at(1), port: 80, tags: ['blue', 'big'] });
    await agent.register({ name, address: at(2), port: 80, tags: ['blue'] });
    await agent.register({ name, address: at(3), port: 80, meta: { version: '2' } });
    const tagged = watch({ tags: ['blue', 'big'] });
    const filtered = watch({ filter: 'Service.Meta.version == "2"' });
    await until(() => tagged.ids !== undefined && filtered.ids !== undefined);
    expect([tagged.ids, filtered.ids]).toEqual([['10.0.0.1:80'], ['10.0.0.3:80']]);
    expect(tagged.status.source).toBe(`${name} tag blue tag big at ${agent.address}`);
  });

  it('runs a prepared query again and again', async () => {
    const name = newService();
    await agent.register({ name, address: '10.0.0.1', port: 80 });
    await agent.post('/v1/query', { Name: `q-${name}`, Service: { Service: name } });
    const watched = new Watched({
      address: agent.address,
      query: `q-${name}`,
      pollIntervalMs: 100,
    });
    cleanups.push(() => watched.resolver.close());
    await until(() => watched.ids?.join() === '10.0.0.1:80');
    await agent.register({ name, address: '10.0.0.2', port: 80 });
    await until(() => watched.ids?.join() === '10.0.0.1:80,10.0.0.2:80');
    expect(watched.recorder.errors).toEqual([]);
    expect(watched.status.source).toBe(`query q-${name} at ${agent.address}`);
  });

  it('says what is wrong with a query that does not exist', async () => {
    newService();
    const watched = new Watched({ address: agent.address, query: 'missing' });
    cleanups.push(() => watched.resolver.close());
    await until(() => watched.recorder.errors.length > 0);
    expect(watched.recorder.lastError).toMatch(/answered 404: .*[Qq]uery not found/u);
  });

  it('hands namespace and partition on, and says what a Consul without them makes of it', async () => {
    await agent.register({ name: newService(), port: 80 });
    for (const [option, says] of [
      ['namespace', /answered 400: .*namespace/iu],
      ['partition', /answered 400: .*partition/iu],
    ] as const) {
      const watched = watch({ [option]: 'team-a' });
      await until(() => watched.ids !== undefined || watched.recorder.errors.length > 2);
      // Consul 1.8 knows no partitions, and ignores the word.
      if (watched.ids === undefined) expect(watched.recorder.lastError).toMatch(says);
      expect(watched.status.source).toContain(`${option} team-a`);
    }
  });

  it('uses the next data centre when the first has no such service, itself or by a prepared query', async () => {
    const other = await ConsulAgent.start(component.path ?? '', {
      datacenter: 'dc2',
      joinWan: agent,
    });
    cleanups.push(() => other.dispose());
    const name = newService();
    const query = `nearest-${name}`;
    const Failover = { Datacenters: ['dc2'] };
    await agent.post('/v1/query', { Name: query, Service: { Service: name, Failover } });
    const queried = new Watched({ address: agent.address, query, pollIntervalMs: 100 });
    cleanups.push(() => queried.resolver.close());
    await other.register({ name, address: '10.2.0.1', port: 80 });
    const watched = watch({ datacenter: 'dc1', failover: ['dc2'] });
    await until(() => watched.ids?.join() === '10.2.0.1:80');
    expect(watched.status.source).toMatch(/^2 of 2 in use: consul/u);
    await until(() => queried.ids?.join() === '10.2.0.1:80');
    expect(queried.recorder.sets[0]?.endpoints[0]?.metadata['consul.datacenter']).toBe('dc2');
    await agent.register({ name, address: '10.1.0.1', port: 80 });
    await until(() => watched.ids?.join() === '10.1.0.1:80');
    // All of the set has changed: the guard waits for a second look.
    await until(() => queried.ids?.join() === '10.1.0.1:80');
  });

  it('speaks TLS with a certificate of its own', async () => {
    const server = createSelfSigned({ names: ['server.dc1.consul'], ipv4: ['127.0.0.1'] });
    const client = createSelfSigned({ names: ['client.dc1.consul'] });
    const secure = await ConsulAgent.start(component.path ?? '', {
      tls: { ca: client.cert + server.cert, cert: server.cert, key: server.key },
    });
    cleanups.push(() => secure.dispose());
    const directory = await createTemporaryDirectory('consul-tls');
    cleanups.push(() => directory.remove());
    const [caFile = '', certFile = '', keyFile = ''] = await Promise.all(
      [server.cert, client.cert, client.key].map(async (pem, index) => {
        const path = join(directory.path, `${index}.pem`);
        await writeFile(path, pem);
        return path;
      }),
    );
    await secure.register({ name: newService(), address: '10.0.0.1', port: 80 });
    const address = secure.secureAddress;
    const watched = watch({ address, tls: { caFile, certFile, keyFile } });
    const anonymous = watch({ address, tls: { caFile } });
    await until(() => watched.ids?.join() === '10.0.0.1:80');
    await until(() => anonymous.recorder.errors.length > 0);
    expect(anonymous.recorder.lastError).toMatch(/certificate|reset|hang up/iu);
    expect(anonymous.ids).toBeUndefined();
  });

  it('follows a thousand changes a second without as many questions, and ends with the last', async () => {
    const name = newService();
    const node = `node-${name}`;
    const at = (second: number): string => `10.3.${second >> 8}.${second & 255}`;
    await agent.catalog(node, [{ name, address: at(0), port: 80 }]);
    const proxy = await FaultProxy.start(agent.port);
    cleanups.push(() => proxy.close());
    const watched = watch({ address: proxy.address, minIntervalMs: 200 });
    await until(() => watched.ids !== undefined);
    const startMs = performance.now();
    let changes = 0;
    while (performance.now() - startMs < 3_000) {
      // The same addresses on two nodes: instances with one address make one endpoint.
      const batch = Array.from({ length: 64 }, (_, index) => ({
        name,
        id: `i${index}`,
        address: at(index),
        port: 80,
        meta: { round: String(changes) },
      }));
      await Promise.all([
        agent.catalog(node, batch),
        agent.catalog(`${node}-b`, batch.slice(0, 32)),
      ]);
      changes += 96;
    }
    const seconds = (performance.now() - startMs) / 1_000;
    expect(changes / seconds).toBeGreaterThan(1_000);
    // A call begins at most every 200 ms.
    expect(proxy.requests.length).toBeLessThanOrEqual(5 * seconds + 3);
    expect(watched.recorder.errors).toEqual([]);
    const [last] = (await agent.get(`/v1/health/service/${name}`)) as {
      Service: { Meta: { round: string } };
    }[];
    const round = last?.Service.Meta.round;
    await until(
      () => watched.recorder.sets.at(-1)?.byId.get(`${at(5)}:80`)?.metadata['round'] === round,
    );
    expect(watched.ids).toHaveLength(64);
  });

  it('holds 10,000 endpoints and follows a change among them', async () => {
    const name = newService();
    const instances = Array.from({ length: 10_000 }, (_, index) => ({
      name,
      address: `10.${100 + (index >> 16)}.${(index >> 8) & 255}.${index & 255}`,
      port: 80,
    }));
    await agent.catalog(`node-${name}`, instances);
    const watched = watch();
    await until(() => watched.ids?.length === 10_000);
    await agent.catalog(`node-${name}`, [{ name, address: '10.200.0.1', port: 80 }]);
    await until(() => watched.ids?.length === 10_001);
    expect(watched.recorder.sets).toHaveLength(2);
  });

  it('leaves no connection behind when closed', async () => {
    const name = newService();
    await agent.register({ name, address: '10.0.0.1', port: 80 });
    const proxy = await FaultProxy.start(agent.port);
    cleanups.push(() => proxy.close());
    const watched = watch({ address: proxy.address });
    await until(() => watched.ids !== undefined && proxy.requests.length > 1);
    await watched.resolver.close();
    await until(() => proxy.openCount === 0);
  });
});
