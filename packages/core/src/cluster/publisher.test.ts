import { describe, expect, it } from 'vitest';
import { createEndpoint } from '../model/endpoint.ts';
import { HealthFlag } from '../model/health-state.ts';
import type { Balancer } from '../policy/policy.ts';
import { createManualRuntime } from '../testing/manual-runtime.ts';
import { Member } from './member.ts';
import { type Publication, Publisher } from './publisher.ts';

function setUp(flags: readonly number[], weights: readonly number[] = []) {
  const runtime = createManualRuntime();
  let buildMs = 0;
  const balancer: Balancer = {
    update: () => {
      runtime.clock.set(runtime.clock.nowMs() + buildMs);
      return { pick: () => 0, explain: () => [] };
    },
  };
  const members = flags.map(
    (flag, slot) =>
      new Member(
        slot,
        createEndpoint({ address: `h:${slot + 1}`, weight: weights[slot] ?? 1 }),
        flag,
      ),
  );
  const published: Publication[] = [];
  const publisher = new Publisher({
    runtime,
    balancer,
    panicThresholdPercent: 50,
    members: () => members,
    onPublished: (publication) => published.push(publication),
  });
  return { runtime, publisher, published, takes: (durationMs: number) => (buildMs = durationMs) };
}

describe('Publisher', () => {
  it.each([
    { name: 'all healthy', flags: [0, 0, 0], slots: [0, 1, 2], panic: false },
    { name: 'one ejected', flags: [0, HealthFlag.ejected, 0], slots: [0, 2], panic: false },
    { name: 'exactly half healthy', flags: [0, HealthFlag.ejected], slots: [0], panic: false },
    {
      name: 'less than half healthy',
      flags: [0, HealthFlag.ejected, HealthFlag.failedActiveCheck],
      slots: [0, 1, 2],
      panic: true,
    },
    {
      name: 'panic spares no disabled one',
      flags: [4, 4, HealthFlag.disabled],
      slots: [0, 1],
      panic: true,
    },
    {
      name: 'draining ones do not count',
      flags: [0, HealthFlag.draining, HealthFlag.draining],
      slots: [0],
      panic: false,
    },
    { name: 'nobody', flags: [], slots: [], panic: false },
  ])('$name', ({ flags, slots, panic }) => {
    const { publisher } = setUp(flags);
    publisher.publish();
    expect([...publisher.current.members.slots]).toEqual(slots);
    expect(publisher.current.panic).toBe(panic);
  });

  it('leaves out endpoints of weight 0', () => {
    const { publisher } = setUp([0, 0], [0, 3]);
    publisher.publish();
    expect([...publisher.current.members.slots]).toEqual([1]);
    expect([...publisher.current.members.weights]).toEqual([3]);
  });

  it('joins requests of one turn', () => {
    const { runtime, publisher, published } = setUp([0]);
    for (let i = 0; i < 10; i++) publisher.request();
    expect(published).toHaveLength(0);
    runtime.scheduler.advance(0);
    expect(published).toHaveLength(1);
  });

  it('rests ten times as long as a publication took', () => {
    const { runtime, publisher, published, takes } = setUp([0]);
    takes(5);
    publisher.publish();
    publisher.request();
    runtime.scheduler.advance(49);
    expect(published).toHaveLength(1);
    runtime.scheduler.advance(1);
    expect(published).toHaveLength(2);
  });

  it('is silent after close', () => {
    const { runtime, publisher, published } = setUp([0]);
    publisher.request();
    publisher.close();
    runtime.scheduler.advance(1_000);
    publisher.publish();
    expect(published).toHaveLength(0);
  });
});
