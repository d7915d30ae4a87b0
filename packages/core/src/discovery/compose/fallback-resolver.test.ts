import { describe, expect, it } from 'vitest';
import { createManualRuntime } from '../../testing/manual-runtime.ts';
import type { Discovery } from '../resolver.ts';
import { FakeSource } from '../test-support/fake-source.ts';
import { Recorder } from '../test-support/recorder.ts';
import { fallback, type FallbackOptions } from './fallback.ts';

const A = ['10.0.0.1:80'];
const B = ['10.0.0.2:80'];

function start(sources: readonly Discovery[], options: FallbackOptions = { afterMs: 10_000 }) {
  const runtime = createManualRuntime();
  const resolver = fallback(sources, options).create({ cluster: 'users', runtime });
  const recorder = new Recorder();
  resolver.start(recorder);
  const advance = (durationMs: number): void => runtime.scheduler.advance(durationMs);
  return { resolver, recorder, runtime, advance };
}

function pair() {
  return { a: new FakeSource('a'), b: new FakeSource('b', { atStart: B }) };
}

describe('fallback', () => {
  it('waits for the first source at the start, so that a ready second one does not flash up', () => {
    const { a, b } = pair();
    const { recorder, advance } = start([a, b]);
    advance(4_000);
    expect(recorder.sets).toEqual([]);
    a.deliver(A);
    expect(recorder.sets).toHaveLength(1);
    expect(recorder.ids).toEqual(A);
  });

  it('takes the second source at once when the first fails without ever having delivered', () => {
    const { a, b } = pair();
    const { recorder, resolver } = start([a, b]);
    a.fail('no route');
    expect(recorder.ids).toEqual(B);
    expect(resolver.status()).toMatchObject({ source: '2 of 2 in use: fake b', healthy: true });
  });

  it('takes the second source after the start grace when the first says nothing at all', () => {
    const { a, b } = pair();
    const { recorder, advance } = start([a, b]);
    advance(4_999);
    expect(recorder.sets).toEqual([]);
    advance(1_001);
    expect(recorder.ids).toEqual(B);
  });

  it('keeps the last good set of a failing source until afterMs, then switches', () => {
    const { a, b } = pair();
    const { recorder, advance, resolver } = start([a, b]);
    a.deliver(A);
    a.fail();
    advance(9_900);
    expect(recorder.ids).toEqual(A);
    advance(1_100);
    expect(recorder.ids).toEqual(B);
    expect(resolver.status().source).toBe('2 of 2 in use: fake b');
  });

  it('goes back when the first source delivers again, also the same set as before', () => {
    const { a, b } = pair();
    const { recorder, advance, resolver } = start([a, b]);
    a.deliver(A);
    a.fail();
    advance(11_000);
    expect(recorder.ids).toEqual(B);
    a.deliver(A); // unchanged, so the resolver tells nobody
    advance(1_000);
    expect(recorder.ids).toEqual(A);
    expect(resolver.status().source).toBe('1 of 2 in use: fake a');
  });

  it('counts the failing time anew after a recovery', () => {
    const { a, b } = pair();
    const { recorder, advance } = start([a, b]);
    a.deliver(A);
    for (let round = 0; round < 5; round += 1) {
      a.fail();
      advance(8_000);
      a.deliver(A);
      advance(2_000);
    }
    expect(recorder.sets).toHaveLength(1);
  });

  it('passes an empty set over, and delivers it when nobody has endpoints', () => {
    const { a, b } = pair();
    const { recorder } = start([a, b]);
    a.deliver([]);
    expect(recorder.ids).toEqual(B);
    b.deliver([]);
    expect(recorder.ids).toEqual([]);
    a.deliver(A);
    expect(recorder.ids).toEqual(A);
  });

  it('stays with what it has when every source fails', () => {
    const { a, b } = pair();
    const { recorder, advance, resolver } = start([a, b]);
    a.deliver(A);
    a.fail('one');
    b.fail('two');
    advance(60_000);
    expect(recorder.ids).toEqual(A);
    expect(recorder.sets).toHaveLength(1);
    expect(resolver.status()).toMatchObject({ healthy: false, lastError: 'one' });
  });

  it('prefers stale endpoints of a later source to none', () => {
    const { a, b } = pair();
    const { recorder, advance } = start([a, b], { afterMs: 1_000 });
    b.fail();
    advance(900);
    a.fail();
    expect(recorder.ids).toEqual(B);
    advance(60_000);
    expect(recorder.ids).toEqual(B);
  });

  it('walks down three sources and up again', () => {
    const [a, b, c] = [new FakeSource('a'), new FakeSource('b'), new FakeSource('c')];
    const { recorder, advance } = start([a, b, c]);
    c.deliver(['10.0.0.3:80']);
    a.fail();
    b.fail();
    expect(recorder.ids).toEqual(['10.0.0.3:80']);
    b.deliver(B);
    expect(recorder.ids).toEqual(B);
    a.deliver(A);
    expect(recorder.ids).toEqual(A);
    advance(60_000);
    expect(recorder.sets).toHaveLength(3);
  });

  it('runs no timer while all is well, and none after close', async () => {
    const { a, b } = pair();
    const { resolver, runtime } = start([a, b]);
    expect(runtime.scheduler.pendingCount).toBe(1);
    a.deliver(A);
    expect(runtime.scheduler.pendingCount).toBe(0);
    a.fail();
    expect(runtime.scheduler.pendingCount).toBe(1);
    await resolver.close();
    expect(runtime.scheduler.pendingCount).toBe(0);
    expect([a.closeCount, b.closeCount]).toEqual([1, 1]);
  });

  it('refuses a negative time and an unknown option', () => {
    const { a } = pair();
    expect(() => fallback([a], { afterMs: -1 })).toThrow('fallback.afterMs: expected a duration');
    expect(() => fallback([a], { after: 1 } as FallbackOptions)).toThrow('fallback.after');
  });
});
