/** Requests that go to no endpoint, whatever the routes say. */
import { ascii } from '../http1/byte-class.ts';
import type { RequestHead } from '../http1/request-head.ts';
import { isMethod, TargetForm } from '../http1/request-target.ts';
import { LocalAnswer } from './local-answer.ts';
import type { LoopGuard } from './loop-guard.ts';
import type { Refusal } from './refusal.ts';

const OPTIONS = ascii('options');
/** What an OPTIONS learns that was not to come further: what this proxy passes on. */
const ALLOW = 'allow: GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS, TRACE\r\n';

export const OPTIONS_ANSWER: LocalAnswer = new LocalAnswer(204, ALLOW, Buffer.alloc(0));

/** Where a request ends. */
export interface LastStop {
  readonly status: number;
  /** Is it the last one of its connection? */
  readonly closes: boolean;
  /** Undefined for {@link OPTIONS_ANSWER}, which refuses nothing. */
  readonly reason: Refusal | undefined;
}

const METHOD: LastStop = Object.freeze({ status: 405, closes: true, reason: 'method' });
const OPTIONS_STOP: LastStop = Object.freeze({ status: 204, closes: false, reason: undefined });
/** RFC 5842 section 7.2. */
const LOOP: LastStop = Object.freeze({ status: 508, closes: false, reason: 'loop' });

/**
 * CONNECT, which only a proxy that clients chose could serve (RFC 9110 section 9.3.6), and what has come as far as it
 * may (section 7.6.2). A TRACE is not sent back: it may hold what the next proxy in front added for nobody else. And what
 * goes in circles.
 *
 * @returns undefined for all others
 */
export function lastStopOf(
  head: RequestHead,
  bytes: Buffer,
  loops: LoopGuard,
): LastStop | undefined {
  if (head.target.form === TargetForm.authority) return METHOD;
  if (head.maxForwards === 0)
    return isMethod(bytes, head.from, head.methodTo, OPTIONS) ? OPTIONS_STOP : METHOD;
  return loops.stops(head, bytes) ? LOOP : undefined;
}
