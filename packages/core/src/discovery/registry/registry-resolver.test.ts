import { describe, expect, it } from 'vitest';
import { endpointSetOf } from '../../model/endpoint-set.ts';
import type { Logger } from '../../runtime/logger.ts';
import { createManualRuntime } from '../../testing/manual-runtime.ts';
import { FakeRegistry, FakeStore } from '../test-support/fake-registry.ts';
import { Recorder } from '../test-support/recorder.ts';
import { completeWatchOptions, type WatchOptions } from './config.ts';
import { UNCHANGED } from './registry-source.ts';
import { RegistryResolver } from './registry-resolver.ts';

const TIMES = { readTimeoutMs: 10_000, silenceMs: 38_000, pollIntervalMs: 5_000 };

/** `10.0.0.1:80` and so on. */
const many = (count: number): string[] =>
  Array.from({ length: count }, (_, index) => `10.0.${index >> 8}.${index & 255}:80`);

function create(options: WatchOptions = {}, store?: FakeStore) {
  const warnings: string[] = [];
  const ignore = (): void => undefined;
  const logger: Logger = {
    debug: ignore,
    info: ignore,
    warn: (_, message) => void warnings.push(message),
    error: ignore,
  };
  const runtime = createManualRuntime({ logger });
  const registry = new FakeRegistry();
  const recorder = new Recorder();
  const resolver = new RegistryResolver({
    source: registry,
    config: completeWatchOptions(options),
    times: TIMES,
    environment: { cluster: 'users', runtime },
    store,
  });
  const pass = (durationMs: number): Promise<void> => runtime.scheduler.advanceAsync(durationMs);
  const size = (): number | undefined => recorder.sets.at(-1)?.endpoints.length;
  return { runtime, registry, recorder, resolver, pass, size, warnings };
}

