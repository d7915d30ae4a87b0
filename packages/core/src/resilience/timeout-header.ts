/**
 * The time left, as it travels in a header. A length of time, not a moment: two machines need not agree on what time
 * it is. The price is that the time on the wire is not counted; `hopMs` can make up for it.
 *
 * | header | value | example |
 * | --- | --- | --- |
 * | `x-evenkeel-timeout-ms` | whole milliseconds, 1 to 8 digits | `1500` |
 * | `grpc-timeout` | 1 to 8 digits and one of `H M S m u n` (gRPC over HTTP/2, "Timeout") | `1500m` |
 *
 * Reading is strict, because a header may come from anyone: a value that is not exactly of the form counts as absent,
 * one above 24 hours as 24 hours. A value of 0 says that no time is left; some gRPC clients send that instead of
 * giving up. Writing rounds down, so that nobody downstream believes in time that is not there.
 */
import { MAX_TIMEOUT_MS } from './deadline-config.ts';

/** Name of the header that carries the time left in milliseconds, in lower case. */
export const TIMEOUT_HEADER = 'x-evenkeel-timeout-ms';
/** Name of gRPC's own. */
export const GRPC_TIMEOUT_HEADER = 'grpc-timeout';

/** A header as parsers hand it over: once, several times, or not at all. */
export type HeaderValue = string | readonly string[] | undefined;

const DIGITS = /^\d{1,8}$/;
const GRPC = /^(\d{1,8})([HMSmun])$/;

const UNIT_MS: Readonly<Record<string, number>> = {
  H: 3_600_000,
  M: 60_000,
  S: 1_000,
  m: 1,
  u: 1e-3,
  n: 1e-6,
};

/** @returns the value of {@link TIMEOUT_HEADER}, or undefined when there is nothing to send: no limit, or no time left */
export function encodeTimeout(timeoutMs: number): string | undefined {
  const wholeMs = Math.floor(Math.min(timeoutMs, MAX_TIMEOUT_MS));
  return timeoutMs !== Number.POSITIVE_INFINITY && wholeMs >= 1 ? String(wholeMs) : undefined;
}

/** @returns milliseconds from 0 to 24 hours; undefined when the header is absent, repeated or malformed */
export function decodeTimeout(value: HeaderValue): number | undefined {
  const text = single(value);
  return text !== undefined && DIGITS.test(text)
    ? Math.min(Number(text), MAX_TIMEOUT_MS)
    : undefined;
}

/**
 * @returns the value of {@link GRPC_TIMEOUT_HEADER}: milliseconds, or microseconds below 100 ms, where a millisecond
 *   would be more than 1 %; undefined when there is nothing to send
 */
export function encodeGrpcTimeout(timeoutMs: number): string | undefined {
  if (timeoutMs === Number.POSITIVE_INFINITY || !(timeoutMs >= 1e-3)) return undefined;
  if (timeoutMs < 100) return `${Math.floor(timeoutMs * 1_000)}u`;
  // 24 hours have 8 digits in milliseconds.
  return `${Math.floor(Math.min(timeoutMs, MAX_TIMEOUT_MS))}m`;
}

/** @returns milliseconds, with fractions, from 0 to 24 hours; undefined when absent, repeated or malformed */
export function decodeGrpcTimeout(value: HeaderValue): number | undefined {
  const match = GRPC.exec(single(value) ?? '');
  if (match === null) return undefined;
  return Math.min(Number(match[1]) * (UNIT_MS[match[2] as string] as number), MAX_TIMEOUT_MS);
}

/** Two values contradict each other, or somebody tries to smuggle one past a filter: neither counts. */
function single(value: HeaderValue): string | undefined {
  if (value === undefined || typeof value === 'string') return value;
  return value.length === 1 ? value[0] : undefined;
}
