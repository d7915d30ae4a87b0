/** How often etcd is asked, on a clock of the test's own. */
import { afterEach, describe, expect, it } from 'vitest';
import { createManualRuntime } from '../../testing/manual-runtime.ts';
import type { Resolver } from '../resolver.ts';
import { Recorder } from '../test-support/recorder.ts';
import { completeEtcdOptions } from './config.ts';
import { createEtcdResolver } from './etcd.ts';
import { FakeEtcd } from './test-support/fake-etcd.ts';

describe('EtcdSource', () => {
  let resolver: Resolver | undefined;
  afterEach(() => resolver?.close());

  function start(fakes: readonly FakeEtcd[] = [new FakeEtcd('/web/')]) {
    for (const fake of fakes) fake.list(['10.0.0.1:80', '10.0.0.2:80']);
    const runtime = createManualRuntime();
    const recorder = new Recorder();
    const endpoints = fakes.map((_, index) => `etcd-${index}:2379`);
    const options = { prefix: '/web/', endpoints, maxAgeMs: 3_600_000 };
    let index = 0;
    const started = createEtcdResolver(
      completeEtcdOptions(options, 'etcd'),
      { cluster: 'users', runtime },
      () => fakes[(index += 1) - 1] as FakeEtcd,
    );
    resolver = started;
    started.start(recorder);
    const pass = async (ms: number): Promise<void> => {
      for (let step = 0; step < ms; step += 100) await runtime.scheduler.advanceAsync(100);
    };
    return { fake: fakes[0] as FakeEtcd, recorder, pass, resolver: started };
  }

  it('opens a quiet watch anew every 15 seconds, and reads nothing twice', async () => {
    const { fake, recorder, pass } = start();
    await pass(100_000);
    // The first, and one per 15 s and the pause of 0.2 s after each sign of life.
    expect(fake.openCount).toBeGreaterThanOrEqual(6);
    expect(fake.openCount).toBeLessThanOrEqual(8);
    expect(fake.readCount).toBe(1);
    expect(recorder.errors).toEqual([]);
  });

  it('takes a change that comes with the confirmation of the watch for nothing odd', async () => {
    const { fake, recorder, pass } = start();
    // Between the reading and the first watch, and while a quiet one is opened anew.
    fake.onOpen = () => fake.list([...(recorder.ids ?? []), `10.0.1.${fake.openCount}:80`]);
    await pass(60_000);
    expect(recorder.sets.length).toBeGreaterThan(3);
    expect(recorder.errors).toEqual([]);
    expect(fake.readCount).toBe(1);
  });

  it('asks less and less often where everything can be read, but not be watched', async () => {
    const { fake, recorder, pass, resolver: watched } = start();
    fake.watchMode = 'refused';
    await pass(10_000);
    const before = fake.readCount;
    await pass(120_000);
    // Waits of 0..7.5 s, 3.75 s in the mean: 32 in two minutes, and twice as many at the very most.
    expect(fake.readCount - before).toBeLessThanOrEqual(64);
    expect(recorder.lastError).toMatch(/answered 503: no leader/u);
    expect(recorder.ids).toHaveLength(2);
    fake.watchMode = 'works';
    await pass(60_000);
    expect(watched.status()).toMatchObject({ healthy: true, watch: { silenceCount: 0 } });
    fake.list(['10.0.0.1:80', '10.0.0.2:80', '10.0.0.3:80']);
    await pass(300);
    expect(recorder.ids).toHaveLength(3);
  });

  it('takes a watch that is not confirmed for a silence, and goes to another member', async () => {
    const fakes = [new FakeEtcd('/web/'), new FakeEtcd('/web/')];
    const { recorder, pass, resolver: watched } = start(fakes);
    await pass(1_000);
    const [first, second] = fakes[0]?.openCount === 1 ? fakes : fakes.toReversed();
    if (first === undefined || second === undefined) throw new Error('two members');
    first.watchMode = 'silent';
    await pass(21_000);
    expect(watched.status().watch?.silenceCount).toBe(1);
    expect(recorder.lastError).toMatch(/silent for 20000 ms/u);
    await pass(1_000);
    expect(watched.status().healthy).toBe(true);
    expect([second.openCount, second.streamCount, first.streamCount]).toEqual([1, 1, 0]);
  });
});
