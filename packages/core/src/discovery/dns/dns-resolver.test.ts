import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createManualRuntime, type ManualRuntime } from '../../testing/manual-runtime.ts';
import type { Resolver } from '../resolver.ts';
import { a, soa, srv, type WireMessage } from '../test-support/dns-wire.ts';
import { FakeExchange, type FakeHandler, zone } from '../test-support/fake-exchange.ts';
import { Recorder } from '../test-support/recorder.ts';
import { completeDnsOptions, type DnsOptions } from './config.ts';
import { dns } from './dns.ts';
import { DnsResolver } from './dns-resolver.ts';

let runtime: ManualRuntime;
let recorder: Recorder;
let fake: FakeExchange;
let resolver: Resolver;

beforeEach(() => {
  runtime = createManualRuntime();
  recorder = new Recorder();
});
afterEach(async () => {
  await resolver.close();
  expect(runtime.scheduler.pendingCount).toBe(0);
  expect(fake.openCount).toBe(0);
});

async function start(handler: FakeHandler, options: Partial<DnsOptions> = {}): Promise<void> {
  fake = new FakeExchange(handler);
  const target = options.srv === undefined ? { name: 'web.test', port: 80 } : {};
  const config = completeDnsOptions({
    ...target,
    servers: ['10.1.1.1'],
    family: 'ipv4',
    ...options,
  });
  resolver = new DnsResolver(config, { cluster: 'users', runtime }, fake.exchange);
  resolver.start(recorder);
  // Each turn lets a bounded number of promises settle; a look has many.
  for (let turn = 0; turn < 8; turn += 1) await advance(0);
}

const advance = (durationMs: number): Promise<void> => runtime.scheduler.advanceAsync(durationMs);
const serve = (...addresses: string[]): FakeHandler => serveFor(30, ...addresses);
const serveFor = (ttl: number, ...addresses: string[]): FakeHandler =>
  zone(addresses.map((address) => a('web.test', address, ttl)));
/** Until the next look, from now. */
const waitMs = (): number => (runtime.scheduler.nextDueMs ?? Number.NaN) - runtime.clock.nowMs();

