import { describe, expect, it } from 'vitest';
import { createManualRuntime } from '../../testing/manual-runtime.ts';
import { Recorder } from '../test-support/recorder.ts';
import { completeZookeeperOptions, type ZookeeperOptions } from './config.ts';
import { FakeZookeeper } from './test-support/fake-zookeeper.ts';
import { createZookeeperResolver } from './zookeeper.ts';

/** Nodes n1, n2 ... with the addresses 10.0.0.1, 10.0.0.2 ... */
const nodes = (count: number, weight = 1): Map<string, string> =>
  new Map(
    Array.from({ length: count }, (_, index) => [
      `n${index + 1}`,
      JSON.stringify({ host: `10.0.${(index + 1) >> 8}.${(index + 1) & 255}`, port: 80, weight }),
    ]),
  );

async function start(count: number, options: Partial<ZookeeperOptions> = {}) {
  const runtime = createManualRuntime();
  const fake = new FakeZookeeper('/web');
  fake.scheduler = runtime.scheduler;
  fake.list(nodes(count));
  const config = completeZookeeperOptions({ path: '/web', servers: 'zk', ...options });
  const resolver = createZookeeperResolver(config, { cluster: 'users', runtime }, fake);
  const recorder = new Recorder();
  resolver.start(recorder);
  const pass = async (durationMs: number): Promise<void> => {
    for (let passedMs = 0; passedMs < durationMs; passedMs += 100) {
      await runtime.scheduler.advanceAsync(100);
      await new Promise((resolve) => setImmediate(resolve));
    }
  };
  await pass(500);
  return { fake, recorder, resolver, pass, size: () => recorder.sets.at(-1)?.endpoints.length };
}

describe('ZookeeperSource', () => {
  it('takes a second look on a connection of its own', async () => {
    const { fake, resolver, pass, size } = await start(10);
    fake.list(nodes(2));
    await pass(1_000);
    expect([size(), resolver.status().watch?.heldCount]).toEqual([10, 8]);
    expect(fake.connectCount).toBe(1);
    await pass(10_000);
    expect([size(), resolver.status().watch?.heldCount]).toEqual([2, 0]);
    expect(fake.connectCount).toBe(2);
    expect(fake.links.size).toBe(1);
    await resolver.close();
  });

  it('reads everything anew by age, on the connection that it has', async () => {
    const { fake, resolver, pass } = await start(10);
    const before = fake.questionCount;
    expect(before).toBe(11);
    await pass(300_000);
    expect(fake.questionCount - before).toBe(11);
    expect(fake.connectCount).toBe(1);
    expect(resolver.status().watch?.resyncCount).toBe(1);
    await resolver.close();
  });

  it('reads what changed once, however often it did', async () => {
    const { fake, recorder, resolver, pass } = await start(10);
    const before = fake.questionCount;
    for (let weight = 2; weight <= 50; weight += 1) fake.list(nodes(10, weight));
    await pass(200);
    // The list, because the fake announces it every time, and ten nodes.
    expect(fake.questionCount - before).toBeLessThanOrEqual(2 * 11);
    expect(recorder.sets.at(-1)?.byId.get('10.0.0.3:80')?.weight).toBe(50);
    await resolver.close();
  });

  it('keeps no more questions under way than it may', async () => {
    const { fake, resolver, size } = await start(500, { maxConcurrentReads: 7 });
    expect(size()).toBe(500);
    expect(fake.mostUnderWay).toBe(7);
    await resolver.close();
  });

  it('refuses more children than there may be endpoints before it reads one', async () => {
    const { fake, recorder, resolver } = await start(65_537);
    expect(recorder.lastError).toMatch(/has 65537 children; at most 65536 are allowed/u);
    expect(fake.questionCount).toBeLessThan(10);
    await resolver.close();
  });

  it('says how long a server was silent, and goes to the next', async () => {
    const { fake, recorder, resolver, pass, size } = await start(3);
    fake.scheduler = undefined;
    await pass(6_000);
    // The last sign of life is over; no more will come.
    await pass(10_000);
    expect(recorder.errors.map(({ message }) => message)).toEqual([
      'zookeeper /web at zk:2181: silent for 10000 ms',
    ]);
    expect(resolver.status().watch?.silenceCount).toBe(1);
    expect(size()).toBe(3);
    await resolver.close();
  });
});
