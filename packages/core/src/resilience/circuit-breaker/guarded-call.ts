/**
 * One call behind a circuit breaker: with an abort signal of its own, within a time limit that holds even if the action
 * ignores the signal, with a fallback, and with exactly one verdict for the breaker.
 */
import { EvenkeelError, isEvenkeelError } from '../../error/evenkeel-error.ts';
import { isFailure, Outcome, outcomeOfStatus } from '../../model/outcome.ts';
import type { Scheduler, Timer } from '../../runtime/scheduler.ts';
import { AdmissionError } from '../admission-error.ts';

/** What is called. The signal aborts when the caller gives up or the time is over. */
export type CallAction<T> = (signal: AbortSignal) => PromiseLike<T>;

/** How an action ended. */
export type CallResult<T> = { readonly value: T } | { readonly error: unknown };

export interface CallOptions<T> {
  /** The caller's. Its abort says nothing about the other side. */
  readonly signal?: AbortSignal | undefined;
  /** Time for this call, above 0. Default: the breaker's `callTimeoutMs`. */
  readonly timeoutMs?: number | undefined;
  /**
   * Answers instead, when the circuit is open or the call failed: a cached value, a default, a simpler service. Not
   * called when the caller gave up. If it fails, its error is the result.
   */
  readonly fallback?: ((error: unknown) => T | PromiseLike<T>) | undefined;
  /**
   * What a result says about the other side. Default: by `status` or `statusCode` of the value or the error if there is
   * one; else a value is a success and an error a failure.
   */
  readonly outcomeOf?: ((result: CallResult<T>) => Outcome) | undefined;
}

/** An admitted call. */
export interface Entry {
  /** Ends the call; later ones do nothing. `Outcome.cancelled` says nothing either way. */
  finish(outcome: Outcome): void;
}

/** The breaker, as a call sees it. */
export interface CallHost {
  readonly name: string;
  readonly scheduler: Scheduler;
  readonly callTimeoutMs: number;
  enter(): Entry | undefined;
}

export async function guardedCall<T>(
  action: CallAction<T>,
  options: CallOptions<T>,
  host: CallHost,
): Promise<T> {
  options.signal?.throwIfAborted();
  const entry = host.enter();
  if (entry === undefined) {
    const refusal = new AdmissionError('circuit-open', { subject: `circuit '${host.name}'` });
    return fallBack(refusal, options);
  }
  const outcomeOf = options.outcomeOf ?? defaultOutcomeOf;
  try {
    const value = await run(action, options, host);
    entry.finish(outcomeOf({ value }));
    return value;
  } catch (error) {
    const outcome = isCallersAbort(error, options) ? Outcome.cancelled : outcomeOf({ error });
    entry.finish(outcome);
    if (!isFailure(outcome)) throw error;
    return await fallBack(error, options);
  } finally {
    // An `outcomeOf` that throws must not leave the entry open.
    entry.finish(Outcome.cancelled);
  }
}

/** The action's result, or the first of: the time is over, the caller gave up. */
function run<T>(action: CallAction<T>, options: CallOptions<T>, host: CallHost): Promise<T> {
  const { signal, timeoutMs = host.callTimeoutMs } = options;
  const controller = new AbortController();
  return new Promise<T>((resolve, reject) => {
    const onAbort = (): void => stop(signal?.reason);
    const timer: Timer = host.scheduler.after(timeoutMs, () => stop(lateError(host, timeoutMs)));
    const settle = (): void => {
      timer.cancel();
      signal?.removeEventListener('abort', onAbort);
    };
    const stop = (reason: unknown): void => {
      settle();
      // First the result, then the signal: an action that rejects because of it comes second.
      reject(reason as Error);
      controller.abort(reason);
    };
    signal?.addEventListener('abort', onAbort, { once: true });
    // Also turns a synchronous throw into a rejection.
    new Promise<T>((started) => started(action(controller.signal))).then(
      (value) => {
        settle();
        resolve(value);
      },
      (error: unknown) => {
        settle();
        reject(error as Error);
      },
    );
  });
}

function fallBack<T>(error: unknown, { fallback }: CallOptions<T>): T | PromiseLike<T> {
  if (fallback === undefined) throw error;
  return fallback(error);
}

/** Did this error come from the caller's own signal? */
function isCallersAbort<T>(error: unknown, { signal }: CallOptions<T>): boolean {
  return signal?.aborted === true && error === signal.reason;
}

function lateError(host: CallHost, timeoutMs: number): EvenkeelError {
  const message = `circuit '${host.name}': no result within ${timeoutMs} ms`;
  return new EvenkeelError('EVENKEEL_DEADLINE', message, { retryable: true });
}

/** Errors that the other side has no part in. */
const OWN_FAULT: ReadonlySet<string> = new Set([
  'EVENKEEL_CONFIG',
  'EVENKEEL_UNKNOWN_CLUSTER',
  'EVENKEEL_CLOSED',
  'EVENKEEL_UNSUPPORTED',
  'EVENKEEL_RATE_LIMITED',
]);

function defaultOutcomeOf(result: CallResult<unknown>): Outcome {
  const subject = 'value' in result ? result.value : result.error;
  const status = statusOf(subject);
  if (status !== undefined) return outcomeOfStatus(status);
  if ('value' in result) return Outcome.success;
  if (isEvenkeelError(subject)) {
    if (OWN_FAULT.has(subject.code)) return Outcome.cancelled;
    if (subject.code === 'EVENKEEL_DEADLINE') return Outcome.timeout;
  }
  return Outcome.reset;
}

/** `status` of a fetch response, `statusCode` of undici's and of many errors. */
function statusOf(subject: unknown): number | undefined {
  if (typeof subject !== 'object' || subject === null) return undefined;
  const { status, statusCode } = subject as { status?: unknown; statusCode?: unknown };
  if (typeof statusCode === 'number') return statusCode;
  return typeof status === 'number' ? status : undefined;
}
