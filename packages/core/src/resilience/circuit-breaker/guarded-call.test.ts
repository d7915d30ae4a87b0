import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { isEvenkeelError } from '../../error/evenkeel-error.ts';
import { Outcome } from '../../model/outcome.ts';
import { createManualRuntime, type ManualRuntime } from '../../testing/manual-runtime.ts';
import { type CallOptions, type Entry, guardedCall } from './guarded-call.ts';

/** A breaker that notes what it hears. */
class Host {
  readonly name = 'users';
  readonly callTimeoutMs = 1_000;
  readonly runtime: ManualRuntime = createManualRuntime();
  readonly scheduler = this.runtime.scheduler;
  readonly outcomes: Outcome[] = [];
  isOpen = false;
  entered = 0;

  enter(): Entry | undefined {
    if (this.isOpen) return undefined;
    this.entered++;
    let finished = false;
    return {
      finish: (outcome) => {
        if (!finished) this.outcomes.push(outcome);
        finished = true;
      },
    };
  }
}

const never = <T>(): Promise<T> => new Promise(() => undefined);
const unhandled = vi.fn<(reason: unknown) => void>();

describe('guardedCall', () => {
  beforeEach(() => void process.on('unhandledRejection', unhandled));
  afterEach(() => {
    process.off('unhandledRejection', unhandled);
    expect(unhandled).not.toHaveBeenCalled();
  });

  describe('reports what a call says about the other side', () => {
    it.each<[string, () => Promise<unknown>, Outcome]>([
      ['a value', () => Promise.resolve('x'), Outcome.success],
      ['a response 200', () => Promise.resolve({ status: 200 }), Outcome.success],
      ['a response 404', () => Promise.resolve({ status: 404 }), Outcome.success],
      ['a response 500', () => Promise.resolve({ statusCode: 500 }), Outcome.serverError],
      ['a response 503', () => Promise.resolve({ status: 503 }), Outcome.gatewayError],
      ['a response 429', () => Promise.resolve({ statusCode: 429 }), Outcome.overloaded],
      ['an error', () => Promise.reject(new Error('ECONNRESET')), Outcome.reset],
      [
        'an error with status 400',
        () => Promise.reject(Object.assign(new Error('bad'), { status: 400 })),
        Outcome.success,
      ],
      [
        'an error with status 502',
        () => Promise.reject(Object.assign(new Error('bad'), { statusCode: 502 })),
        Outcome.gatewayError,
      ],
    ])('%s', async (_name, action, outcome) => {
      const host = new Host();
      await guardedCall(action, {}, host).catch(() => undefined);
      expect(host.outcomes).toEqual([outcome]);
      expect(host.scheduler.pendingCount).toBe(0);
    });

    it('a synchronous throw, as a rejection', async () => {
      const host = new Host();
      const action = (): Promise<never> => {
        throw new Error('early');
      };
      await expect(guardedCall(action, {}, host)).rejects.toThrow('early');
      expect(host.outcomes).toEqual([Outcome.reset]);
    });

    it('by a rule of its own, and neutrally when that throws', async () => {
      const host = new Host();
      await guardedCall(() => Promise.resolve(7), { outcomeOf: () => Outcome.overloaded }, host);
      const outcomeOf = (): never => {
        throw new Error('rule');
      };
      await expect(guardedCall(() => Promise.resolve(7), { outcomeOf }, host)).rejects.toThrow(
        'rule',
      );
      expect(host.outcomes).toEqual([Outcome.overloaded, Outcome.cancelled]);
    });
  });

  describe('ends every call', () => {
    it('at its time limit, even if the action ignores the signal', async () => {
      const host = new Host();
      let signal: AbortSignal | undefined;
      const call = guardedCall(
        (given) => {
          signal = given;
          return never();
        },
        { timeoutMs: 50 },
        host,
      );
      const failed = call.catch((error: unknown) => error);
      await host.scheduler.advanceAsync(49);
      expect(signal?.aborted).toBe(false);
      await host.scheduler.advanceAsync(1);
      const error = await failed;
      expect(isEvenkeelError(error, 'EVENKEEL_DEADLINE')).toBe(true);
      expect(error).toMatchObject({
        message: "circuit 'users': no result within 50 ms",
        retryable: true,
      });
      expect(signal?.aborted).toBe(true);
      expect(signal?.reason).toBe(error);
      expect(host.outcomes).toEqual([Outcome.timeout]);
    });

    it('after the default time when none is given', async () => {
      const host = new Host();
      const failed = guardedCall(() => never(), {}, host).catch((error: unknown) => error);
      await host.scheduler.advanceAsync(1_000);
      expect(await failed).toMatchObject({ code: 'EVENKEEL_DEADLINE' });
    });

    it('when the caller gives up, which says nothing', async () => {
      const host = new Host();
      const caller = new AbortController();
      const fallback = vi.fn<() => string>(() => 'fallback');
      const options: CallOptions<string> = { signal: caller.signal, fallback };
      const failed = guardedCall<string>(() => never(), options, host).catch(
        (error: unknown) => error,
      );
      const reason = new Error('left');
      caller.abort(reason);
      expect(await failed).toBe(reason);
      expect(host.outcomes).toEqual([Outcome.cancelled]);
      expect(fallback).not.toHaveBeenCalled();
      expect(host.scheduler.pendingCount).toBe(0);
    });

    it('before it begins when the caller has already given up', async () => {
      const host = new Host();
      const signal = AbortSignal.abort(new Error('left'));
      await expect(guardedCall(() => Promise.resolve(1), { signal }, host)).rejects.toThrow('left');
      expect(host.entered).toBe(0);
    });

    it('once: what the action does afterwards is nobody’s concern', async () => {
      const host = new Host();
      let fail: (error: Error) => void = () => undefined;
      const action = (): Promise<never> =>
        new Promise((_resolve, reject) => {
          fail = reject;
        });
      const failed = guardedCall(action, { timeoutMs: 5 }, host).catch((error: unknown) => error);
      await host.scheduler.advanceAsync(5);
      await failed;
      fail(new Error('late'));
      await new Promise((resolve) => setImmediate(resolve));
      expect(host.outcomes).toEqual([Outcome.timeout]);
    });

    it('with a signal of its own: a call that times out leaves the others alone', async () => {
      const host = new Host();
      const signals: AbortSignal[] = [];
      const action = (signal: AbortSignal): Promise<void> => {
        signals.push(signal);
        return never();
      };
      const first = guardedCall(action, { timeoutMs: 10 }, host).catch(() => 'late');
      const second = guardedCall(action, { timeoutMs: 100 }, host).catch(() => 'late');
      await host.scheduler.advanceAsync(10);
      expect(await first).toBe('late');
      expect(signals.map((signal) => signal.aborted)).toEqual([true, false]);
      await host.scheduler.advanceAsync(90);
      await second;
    });

    it('leaves no listener on a signal that many calls share', async () => {
      const host = new Host();
      const caller = new AbortController();
      const added = vi.spyOn(caller.signal, 'addEventListener');
      const removed = vi.spyOn(caller.signal, 'removeEventListener');
      for (let call = 0; call < 20; call++) {
        await guardedCall(() => Promise.resolve(1), { signal: caller.signal }, host);
      }
      expect(removed.mock.calls.length).toBe(added.mock.calls.length);
    });
  });

  describe('falls back', () => {
    it('when the circuit is open, without calling', async () => {
      const host = new Host();
      host.isOpen = true;
      const action = vi.fn<() => Promise<string>>();
      const fallback = vi.fn<(error: unknown) => string>(() => 'cached');
      expect(await guardedCall(action, { fallback }, host)).toBe('cached');
      expect(action).not.toHaveBeenCalled();
      expect(fallback.mock.calls[0]?.[0]).toMatchObject({
        code: 'EVENKEEL_CIRCUIT_OPEN',
        message: "circuit 'users': the circuit is open",
      });
    });

    it('when the call failed, with the failure', async () => {
      const host = new Host();
      const fallback = (error: unknown): string => `instead of ${(error as Error).message}`;
      const call = guardedCall(() => Promise.reject<string>(new Error('x')), { fallback }, host);
      expect(await call).toBe('instead of x');
      expect(host.outcomes).toEqual([Outcome.reset]);
    });

    it('not for failures that are the caller’s own', async () => {
      const host = new Host();
      const fallback = vi.fn<() => string>(() => 'fallback');
      const bad = Object.assign(new Error('bad'), { status: 400 });
      await expect(guardedCall(() => Promise.reject<string>(bad), { fallback }, host)).rejects.toBe(
        bad,
      );
      expect(fallback).not.toHaveBeenCalled();
    });

    it('with the error of the fallback when that fails, too', async () => {
      const host = new Host();
      host.isOpen = true;
      const fallback = (): Promise<string> => Promise.reject(new Error('cache is cold'));
      await expect(guardedCall(() => Promise.resolve(''), { fallback }, host)).rejects.toThrow(
        'cache is cold',
      );
    });

    it('to an error, when there is no fallback', async () => {
      const host = new Host();
      host.isOpen = true;
      await expect(guardedCall(() => Promise.resolve(''), {}, host)).rejects.toMatchObject({
        code: 'EVENKEEL_CIRCUIT_OPEN',
        reason: 'circuit-open',
      });
    });
  });
});
