/** `HTTP-version`, RFC 9112 section 2.3: eight bytes, told apart by case. */
import { ascii } from './byte-class.ts';
import { Bad } from './verdict.ts';

export const VERSION_BYTES = 8;

const NAME = ascii('HTTP/');
const DOT = 0x2e;

/**
 * Reads as much of a version as there is.
 *
 * @returns 10..19 for HTTP/1.0..1.9, 0 when bytes are missing and the others are right, else a problem as a negative
 */
export function readVersion(bytes: Uint8Array, from: number, to: number): number {
  const known = Math.min(NAME.length, to - from);
  for (let at = 0; at < known; at++) if (bytes[from + at] !== NAME[at]) return -Bad.version;
  const digitsAt = from + NAME.length;
  if (digitsAt >= to) return 0;
  const major = (bytes[digitsAt] as number) - 0x30;
  if (major < 0 || major > 9) return -Bad.version;
  if (digitsAt + 1 >= to) return 0;
  if (bytes[digitsAt + 1] !== DOT) return -Bad.version;
  if (digitsAt + 2 >= to) return 0;
  const minor = (bytes[digitsAt + 2] as number) - 0x30;
  if (minor < 0 || minor > 9) return -Bad.version;
  return major === 1 ? 10 + minor : -Bad.versionMajor;
}
