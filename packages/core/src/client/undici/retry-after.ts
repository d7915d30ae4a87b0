/**
 * The `Retry-After` response header (RFC 9110 section 10.2.3): a number of seconds or an HTTP date.
 */
import { parseHttpDate } from './http-date.ts';

/** Longest time an endpoint may ask to be left alone; more is cut. Five minutes, as in linkerd's proxy. */
export const MAX_RETRY_AFTER_MS = 300_000;

/**
 * @param value the header as parsed; of several the first counts
 * @param wallMs the time of day, milliseconds since 1970
 * @returns milliseconds from 0 to {@link MAX_RETRY_AFTER_MS}, or undefined when absent or not understood
 */
export function retryAfterMs(
  value: string | string[] | undefined,
  wallMs: number,
): number | undefined {
  const text = (Array.isArray(value) ? value[0] : value)?.trim();
  if (text === undefined || text === '') return undefined;
  if (/^\d+$/.test(text)) return Math.min(Number(text) * 1_000, MAX_RETRY_AFTER_MS);
  const dateMs = parseHttpDate(text);
  if (dateMs === undefined) return undefined;
  return Math.min(Math.max(0, dateMs - wallMs), MAX_RETRY_AFTER_MS);
}
