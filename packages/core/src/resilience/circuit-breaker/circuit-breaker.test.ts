import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Outcome } from '../../model/outcome.ts';
import { CircuitBreaker, type CircuitEvent } from './circuit-breaker.ts';
import { createManualRuntime, type ManualRuntime } from '../../testing/manual-runtime.ts';
import type { CircuitBreakerOptions } from '../circuit-breaker-config.ts';
import type { Entry } from './guarded-call.ts';

/** opossum decides in promise callbacks; its own timers are the platform's, so fake ones stand in. */
const settle = async (): Promise<void> => {
  for (let turn = 0; turn < 8; turn++) await Promise.resolve();
};

describe('CircuitBreaker', () => {
  const events: CircuitEvent[] = [];
  const open: CircuitBreaker[] = [];

  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    for (const breaker of open.splice(0)) breaker.close();
    expect(vi.getTimerCount()).toBe(0);
    vi.useRealTimers();
    events.length = 0;
  });

  function create(options: CircuitBreakerOptions = {}): CircuitBreaker {
    const breaker = new CircuitBreaker('users', options, {
      onEvent: (event) => events.push(event),
    });
    open.push(breaker);
    return breaker;
  }

  function enter(breaker: CircuitBreaker): Entry {
    const entry = breaker.enter();
    if (entry === undefined) throw new Error('refused');
    return entry;
  }

  async function finish(breaker: CircuitBreaker, outcome: Outcome, count: number): Promise<void> {
    for (let call = 0; call < count; call++) {
      enter(breaker).finish(outcome);
      await settle();
    }
  }

  const changes = (): string[] =>
    events.map(({ from, to, reason }) => `${from} > ${to}: ${reason}`);

  async function opened(options: CircuitBreakerOptions = {}): Promise<CircuitBreaker> {
    const breaker = create({ minRequests: 2, ...options });
    await finish(breaker, Outcome.timeout, 2);
    expect(breaker.state).toBe('open');
    return breaker;
  }

  async function halfOpened(options: CircuitBreakerOptions = {}): Promise<CircuitBreaker> {
    const breaker = await opened(options);
    vi.advanceTimersByTime(breaker.config.openMs);
    expect(breaker.state).toBe('half-open');
    return breaker;
  }

  describe('opens', () => {
    it('not before `minRequests` calls', async () => {
      const breaker = create();
      await finish(breaker, Outcome.timeout, 19);
      expect(breaker.state).toBe('closed');
      await finish(breaker, Outcome.timeout, 1);
      expect(breaker.state).toBe('open');
      expect(breaker.enter()).toBeUndefined();
      expect(changes()).toEqual(['closed > open: failures']);
    });

    it('when more than the threshold failed, not when just as many did', async () => {
      const breaker = create({ minRequests: 4 });
      await finish(breaker, Outcome.success, 2);
      await finish(breaker, Outcome.serverError, 2);
      expect(breaker.state).toBe('closed');
      await finish(breaker, Outcome.serverError, 1);
      expect(breaker.state).toBe('open');
    });

    it.each<[string, Outcome, boolean]>([
      ['success', Outcome.success, false],
      ['serverError', Outcome.serverError, true],
      ['gatewayError', Outcome.gatewayError, true],
      ['overloaded', Outcome.overloaded, true],
      ['connectFailure', Outcome.connectFailure, true],
      ['reset', Outcome.reset, true],
      ['timeout', Outcome.timeout, true],
      ['cancelled', Outcome.cancelled, false],
    ])('on %s: %s', async (_name, outcome, opens) => {
      const breaker = create({ minRequests: 5 });
      await finish(breaker, outcome, 10).catch(() => undefined);
      expect(breaker.state).toBe(opens ? 'open' : 'closed');
    });

    it('not on failures that have left the window', async () => {
      const breaker = create({ minRequests: 10, windowMs: 10_000 });
      await finish(breaker, Outcome.timeout, 9);
      vi.advanceTimersByTime(10_000);
      expect(breaker.snapshot()).toMatchObject({ callCount: 0, failureCount: 0 });
      await finish(breaker, Outcome.timeout, 9);
      expect(breaker.state).toBe('closed');
    });

    it('by hand', () => {
      const breaker = create();
      breaker.open();
      expect(changes()).toEqual(['closed > open: operator']);
    });
  });

  describe('half-open', () => {
    it('lets a single call through', async () => {
      const breaker = await halfOpened();
      const trial = breaker.enter();
      expect(trial).toBeDefined();
      expect([breaker.enter(), breaker.enter()]).toEqual([undefined, undefined]);
      trial?.finish(Outcome.success);
      await settle();
      expect(breaker.state).toBe('closed');
      expect(breaker.enter()).toBeDefined();
    });

    it('opens again when the trial fails, for as long as before', async () => {
      const breaker = await halfOpened({ openMs: 1_000 });
      await finish(breaker, Outcome.serverError, 1);
      expect(breaker.state).toBe('open');
      vi.advanceTimersByTime(999);
      expect(breaker.state).toBe('open');
      vi.advanceTimersByTime(1);
      expect(breaker.state).toBe('half-open');
      expect(changes()).toEqual([
        'closed > open: failures',
        'open > half-open: time',
        'half-open > open: trial-failed',
        'open > half-open: time',
      ]);
    });

    it('learns nothing from a trial that was cancelled: neither closed nor stuck', async () => {
      const breaker = await halfOpened({ openMs: 1_000 });
      await finish(breaker, Outcome.cancelled, 1);
      expect(breaker.state).toBe('open');
      expect(changes().at(-1)).toBe('half-open > open: trial-undecided');
      vi.advanceTimersByTime(1_000);
      await finish(breaker, Outcome.success, 1);
      expect(breaker.state).toBe('closed');
    });

    it('gives a trial that never ends `trialTimeoutMs`', async () => {
      const breaker = await halfOpened({ openMs: 1_000, trialTimeoutMs: 3_000 });
      const trial = enter(breaker);
      vi.advanceTimersByTime(3_000);
      await settle();
      expect(breaker.state).toBe('open');
      // It ends after all, and says nothing any more.
      trial.finish(Outcome.success);
      await settle();
      expect(breaker.state).toBe('open');
    });

    it.each<[string, Outcome]>([
      ['a success', Outcome.success],
      ['a failure', Outcome.timeout],
    ])('is not decided by %s of a call from before', async (_name, outcome) => {
      const breaker = create({ minRequests: 2, openMs: 1_000 });
      const early = enter(breaker);
      // The early one is under way and does not count yet.
      await finish(breaker, Outcome.timeout, 2);
      vi.advanceTimersByTime(1_000);
      expect(breaker.state).toBe('half-open');
      early.finish(outcome);
      await settle();
      expect(breaker.state).toBe('half-open');
    });
  });

  describe('closed again', () => {
    it('begins with an empty window: one failure does not open it', async () => {
      const breaker = await halfOpened({ minRequests: 2, openMs: 1 });
      await finish(breaker, Outcome.success, 1);
      expect(breaker.snapshot()).toMatchObject({ callCount: 0, failureCount: 0 });
      await finish(breaker, Outcome.timeout, 1);
      expect(breaker.state).toBe('closed');
      await finish(breaker, Outcome.timeout, 1);
      expect(breaker.state).toBe('open');
    });

    it('is not judged by calls from before it opened', async () => {
      const breaker = create({ minRequests: 2, openMs: 1_000 });
      const early = [enter(breaker), enter(breaker), enter(breaker)];
      await finish(breaker, Outcome.timeout, 2);
      vi.advanceTimersByTime(1_000);
      await finish(breaker, Outcome.success, 1);
      for (const entry of early) entry.finish(Outcome.timeout);
      await settle();
      expect(breaker.state).toBe('closed');
    });
  });

  describe('asked without an object per call', () => {
    function circuit(options: CircuitBreakerOptions = {}): {
      breaker: CircuitBreaker;
      runtime: ManualRuntime;
      call: (outcome: Outcome) => boolean;
    } {
      const runtime = createManualRuntime();
      const breaker = new CircuitBreaker('users', { minRequests: 2, ...options }, { runtime });
      open.push(breaker);
      const call = (outcome: Outcome): boolean => {
        const nowMs = runtime.clock.nowMs();
        const admitted = breaker.tryEnter(nowMs);
        if (admitted) breaker.leave(outcome, nowMs);
        return admitted;
      };
      return { breaker, runtime, call };
    }

    it('runs in virtual time, and decides at once', () => {
      const { breaker, runtime, call } = circuit({ openMs: 1_000 });
      expect([call(Outcome.timeout), call(Outcome.timeout)]).toEqual([true, true]);
      expect(breaker.state).toBe('open');
      expect(call(Outcome.success)).toBe(false);
      expect(breaker.retryAfterMs(runtime.clock.nowMs())).toBe(1_000);
      runtime.scheduler.advance(999);
      expect([breaker.state, breaker.admits]).toEqual(['open', false]);
      runtime.scheduler.advance(1);
      expect([breaker.state, breaker.admits]).toEqual(['half-open', true]);
      expect(call(Outcome.success)).toBe(true);
      expect(breaker.state).toBe('closed');
      breaker.close();
      expect(runtime.scheduler.pendingCount).toBe(0);
    });

    it('does not hear of calls from before the last change', () => {
      const { breaker, runtime, call } = circuit({ openMs: 1_000 });
      const earlyMs = runtime.clock.nowMs();
      expect(breaker.tryEnter(earlyMs)).toBe(true);
      call(Outcome.timeout);
      call(Outcome.timeout);
      runtime.scheduler.advance(1_000);
      // Not even while the trial is under way.
      expect(breaker.tryEnter(runtime.clock.nowMs())).toBe(true);
      breaker.leave(Outcome.success, earlyMs);
      expect(breaker.state).toBe('half-open');
      breaker.leave(Outcome.timeout, runtime.clock.nowMs());
      expect(breaker.state).toBe('open');
    });

    it('takes the verdict of a trial whose caller read the clock a moment before', () => {
      const { breaker, runtime, call } = circuit({ openMs: 1_000 });
      call(Outcome.timeout);
      call(Outcome.timeout);
      runtime.scheduler.advance(1_000);
      expect(breaker.tryEnter(999.5)).toBe(true);
      breaker.leave(Outcome.success, 999.5);
      expect(breaker.state).toBe('closed');
    });

    it('leaves nothing behind of the states it has been in', () => {
      const { breaker, runtime, call } = circuit({ openMs: 10 });
      const warned = vi.spyOn(process, 'emitWarning');
      call(Outcome.timeout);
      for (let cycle = 0; cycle < 100; cycle++) {
        call(Outcome.timeout);
        expect(breaker.state).toBe('open');
        runtime.scheduler.advance(10);
      }
      expect(breaker.openedCount).toBe(100);
      // Of the window; the half-open state has no timer.
      expect(runtime.scheduler.pendingCount).toBe(1);
      expect(warned).not.toHaveBeenCalled();
    });

    it('gives a trial back as if nobody had asked', () => {
      const { breaker, runtime, call } = circuit({ openMs: 1_000, trialTimeoutMs: 100 });
      call(Outcome.timeout);
      call(Outcome.timeout);
      runtime.scheduler.advance(1_000);
      expect(breaker.tryEnter(runtime.clock.nowMs())).toBe(true);
      expect(breaker.admits).toBe(false);
      breaker.giveBack();
      runtime.scheduler.advance(100);
      expect([breaker.state, breaker.admits]).toEqual(['half-open', true]);
    });
  });

  it('does not count refused calls as calls', async () => {
    const breaker = await opened();
    for (let call = 0; call < 1_000; call++) breaker.enter();
    expect(breaker.snapshot()).toMatchObject({
      callCount: 2,
      failureCount: 2,
      rejectedCount: 1_000,
      openedCount: 1,
    });
  });

  it('counts a call once, however often it is finished', async () => {
    const breaker = create({ minRequests: 2 });
    const entry = enter(breaker);
    entry.finish(Outcome.success);
    entry.finish(Outcome.timeout);
    entry.finish(Outcome.timeout);
    await settle();
    expect(breaker.snapshot()).toMatchObject({ callCount: 1, failureCount: 0 });
  });

  it('goes on when a listener throws', async () => {
    const breaker = create({ minRequests: 2 });
    breaker.subscribe(() => {
      throw new Error('listener');
    });
    const heard: string[] = [];
    const unsubscribe = breaker.subscribe(({ to }) => heard.push(to));
    await finish(breaker, Outcome.timeout, 2);
    expect(heard).toEqual(['open']);
    unsubscribe();
    vi.advanceTimersByTime(5_000);
    expect(heard).toEqual(['open']);
    expect(breaker.state).toBe('half-open');
  });

  it('when closed down refuses everything and leaves no timer, from every state', async () => {
    for (const breaker of [create(), await opened(), await halfOpened()]) {
      if (breaker.state === 'half-open') breaker.enter()?.finish(Outcome.success);
      breaker.close();
      breaker.close();
      expect(breaker.state).toBe('shutdown');
      expect(breaker.enter()).toBeUndefined();
      breaker.open();
      await settle();
      expect(breaker.state).toBe('shutdown');
    }
  });

  it.each([
    [
      { errorThresholdPercent: 100 },
      'circuitBreaker.errorThresholdPercent: expected a number from 1 to 99, got 100',
    ],
    [
      { minRequests: 0 },
      'circuitBreaker.minRequests: expected an integer from 1 to 1000000, got 0',
    ],
    [{ resetTimeout: 1 }, 'circuitBreaker.resetTimeout: expected no such option'],
  ])('refuses %j', (options, message) => {
    expect(() => new CircuitBreaker('x', options as CircuitBreakerOptions)).toThrow(message);
  });
});
