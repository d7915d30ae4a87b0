/**
 * When may a failed try be followed by another? The budget and the deadline have their say besides.
 *
 * | what happened | which requests |
 * | --- | --- |
 * | no connection took the request | all, if the body is whole |
 * | time limit before that | all, if the body is whole |
 * | broken or timed out before the response headers | idempotent ones with a body that can be sent again |
 * | response with a status to retry | the same |
 * | anything once response headers were passed on, or the caller gave up | none |
 */
import type { Dispatcher } from 'undici';
import { Outcome } from '../../model/outcome.ts';
import { isIdempotentMethod } from '../../resilience/idempotency.ts';
import { hasFailed, isReplayable, isUntouched } from './request-body.ts';

/** May the endpoint see this request twice? undici's option `idempotent` has the last word on the method. */
export function isRepeatable(options: Dispatcher.DispatchOptions): boolean {
  return (
    (options.idempotent ?? isIdempotentMethod(options.method)) &&
    // Whatever is switched to another protocol has effects of its own.
    !isPresent(options.upgrade) &&
    isReplayable(options.body)
  );
}

/** A try that ended before response headers. */
export interface FailedTry {
  readonly outcome: Outcome;
  /** Had a connection taken the request, so that some of it may have arrived? */
  readonly started: boolean;
}

/** Does the failure itself allow another try? */
export function mayRetry(failed: FailedTry, options: Dispatcher.DispatchOptions): boolean {
  // A fault of the caller's own, or its wish to stop, would only repeat itself.
  if (failed.outcome === Outcome.cancelled || hasFailed(options.body)) return false;
  if (failed.started) return isRepeatable(options);
  return isReplayable(options.body) || isUntouched(options.body);
}

function isPresent(upgrade: unknown): boolean {
  return upgrade !== undefined && upgrade !== null && upgrade !== false && upgrade !== '';
}
