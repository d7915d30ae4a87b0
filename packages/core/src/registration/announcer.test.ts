import { channel } from 'node:diagnostics_channel';
import { describe, expect, it } from 'vitest';
import type { Logger } from '../runtime/logger.ts';
import { createManualRuntime } from '../testing/manual-runtime.ts';
import { Announcer } from './announcer.ts';
import { REGISTRATION_EVENT_CHANNEL, type RegistrationEvent } from './events.ts';
import { FakeRegistrar } from './test-support/fake-registrar.ts';

function create(options: { lingerMs?: number } = {}) {
  const messages: string[] = [];
  const say = (_: object, message: string): void => void messages.push(message);
  const logger: Logger = { debug: say, info: say, warn: say, error: say };
  const runtime = createManualRuntime({ logger });
  const registrar = new FakeRegistrar(() => runtime.clock.nowMs());
  const announcer = new Announcer({
    id: 'users-1',
    service: 'users',
    kind: 'fake',
    registrar,
    lingerMs: options.lingerMs ?? 0,
    runtime,
  });
  const pass = (durationMs: number): Promise<void> => runtime.scheduler.advanceAsync(durationMs);
  /** Closes while time passes. */
  const close = async (): Promise<void> => {
    const closing = announcer.close();
    await pass(60_000);
    await closing;
  };
  return { runtime, registrar, announcer, pass, close, messages };
}

