import { describe, expect, it } from 'vitest';
import { createManualRuntime } from '../testing/manual-runtime.ts';
import type { Member } from './member.ts';
import type { Publication } from './publication.ts';
import { Publisher } from './publisher.ts';
import { builderBench, membersOf } from './test-support/topology.ts';
import { WarmUp } from './warm-up.ts';

function setUp(members: readonly Member[] = membersOf({}), warmUpWindowMs?: number) {
  const runtime = createManualRuntime();
  const bench = builderBench();
  let buildMs = 0;
  const published: Publication[] = [];
  const warmUp =
    warmUpWindowMs === undefined
      ? undefined
      : new WarmUp(
          { windowMs: warmUpWindowMs, aggression: 1, minWeightPercent: 10 },
          runtime.clock,
        );
  const publisher = new Publisher({
    runtime,
    builder: {
      build: (current) => {
        runtime.clock.set(runtime.clock.nowMs() + buildMs);
        return bench.build([...current]);
      },
    },
    warmUp,
    members: () => members,
    onPublished: (publication) => published.push(publication),
  });
  return {
    runtime,
    publisher,
    published,
    warmUp,
    takes: (durationMs: number) => (buildMs = durationMs),
  };
}

describe('Publisher', () => {
  it('begins with nobody', () => {
    const { publisher } = setUp();
    expect(publisher.current.candidateCount).toBe(0);
    publisher.publish();
    expect(publisher.current.candidateCount).toBe(1);
  });

  it('joins requests of one turn', () => {
    const { runtime, publisher, published } = setUp();
    for (let i = 0; i < 10; i++) publisher.request();
    expect(published).toHaveLength(0);
    runtime.scheduler.advance(0);
    expect(published).toHaveLength(1);
  });

  it('rests ten times as long as a publication took', () => {
    const { runtime, publisher, published, takes } = setUp();
    takes(5);
    publisher.publish();
    publisher.request();
    runtime.scheduler.advance(49);
    expect(published).toHaveLength(1);
    runtime.scheduler.advance(1);
    expect(published).toHaveLength(2);
  });

  it('publishes again while anyone warms up, and then no more', () => {
    const [first, second] = membersOf({}, {}) as [Member, Member];
    const { runtime, publisher, published, warmUp } = setUp([first, second], 10_000);
    warmUp?.onListed([first]);
    publisher.publish();
    expect(runtime.scheduler.pendingCount).toBe(0);
    warmUp?.onListed([first, second]);
    publisher.publish();
    runtime.scheduler.advance(60_000);
    // Fifty steps of 200 ms, after the two publications above.
    expect(published).toHaveLength(52);
    expect(runtime.scheduler.pendingCount).toBe(0);
  });

  it('is silent after close', () => {
    const [first, second] = membersOf({}, {}) as [Member, Member];
    const { runtime, publisher, published, warmUp } = setUp([first, second], 10_000);
    warmUp?.onListed([first]);
    warmUp?.onListed([first, second]);
    publisher.publish();
    publisher.request();
    publisher.close();
    runtime.scheduler.advance(20_000);
    publisher.publish();
    expect(published).toHaveLength(1);
    expect(runtime.scheduler.pendingCount).toBe(0);
  });
});
