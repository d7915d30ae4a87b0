import type { Clock } from '@evenkeel/core';
import { retryAfterMs } from '@evenkeel/core/resilience';
import { Field } from '../http1/known-field.ts';
import type { ResponseHead } from '../http1/response-head.ts';

/** How long an endpoint asks to be left alone, in milliseconds, if it does (RFC 9110 section 10.2.3). */
export function askedMs(
  { status, fields }: ResponseHead,
  bytes: Buffer,
  clock: Clock,
): number | undefined {
  if (status !== 429 && status !== 503) return undefined;
  const text = fields.text(bytes, Field.retryAfter);
  return text === undefined ? undefined : retryAfterMs(text, clock.wallMs());
}