describe('Announcer', () => {
  it('announces, then beats every third of the TTL, ±10 %', async () => {
    const { registrar, announcer, pass, close } = create();
    announcer.start();
    await announcer.ready();
    await pass(60_000);
    expect(registrar.history.slice(0, 3)).toEqual([
      'announce healthy',
      'beat healthy',
      'beat healthy',
    ]);
    const gaps = registrar.timesMs.slice(1).map((at, i) => at - (registrar.timesMs[i] as number));
    for (const gap of gaps) {
      expect(gap).toBeGreaterThanOrEqual(4_500);
      expect(gap).toBeLessThanOrEqual(5_500);
    }
    expect(announcer.status()).toMatchObject({
      kind: 'fake',
      state: 'announced',
      health: 'healthy',
      lastError: undefined,
      errorCount: 0,
      lostCount: 0,
      beatCount: gaps.length,
    });
    await close();
  });

  it('tries until the registry takes the announcement, without a storm', async () => {
    const { registrar, announcer, pass, close, messages } = create();
    registrar.mode = 'fails';
    announcer.start();
    let isReady = false;
    const ready = announcer.ready().then(() => (isReady = true));
    await pass(60_000);
    expect(isReady).toBe(false);
    expect(announcer.status()).toMatchObject({
      state: 'announcing',
      lastError: 'connection refused',
    });
    // Full jitter up to 5 s: 2.5 s on average, after a few short waits.
    expect(registrar.history.length).toBeLessThan(60);
    expect(registrar.history.length).toBeGreaterThan(10);
    expect(messages).toContain('registration failed; trying again');
    registrar.mode = 'works';
    await pass(5_000);
    await ready;
    expect(announcer.status()).toMatchObject({ state: 'announced', lastError: undefined });
    await close();
  });

  it('announces itself anew when the registry has lost it', async () => {
    const { registrar, announcer, pass, close, messages } = create();
    announcer.start();
    await pass(10_000);
    registrar.known = false;
    await pass(5_500);
    expect(registrar.known).toBe(true);
    expect(registrar.history.at(-1)).toBe('announce healthy');
    expect(announcer.status()).toMatchObject({ state: 'announced', lostCount: 1 });
    expect(messages).toContain('the registry has lost this instance: registering it again');
    await close();
  });

  it('announces at most once a second where it is lost again and again', async () => {
    const { registrar, announcer, pass, close } = create();
    announcer.start();
    for (let round = 0; round < 1_000; round += 1) {
      registrar.known = false;
      announcer.setHealth(round % 2 === 0 ? 'healthy' : 'degraded');
      await pass(10);
    }
    const announcements = registrar.history.filter((call) => call.startsWith('announce'));
    expect(announcements.length).toBeLessThanOrEqual(11);
    await close();
  });

  it('gets through a time of failures with the same call, at least every third of the TTL', async () => {
    const { registrar, announcer, pass, close } = create();
    announcer.start();
    await pass(10_000);
    registrar.mode = 'fails';
    await pass(60_000);
    const gaps = registrar.timesMs.slice(1).map((at, i) => at - (registrar.timesMs[i] as number));
    expect(Math.max(...gaps)).toBeLessThanOrEqual(5_500);
    expect(announcer.status().state).toBe('announced');
    registrar.mode = 'works';
    await pass(5_000);
    expect(announcer.status().lastError).toBeUndefined();
    expect(announcer.status().lostCount).toBe(0);
    await close();
  });

  it('gives up on a call that never returns', async () => {
    const { registrar, announcer, pass, close } = create();
    registrar.mode = 'hangs';
    announcer.start();
    await pass(5_000);
    expect(announcer.status().lastError).toMatch(/no answer within 5000 ms/u);
    registrar.release();
    await pass(5_000);
    expect(announcer.status().state).toBe('announced');
    await close();
  });

  describe('setHealth', () => {
    it('tells the registry at once', async () => {
      const { registrar, announcer, pass, close } = create();
      announcer.start();
      await pass(1_000);
      announcer.setHealth('degraded', 'disk is full');
      await pass(0);
      expect(registrar.history).toEqual(['announce healthy', 'beat degraded disk is full']);
      announcer.setHealth('degraded', 'disk is full');
      await pass(0);
      expect(registrar.history).toHaveLength(2);
      await close();
    });

    it('during a call is told by the next one, and only the last counts', async () => {
      const { registrar, announcer, pass, close } = create();
      announcer.start();
      await pass(1_000);
      registrar.mode = 'hangs';
      announcer.setHealth('degraded');
      announcer.setHealth('unhealthy');
      announcer.setHealth('healthy', 'again');
      await pass(100);
      registrar.release();
      await pass(0);
      expect(registrar.history.slice(1)).toEqual(['beat degraded', 'beat healthy again']);
      expect(registrar.mostUnderWay).toBe(1);
      await close();
    });

    it('before the announcement is part of it, or follows it', async () => {
      const { registrar, announcer, pass, close } = create();
      announcer.start();
      announcer.setHealth('unhealthy', 'warming up');
      await pass(0);
      expect(registrar.history).toEqual(['announce healthy', 'beat unhealthy warming up']);
      await close();
    });
  });

  describe('close', () => {
    it('withdraws, then lingers, and leaves nothing behind', async () => {
      const { runtime, registrar, announcer, pass } = create({ lingerMs: 2_000 });
      announcer.start();
      await pass(1_000);
      let isClosed = false;
      const closing = announcer.close().then(() => (isClosed = true));
      await pass(1_999);
      expect(registrar.history.at(-1)).toBe('withdraw');
      expect(isClosed).toBe(false);
      await pass(1);
      await closing;
      expect(registrar.known).toBe(false);
      expect(registrar.closeCount).toBe(1);
      expect(announcer.status().state).toBe('closed');
      expect(runtime.scheduler.pendingCount).toBe(0);
      announcer.setHealth('healthy', 'ignored');
      await announcer.close();
      await pass(60_000);
      expect(registrar.history).toEqual(['announce healthy', 'withdraw']);
      await expect(announcer.ready()).rejects.toThrow('is closed');
    });

    it('waits for an announcement under way, which would otherwise arrive after the withdrawal', async () => {
      const { registrar, announcer, pass } = create();
      registrar.mode = 'hangs';
      announcer.start();
      await pass(100);
      const closing = announcer.close();
      await pass(100);
      expect(registrar.history).toEqual(['announce healthy']);
      registrar.release();
      await pass(0);
      await closing;
      expect(registrar.history).toEqual(['announce healthy', 'withdraw']);
      expect(registrar.known).toBe(false);
    });

    it('tries a few seconds while the registry fails, does not linger then, and never rejects', async () => {
      const { runtime, registrar, announcer, pass, messages } = create({ lingerMs: 60_000 });
      announcer.start();
      await pass(1_000);
      registrar.mode = 'fails';
      const closing = announcer.close();
      await pass(10_000);
      await closing;
      expect(registrar.history.filter((call) => call === 'withdraw').length).toBeGreaterThan(2);
      expect(messages.at(-1)).toBe(
        'not deregistered; the registry forgets this instance after its TTL',
      );
      expect(runtime.scheduler.pendingCount).toBe(0);
    });

    it('takes at most the time of a call and that of the withdrawal where the registry hangs', async () => {
      const { runtime, registrar, announcer, pass } = create({ lingerMs: 60_000 });
      announcer.start();
      await pass(1_000);
      registrar.mode = 'hangs';
      announcer.setHealth('degraded');
      await pass(0);
      const startMs = runtime.clock.nowMs();
      let tookMs: number | undefined;
      void announcer.close().then(() => (tookMs = runtime.clock.nowMs() - startMs));
      await pass(30_000);
      expect(tookMs).toBeLessThanOrEqual(10_000);
      registrar.release();
    });

    it('ends the waiting of those who waited for readiness', async () => {
      const { registrar, announcer, pass } = create();
      registrar.mode = 'fails';
      announcer.start();
      const waited = announcer.ready().then(
        () => 'ready',
        (error: unknown) => String(error),
      );
      const closing = announcer.close();
      await pass(30_000);
      await closing;
      expect(await waited).toContain('is closed');
    });
  });

  describe('events', () => {
    const recorded = (announcer: Announcer): string[] => {
      const types: string[] = [];
      announcer.subscribe((event) => {
        const { type } = event;
        types.push(type === 'instance-health-told' ? `${type} ${event.health}` : type);
      });
      return types;
    };

    it('tell each turn once, and nothing of heartbeats that get through', async () => {
      const { registrar, announcer, pass, close } = create();
      const types = recorded(announcer);
      registrar.mode = 'fails';
      announcer.start();
      await pass(0);
      registrar.mode = 'works';
      await pass(60_000);
      announcer.setHealth('degraded');
      await pass(60_000);
      registrar.known = false;
      await pass(10_000);
      await close();
      expect(types).toEqual([
        'registration-error',
        'registration-recovered',
        'registered',
        'instance-health-told healthy',
        'instance-health-told degraded',
        'registration-lost',
        'registered',
        'deregistered',
      ]);
    });

    it('say who, where and when, on a channel, too, and survive a listener that throws', async () => {
      const { runtime, announcer, pass, close, messages } = create();
      const heard: RegistrationEvent[] = [];
      const onEvent = (event: unknown): void => void heard.push(event as RegistrationEvent);
      channel(REGISTRATION_EVENT_CHANNEL).subscribe(onEvent);
      announcer.subscribe(() => {
        throw new Error('listener');
      });
      announcer.start();
      await pass(0);
      channel(REGISTRATION_EVENT_CHANNEL).unsubscribe(onEvent);
      expect(heard[0]).toEqual({
        type: 'registered',
        service: 'users',
        id: 'users-1',
        registry: 'fake',
        wallMs: runtime.clock.wallMs(),
      });
      expect(messages).toContain('a listener of registration events threw');
      expect(announcer.status().state).toBe('announced');
      await close();
    });

    it('say whether the registry took the withdrawal', async () => {
      const { registrar, announcer, pass, close } = create();
      let confirmed: boolean | undefined;
      announcer.subscribe((event) => {
        if (event.type === 'deregistered') ({ confirmed } = event);
      });
      announcer.start();
      await pass(0);
      registrar.mode = 'fails';
      await close();
      expect(confirmed).toBe(false);
    });
  });

  it('knows how long ago a call got through', async () => {
    const { registrar, announcer, pass, close } = create();
    expect(announcer.status().sinceSuccessMs).toBeUndefined();
    announcer.start();
    await pass(0);
    registrar.mode = 'fails';
    await pass(42_000);
    expect(announcer.status().sinceSuccessMs).toBe(42_000);
    await close();
  });

  it('lets a waiting for readiness be aborted', async () => {
    const { registrar, announcer, close } = create();
    registrar.mode = 'hangs';
    announcer.start();
    const abort = new AbortController();
    const waited = announcer.ready(abort.signal).then(
      () => 'ready',
      (error: unknown) => String(error),
    );
    abort.abort(new Error('enough'));
    expect(await waited).toContain('enough');
    registrar.release();
    await close();
  });
});
