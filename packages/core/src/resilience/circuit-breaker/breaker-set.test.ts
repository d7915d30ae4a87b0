import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Outcome } from '../../model/outcome.ts';
import { createManualRuntime } from '../../testing/manual-runtime.ts';
import { CircuitBreakers } from './breaker-set.ts';
import type { CircuitBreaker, CircuitEvent } from './circuit-breaker.ts';

describe('CircuitBreakers', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => {
    expect(vi.getTimerCount()).toBe(0);
    vi.useRealTimers();
  });

  async function fail(breaker: CircuitBreaker): Promise<void> {
    for (let call = 0; call < breaker.config.minRequests; call++)
      breaker.enter()?.finish(Outcome.timeout);
    for (let turn = 0; turn < 8; turn++) await Promise.resolve();
  }

  it('keeps the endpoints apart from each other and from the cluster', async () => {
    const events: CircuitEvent[] = [];
    const breakers = new CircuitBreakers({ name: 'users', onEvent: (event) => events.push(event) });
    await fail(breakers.endpoint('10.0.0.1:80'));
    expect(breakers.snapshot().map(({ name, state }) => `${name} ${state}`)).toEqual([
      'users closed',
      'users/10.0.0.1:80 open',
    ]);
    expect(breakers.endpoint('10.0.0.1:80').enter()).toBeUndefined();
    expect(breakers.endpoint('10.0.0.2:80').enter()).toBeDefined();
    expect(breakers.cluster.enter()).toBeDefined();
    expect(events).toEqual([
      {
        type: 'circuit-changed',
        name: 'users/10.0.0.1:80',
        from: 'closed',
        to: 'open',
        reason: 'failures',
      },
    ]);
    breakers.close();
  });

  it('needs one timer for all, and warns of no leak', () => {
    const { scheduler, clock } = createManualRuntime();
    const breakers = new CircuitBreakers({ name: 'users', runtime: { scheduler, clock } });
    const warned = vi.spyOn(process, 'emitWarning');
    for (let index = 0; index < 1_000; index++) breakers.endpoint(`10.0.0.${index}:80`);
    expect(scheduler.pendingCount).toBe(1);
    expect(warned).not.toHaveBeenCalled();
    breakers.close();
    expect(scheduler.pendingCount).toBe(0);
  });

  it('turns the windows of all together', async () => {
    const { scheduler, clock } = createManualRuntime();
    const breakers = new CircuitBreakers({ name: 'users', runtime: { scheduler, clock } });
    for (const breaker of [breakers.cluster, breakers.endpoint('a')])
      breaker.enter()?.finish(Outcome.success);
    await Promise.resolve();
    scheduler.advance(9_999);
    expect(breakers.snapshot().map(({ callCount }) => callCount)).toEqual([1, 1]);
    scheduler.advance(1);
    expect(breakers.snapshot().map(({ callCount }) => callCount)).toEqual([0, 0]);
    breakers.close();
  });

  it('forgets an endpoint that is gone', async () => {
    const breakers = new CircuitBreakers({ name: 'users' });
    const gone = breakers.endpoint('a');
    await fail(gone);
    breakers.remove('a');
    breakers.remove('a');
    expect(gone.state).toBe('shutdown');
    expect(breakers.endpoint('a').state).toBe('closed');
    breakers.close();
  });

  it('refuses everything after close', () => {
    const breakers = new CircuitBreakers({ name: 'users' });
    breakers.close();
    breakers.close();
    expect(breakers.cluster.enter()).toBeUndefined();
    expect(breakers.endpoint('a').enter()).toBeUndefined();
    expect(breakers.snapshot()).toHaveLength(1);
  });

  it('refuses wrong options at once', () => {
    expect(() => new CircuitBreakers({ name: 'users', options: { openMs: 0 } })).toThrow(
      'circuitBreaker.openMs: expected a duration from 1 ms to 3600000 ms, got 0',
    );
  });
});