describe('dns discovery', () => {
  it('looks at the start and delivers', async () => {
    await start(serve('10.0.0.1', '10.0.0.2'));
    expect(recorder.ids).toEqual(['10.0.0.1:80', '10.0.0.2:80']);
    expect(recorder.sets[0]?.endpoints[0]).toMatchObject({
      hostname: 'web.test',
      weight: 1,
      priority: 0,
    });
    expect(resolver.status()).toMatchObject({
      kind: 'dns',
      source: 'web.test:80',
      healthy: true,
      refreshCount: 1,
    });
  });

  it.each([
    { ttl: 30, minMs: 30_000, maxMs: 33_000, why: 'the TTL, up to a tenth more' },
    { ttl: 0, minMs: 1_000, maxMs: 1_100, why: 'the minimum' },
    { ttl: 86_400, minMs: 60_000, maxMs: 66_000, why: 'the maximum' },
  ])('with TTL $ttl looks again after $why', async ({ ttl, minMs, maxMs }) => {
    await start(serveFor(ttl, '10.0.0.1'));
    const waits = new Set<number>();
    for (let round = 0; round < 20; round += 1) {
      expect(waitMs()).toBeGreaterThanOrEqual(minMs);
      expect(waitMs()).toBeLessThanOrEqual(maxMs);
      waits.add(waitMs());
      await advance(waitMs());
    }
    expect(waits.size).toBeGreaterThan(10); // jittered
    expect(recorder.sets).toHaveLength(1);
    expect(resolver.status().refreshCount).toBe(21);
  });

  it('picks a change up at the next look', async () => {
    await start(serve('10.0.0.1'));
    fake.handler = serve('10.0.0.2');
    await advance(29_000);
    expect(recorder.ids).toEqual(['10.0.0.1:80']);
    await advance(4_000);
    expect(recorder.ids).toEqual(['10.0.0.2:80']);
  });

  it('keeps the last good set through an outage, with growing waits, and recovers by itself', async () => {
    await start(serve('10.0.0.1'));
    fake.handler = () => 'no answer';
    await advance(waitMs());
    const waits: number[] = [];
    for (let round = 0; round < 8; round += 1) {
      waits.push(waitMs());
      await advance(waitMs());
    }
    // Equal jitter: between half of and the whole ceiling, which doubles from 2 s to 30 s.
    [2, 4, 8, 16, 30, 30, 30, 30].forEach((ceiling, round) => {
      expect(waits[round]).toBeGreaterThanOrEqual(ceiling * 500);
      expect(waits[round]).toBeLessThanOrEqual(ceiling * 1_000);
    });
    expect(recorder.ids).toEqual(['10.0.0.1:80']);
    expect(recorder.errors.length).toBe(9);
    expect(recorder.lastError).toBe('dns web.test:80: A web.test: 10.1.1.1:53 no answer');
    fake.handler = serve('10.0.0.2');
    await advance(30_000);
    expect(recorder.ids).toEqual(['10.0.0.2:80']);
    expect(waitMs()).toBeLessThanOrEqual(33_000);
  });

  it('is unhealthy while nothing at all is known', async () => {
    await start(() => ({ responseCode: 2 }));
    expect(recorder.sets).toEqual([]);
    expect(resolver.status()).toMatchObject({
      healthy: false,
      lastSuccessMs: undefined,
      errorCount: 1,
    });
    fake.handler = serve('10.0.0.1');
    await advance(2_000);
    expect(recorder.ids).toEqual(['10.0.0.1:80']);
    expect(resolver.status()).toMatchObject({ healthy: true, lastError: undefined });
  });

  const nothing = (minimum?: number): WireMessage => ({
    responseCode: 3,
    ...(minimum === undefined ? {} : { authorities: [soa('test', { ttl: 3_600, minimum })] }),
  });

  it.each([
    { what: 'the SOA minimum', message: nothing(15), minMs: 15_000, maxMs: 16_500 },
    { what: 'the SOA minimum of 0, clamped', message: nothing(0), minMs: 1_000, maxMs: 1_100 },
    {
      what: 'the SOA minimum of a day, clamped',
      message: nothing(86_400),
      minMs: 60_000,
      maxMs: 66_000,
    },
    { what: '5 s without an SOA record', message: nothing(), minMs: 5_000, maxMs: 5_500 },
  ])('looks again after a negative answer by $what', async ({ message, minMs, maxMs }) => {
    await start(() => message);
    expect(waitMs()).toBeGreaterThanOrEqual(minMs);
    expect(waitMs()).toBeLessThanOrEqual(maxMs);
  });

  it('keeps the set on NXDOMAIN, and says so', async () => {
    await start(serve('10.0.0.1', '10.0.0.2'));
    fake.handler = () => nothing(15);
    await advance(33_000);
    expect(recorder.ids).toHaveLength(2);
    expect(recorder.lastError).toBe('dns web.test:80: NXDOMAIN; keeping the last 2 endpoints');
    expect(resolver.status().healthy).toBe(false);
    fake.handler = serve('10.0.0.3');
    await advance(16_500);
    expect(recorder.ids).toEqual(['10.0.0.3:80']);
  });

  it('clears the set on NXDOMAIN when told so, but not on failure', async () => {
    await start(serve('10.0.0.1'), { onEmpty: 'clear' });
    fake.handler = () => 'no answer';
    await advance(33_000);
    expect(recorder.ids).toEqual(['10.0.0.1:80']);
    fake.handler = () => nothing(15);
    await advance(60_000);
    expect(recorder.ids).toEqual([]);
    expect(recorder.lastError).toBe('dns web.test:80: NXDOMAIN');
    expect(resolver.status()).toMatchObject({ healthy: true, lastError: 'NXDOMAIN' });
  });

  it('looks at once on refresh, but not more often than minRefreshMs', async () => {
    await start(serve('10.0.0.1'), { minRefreshMs: 2_000 });
    await advance(500);
    for (let i = 0; i < 100; i += 1) resolver.refresh();
    expect(waitMs()).toBe(1_500);
    await advance(1_500);
    expect(resolver.status().refreshCount).toBe(2);
    await advance(10_000);
    resolver.refresh();
    await advance(0);
    expect(resolver.status().refreshCount).toBe(3);
  });

  it('takes a refresh during a look for the time after it', async () => {
    await start(serve('10.0.0.1'));
    resolver.refresh();
    await advance(1_000);
    resolver.refresh();
    fake.handler = serve('10.0.0.2');
    await advance(2_000);
    expect(recorder.ids).toEqual(['10.0.0.2:80']);
  });

  it('follows SRV records', async () => {
    const name = '_http._tcp.web.test';
    await start(
      zone([srv(name, 'web.test', { port: 8080, weight: 5, ttl: 9 }), a('web.test', '10.0.0.1')]),
      { srv: name },
    );
    expect(recorder.ids).toEqual(['10.0.0.1:8080']);
    expect(resolver.status().source).toBe(name);
    expect(waitMs()).toBeLessThanOrEqual(9_900);
  });

  it('makes an endpoint of an IP address without asking anybody', async () => {
    await start(() => 'must not be asked', { name: '::1' });
    expect(recorder.ids).toEqual(['[::1]:80']);
    resolver.refresh();
    await advance(60_000);
    expect(fake.asked).toEqual([]);
    expect(recorder.sets).toHaveLength(1);
  });

  it('may be closed in the middle of a look', async () => {
    await start(() => 'silence');
    expect(fake.openCount).toBe(1);
    await resolver.close();
    await resolver.close();
    expect(recorder.errors).toEqual([]);
    resolver.refresh();
    expect(runtime.scheduler.pendingCount).toBe(0);
  });
});

describe('dns()', () => {
  it.each([
    { options: {}, problem: "dns: expected exactly one of 'name' (with 'port') or 'srv'" },
    { options: { name: 'a.test', srv: '_a._tcp.b' }, problem: 'exactly one of' },
    { options: { name: 'a.test' }, problem: "dns.port: expected a port beside 'name'" },
    { options: { srv: '_a._tcp.b', port: 80 }, problem: 'dns.port: expected' },
    { options: { name: 'a b', port: 80 }, problem: 'dns.name: expected a host name' },
    { options: { name: 'a.test', port: 0 }, problem: 'dns.port: expected an integer from 1' },
    { options: { srv: '10.0.0.1.' + 'x'.repeat(300) }, problem: 'dns.srv: expected' },
    {
      options: { name: 'a', port: 1, servers: ['ns.test'] },
      problem: 'dns.servers[0]: expected an IP address',
    },
    { options: { name: 'a', port: 1, servers: [] }, problem: 'dns.servers: expected at least one' },
    {
      options: { name: 'a', port: 1, minRefreshMs: 70_000 },
      problem: 'dns.maxRefreshMs: expected',
    },
    { options: { nmae: 'a', port: 1 }, problem: 'dns.nmae: expected no such option' },
    {
      options: { name: 'a', port: 1, family: 4 },
      problem: 'dns.family: expected one of any, ipv4, ipv6',
    },
  ])('refuses $options', ({ options, problem }) => {
    expect(() => dns(options as DnsOptions)).toThrow(problem);
  });
});
