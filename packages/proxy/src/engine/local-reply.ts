/** Answers that a proxy gives itself. Made once: a flood of bad requests must not cost more than good ones. */
import { STATUS_CODES } from 'node:http';
import { ascii } from '../http1/byte-class.ts';

const VARIANTS = { keep: '', close: 'connection: close\r\n' } as const;

const cache = new Map<string, Uint8Array>();

/** @param closes does the connection end with it? */
export function localReply(status: number, closes: boolean, isHead: boolean): Uint8Array {
  const key = `${status} ${closes} ${isHead}`;
  const known = cache.get(key);
  if (known !== undefined) return known;
  const text = STATUS_CODES[status] ?? 'Unknown';
  const body = `${status} ${text}\n`;
  const bytes = ascii(
    `HTTP/1.1 ${status} ${text}\r\ncontent-type: text/plain\r\ncontent-length: ${body.length}\r\n` +
      `${closes ? VARIANTS.close : VARIANTS.keep}\r\n${isHead ? '' : body}`,
  );
  cache.set(key, bytes);
  return bytes;
}
