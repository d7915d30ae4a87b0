/**
 * When may it be tried again? The two ways in which servers say so.
 *
 * | header | value | meaning |
 * | --- | --- | --- |
 * | `retry-after` (RFC 9110 section 10.2.3) | `120`, or an HTTP date | not before then |
 * | `grpc-retry-pushback-ms` (gRFC A6) | `1500` | exactly then |
 * | | negative, or not a number | never: the caller gets this failure |
 */
import { parseHttpDate } from './http-date.ts';
import type { HeaderValue } from './timeout-header.ts';

/** Longest time that a server may ask for; more is cut. Five minutes, as linkerd's proxy has it. */
export const MAX_RETRY_AFTER_MS = 300_000;

/** What {@link grpcPushbackMs} returns for "do not retry". */
export const NEVER_RETRY: number = Number.POSITIVE_INFINITY;

/** gRPC implementations read a signed 32-bit number; more digits than that are malformed. */
const PUSHBACK = /^\d{1,10}$/;

/**
 * @param value the header as parsed; of several the first counts
 * @param wallMs the time of day, milliseconds since 1970
 * @returns milliseconds from 0 to {@link MAX_RETRY_AFTER_MS}; undefined when absent or not understood
 */
export function retryAfterMs(value: HeaderValue, wallMs: number): number | undefined {
  const text = first(value)?.trim();
  if (text === undefined) return undefined;
  if (/^\d+$/.test(text)) return Math.min(Number(text) * 1_000, MAX_RETRY_AFTER_MS);
  const dateMs = parseHttpDate(text);
  if (dateMs === undefined) return undefined;
  return Math.min(Math.max(0, dateMs - wallMs), MAX_RETRY_AFTER_MS);
}

/**
 * @param value the trailer as parsed; of several the first counts
 * @returns milliseconds, not bounded: the retry policy decides what is too long; {@link NEVER_RETRY} when the server
 *   forbids a retry; undefined when absent
 */
export function grpcPushbackMs(value: HeaderValue): number | undefined {
  const text = first(value);
  if (text === undefined) return undefined;
  return PUSHBACK.test(text) && Number(text) < 2 ** 31 ? Number(text) : NEVER_RETRY;
}

function first(value: HeaderValue): string | undefined {
  return value === undefined || typeof value === 'string' ? value : value[0];
}