describe('RegistryResolver', () => {
  it('hands a set over once, whatever order it is listed in and however often it is confirmed', async () => {
    const { registry, recorder, resolver, pass } = create();
    registry.list(many(3));
    resolver.start(recorder);
    await pass(1_000);
    registry.list(many(3).reverse());
    await pass(1_000);
    registry.last?.resolve(UNCHANGED);
    await pass(1_000);
    expect(recorder.sets).toHaveLength(1);
    expect(recorder.errors).toEqual([]);
    await resolver.close();
  });

  it('tells the age of what it knows, and a sign of life renews it', async () => {
    const { registry, recorder, resolver, pass } = create();
    registry.list(many(3));
    resolver.start(recorder);
    await pass(30_000);
    expect(resolver.status().lastSuccessMs).toBe(0);
    registry.last?.resolve(UNCHANGED);
    await pass(1_000);
    expect(resolver.status()).toMatchObject({ lastSuccessMs: 30_000, healthy: true });
    await resolver.close();
  });

  it('keeps the set through an outage, reports each failure, and recovers within backoff and interval', async () => {
    const { registry, recorder, resolver, pass, size } = create({ maxBackoffMs: 4_000 });
    registry.list(many(3));
    resolver.start(recorder);
    await pass(1_000);
    registry.fail();
    await pass(600_000);
    expect(size()).toBe(3);
    expect(recorder.sets).toHaveLength(1);
    expect(resolver.status()).toMatchObject({ healthy: false, lastError: 'connection lost' });
    expect(resolver.status().errorCount).toBe(recorder.errors.length);
    expect(recorder.errors.length).toBeGreaterThan(100);
    registry.list(many(4));
    await pass(4_000);
    expect(size()).toBe(4);
    expect(resolver.status()).toMatchObject({ healthy: true, lastError: undefined });
    expect(resolver.status().watch?.resyncCount).toBe(1);
    await resolver.close();
  });

  describe('an empty list', () => {
    it('keeps the set and says so once', async () => {
      const { registry, recorder, resolver, pass, size } = create();
      registry.list(many(3));
      resolver.start(recorder);
      await pass(1_000);
      for (let round = 0; round < 100; round += 1) {
        registry.list([]);
        await pass(100);
      }
      expect(size()).toBe(3);
      expect(recorder.errors).toHaveLength(1);
      expect(recorder.lastError).toBe('fake registry: lists no endpoint; keeping the last 3');
      expect(resolver.status().healthy).toBe(false);
      registry.last?.resolve(UNCHANGED);
      await pass(300);
      expect(resolver.status().healthy).toBe(false);
      registry.list(many(2));
      await pass(300);
      expect(size()).toBe(2);
      expect(resolver.status()).toMatchObject({ healthy: true, lastError: undefined });
      await resolver.close();
    });

    it('at the start is a failure, because there is nothing to keep', async () => {
      const { registry, recorder, resolver, pass } = create();
      registry.list([]);
      resolver.start(recorder);
      await pass(1_000);
      expect(recorder.sets).toEqual([]);
      expect(recorder.lastError).toBe('fake registry: lists no endpoint');
      await resolver.close();
    });

    it('clears the set with onEmpty clear, after a second look', async () => {
      const { registry, recorder, resolver, pass, size } = create({ onEmpty: 'clear' });
      registry.list(many(3));
      resolver.start(recorder);
      await pass(1_000);
      registry.list([]);
      await pass(9_999);
      expect(size()).toBe(3);
      expect(resolver.status().watch).toMatchObject({ heldCount: 3, guardTripCount: 1 });
      await pass(1);
      expect(registry.history.at(-1)).toBe('read careful');
      expect(size()).toBe(0);
      expect(resolver.status().watch).toMatchObject({ heldCount: 0, guardTripCount: 1 });
      await resolver.close();
    });
  });

  describe('the guard', () => {
    it('holds a mass removal until a second look, while new endpoints get in', async () => {
      const { registry, recorder, resolver, pass, warnings } = create();
      registry.list(many(10));
      resolver.start(recorder);
      await pass(1_000);
      registry.list(['10.9.9.9:80', ...many(4)]);
      await pass(0);
      expect(recorder.ids).toEqual(['10.9.9.9:80', ...many(10)].sort());
      expect(warnings).toEqual(['guard: many endpoints vanished at once; keeping them for now']);
      expect(recorder.lastError).toMatch(/guard: 6 endpoints are no longer listed/u);
      expect(resolver.status().healthy).toBe(true);
      await pass(10_000);
      expect(recorder.ids).toEqual(['10.9.9.9:80', ...many(4)].sort());
      expect(resolver.status().lastError).toBeUndefined();
      await resolver.close();
    });

    it('never lets them go when they are listed again in time', async () => {
      const { registry, recorder, resolver, pass, size } = create();
      registry.list(many(10));
      resolver.start(recorder);
      await pass(1_000);
      registry.list(many(1));
      await pass(5_000);
      registry.list(many(10));
      await pass(60_000);
      expect(size()).toBe(10);
      expect(recorder.sets).toHaveLength(1);
      await resolver.close();
    });
  });

  it('refuses more endpoints than a set may hold', async () => {
    const { registry, recorder, resolver, pass, size } = create();
    registry.list(many(2));
    resolver.start(recorder);
    await pass(1_000);
    registry.list(Array.from({ length: 65_537 }, (_, index) => `h${index}:80`));
    await pass(0);
    expect(size()).toBe(2);
    expect(recorder.lastError).toMatch(/lists 65537 endpoints; at most 65536 are allowed/u);
    await resolver.close();
  });

  describe('a cold start', () => {
    const stored = { set: endpointSetOf(many(5)), ageMs: 60_000 };

    it('uses the set from disk as soon as the registry has failed, and says so', async () => {
      const { registry, recorder, resolver, pass, size, warnings } = create(
        {},
        new FakeStore(stored),
      );
      registry.broken = true;
      resolver.start(recorder);
      await pass(0);
      expect(size()).toBe(5);
      expect(resolver.status()).toMatchObject({ healthy: false, watch: { restored: true } });
      expect(warnings).toEqual(['the registry does not answer: using the last known good set']);
      await pass(10_000);
      expect(recorder.lastError).toMatch(/using the last known good set from disk, 5 endpoints/u);
      await resolver.close();
    });

    it('uses it after a second of silence', async () => {
      const { recorder, resolver, pass, size } = create({}, new FakeStore(stored));
      resolver.start(recorder);
      await pass(999);
      expect(size()).toBeUndefined();
      await pass(1);
      expect(size()).toBe(5);
      await resolver.close();
    });

    it('uses it when the registry lists nothing', async () => {
      const { registry, recorder, resolver, pass, size } = create({}, new FakeStore(stored));
      registry.list([]);
      resolver.start(recorder);
      await pass(0);
      expect(size()).toBe(5);
      await resolver.close();
    });

    it('believes the registry as soon as it speaks, within what the guard allows', async () => {
      const { registry, recorder, resolver, pass, size } = create({}, new FakeStore(stored));
      registry.broken = true;
      resolver.start(recorder);
      await pass(1_000);
      registry.list(many(1));
      await pass(2_000);
      expect(resolver.status()).toMatchObject({ healthy: true, watch: { restored: false } });
      expect(resolver.status().watch?.heldCount).toBe(4);
      await pass(12_000);
      expect(size()).toBe(1);
      await resolver.close();
    });

    it('never uses it when the registry answers in time', async () => {
      const { registry, recorder, resolver, pass, size } = create({}, new FakeStore(stored));
      registry.list(many(2));
      resolver.start(recorder);
      await pass(60_000);
      registry.fail();
      await pass(60_000);
      expect(recorder.sets).toHaveLength(1);
      expect(size()).toBe(2);
      await resolver.close();
    });

    it('goes on without a set that must not be used, and says why', async () => {
      const store = new FakeStore(new Error('is damaged'));
      const { registry, recorder, resolver, pass, warnings } = create({}, store);
      registry.broken = true;
      resolver.start(recorder);
      await pass(1_000);
      expect(recorder.sets).toEqual([]);
      expect(warnings).toEqual(['no set from disk']);
      expect(recorder.lastError).toMatch(/connection lost; is damaged/u);
      await resolver.close();
    });
  });

  it('saves what the registry stands by: nothing held, and no empty set', async () => {
    const store = new FakeStore();
    const { registry, recorder, resolver, pass } = create({ onEmpty: 'clear' }, store);
    const sizes = (): number[] => store.saved.map(({ endpoints }) => endpoints.length);
    registry.list(many(10));
    resolver.start(recorder);
    await pass(1_000);
    expect(sizes()).toEqual([10]);
    registry.last?.resolve(UNCHANGED);
    await pass(1_000);
    expect(sizes()).toEqual([10, 10]);
    registry.list(many(2));
    await pass(1_000);
    expect(sizes()).toEqual([10, 10]);
    await pass(10_000);
    expect(sizes()).toEqual([10, 10, 2]);
    registry.list([]);
    await pass(20_000);
    expect(recorder.sets.at(-1)?.endpoints).toEqual([]);
    expect(sizes()).toEqual([10, 10, 2]);
    await resolver.close();
    expect([store.closeCount, registry.closeCount]).toEqual([1, 1]);
  });

  it('complains of a disk that cannot be written', async () => {
    const store = new FakeStore();
    const { registry, recorder, resolver, pass } = create({}, store);
    registry.list(many(1));
    resolver.start(recorder);
    await pass(1_000);
    store.problem = 'disk full';
    registry.list(many(2));
    await pass(1_000);
    expect(resolver.status()).toMatchObject({ healthy: true, lastError: 'disk full' });
    await resolver.close();
  });
});
