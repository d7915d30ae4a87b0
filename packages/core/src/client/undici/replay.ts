/**
 * What may be sent again: what a request allows by itself. When it is tried again is for `RetryPolicy` to say.
 *
 * | body | before a connection took the request | afterwards |
 * | --- | --- | --- |
 * | none, text, bytes, Blob | again, whatever the method | again if the request is idempotent |
 * | stream, iterable, FormData | again, while nobody has read from it | never: nothing is buffered in secret |
 */
import type { Dispatcher } from 'undici';
import { isIdempotentMethod } from '../../resilience/idempotency.ts';
import type { FinishedTry } from '../../resilience/retry-policy.ts';
import type { Attempt } from './attempt.ts';
import { hasFailed, isReplayable, isUntouched } from './request-body.ts';

/** May two endpoints see the request? undici's option `idempotent` has the last word on the method. */
export function isIdempotent(request: Dispatcher.DispatchOptions): boolean {
  return (
    (request.idempotent ?? isIdempotentMethod(request.method)) &&
    // Whatever is switched to another protocol has effects of its own.
    !isPresent(request.upgrade)
  );
}

/** May the request be sent again after an endpoint has seen it? */
export function isRepeatable(request: Dispatcher.DispatchOptions): boolean {
  return isIdempotent(request) && isReplayable(request.body);
}

/** A try that ended without any of its response having been passed on, as the retry policy wants to hear of it. */
export function finishedTry(
  attempt: Attempt,
  body: Dispatcher.DispatchOptions['body'],
): FinishedTry {
  const { outcome, started, broken } = attempt;
  return {
    outcome,
    sent: started,
    bodyRead: started || !isUntouched(body) || hasFailed(body),
    // What broke after a good status is no answer: neither its status nor its wishes count.
    statusCode: broken ? undefined : attempt.status,
    grpcCode: broken ? undefined : attempt.grpcCode,
    retryAfterMs: broken ? undefined : attempt.retryAfterMs,
    pushbackMs: broken ? undefined : attempt.pushbackMs,
  };
}

function isPresent(upgrade: unknown): boolean {
  return upgrade !== undefined && upgrade !== null && upgrade !== false && upgrade !== '';
}
