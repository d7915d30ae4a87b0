import { errors } from 'undici';
import { describe, expect, it } from 'vitest';
import { Outcome } from '../../model/outcome.ts';
import { isTimeLimit, outcomeOfError } from './failure.ts';

const systemError = (code: string): Error => Object.assign(new Error(code), { code });

describe('outcomeOfError', () => {
  it.each<[Error, Outcome, Outcome]>([
    // error, before a connection took the request, after
    [systemError('ECONNREFUSED'), Outcome.connectFailure, Outcome.reset],
    [systemError('ENOTFOUND'), Outcome.connectFailure, Outcome.cancelled],
    [systemError('CERT_HAS_EXPIRED'), Outcome.connectFailure, Outcome.cancelled],
    [new errors.ConnectTimeoutError(), Outcome.connectFailure, Outcome.reset],
    [new errors.SocketError('other side closed'), Outcome.connectFailure, Outcome.reset],
    [systemError('ECONNRESET'), Outcome.connectFailure, Outcome.reset],
    [systemError('EPIPE'), Outcome.connectFailure, Outcome.reset],
    [systemError('HPE_INVALID_CONSTANT'), Outcome.connectFailure, Outcome.reset],
    [systemError('ERR_HTTP2_STREAM_ERROR'), Outcome.connectFailure, Outcome.reset],
    [new errors.HeadersTimeoutError(), Outcome.timeout, Outcome.timeout],
    [new errors.BodyTimeoutError(), Outcome.timeout, Outcome.timeout],
    [new errors.InvalidArgumentError('path'), Outcome.cancelled, Outcome.cancelled],
    [new errors.NotSupportedError('expect'), Outcome.cancelled, Outcome.cancelled],
    [new errors.RequestAbortedError(), Outcome.cancelled, Outcome.cancelled],
    [new errors.ClientDestroyedError(), Outcome.cancelled, Outcome.cancelled],
    [new errors.RequestContentLengthMismatchError(), Outcome.cancelled, Outcome.cancelled],
    // A body that fails to be read, a handler that throws: only ever after the start.
    [systemError('ENOENT'), Outcome.connectFailure, Outcome.cancelled],
    [new TypeError('in the handler'), Outcome.connectFailure, Outcome.cancelled],
  ])('%o', (error, before, after) => {
    expect(outcomeOfError(error, false)).toBe(before);
    expect(outcomeOfError(error, true)).toBe(after);
  });

  it('copes with anything that was thrown', () => {
    for (const thrown of [undefined, null, 'text', 5])
      expect(outcomeOfError(thrown, true)).toBe(Outcome.cancelled);
  });
});

describe('isTimeLimit', () => {
  it('knows the reason of AbortSignal.timeout', () => {
    expect(isTimeLimit(new DOMException('late', 'TimeoutError'))).toBe(true);
    expect(isTimeLimit(new DOMException('stop', 'AbortError'))).toBe(false);
    expect(isTimeLimit(undefined)).toBe(false);
  });
});
