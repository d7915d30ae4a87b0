/** `uri-host [ ":" port ]`, as `host` and request targets carry it. RFC 3986 section 3.2, RFC 9110 section 7.2. */
import { AUTHORITY, COLON } from './byte-class.ts';

const OPEN = 0x5b;
const CLOSE = 0x5d;
const MAX_HOST_BYTES = 255;
const MAX_PORT_DIGITS = 5;

/**
 * Host names, IPv4 and bracketed IPv6 addresses, with or without a port. No user information, no percent-encoding: what
 * programs decode differently would lead to different hosts. Empty is not one; the caller decides about that.
 */
export function isAuthority(bytes: Uint8Array, from: number, to: number): boolean {
  if (from >= to || to - from > MAX_HOST_BYTES + 1 + MAX_PORT_DIGITS) return false;
  for (let at = from; at < to; at++) if (AUTHORITY[bytes[at] as number] === 0) return false;
  const hostTo = bytes[from] === OPEN ? endOfLiteral(bytes, from, to) : endOfName(bytes, from, to);
  return hostTo > from && isPort(bytes, hostTo, to);
}

/** After the `]`, or -1. */
function endOfLiteral(bytes: Uint8Array, from: number, to: number): number {
  let colons = 0;
  for (let at = from + 1; at < to; at++) {
    const byte = bytes[at];
    if (byte === CLOSE) return colons >= 2 ? at + 1 : -1;
    if (byte === COLON) colons++;
    else if (!isAddressByte(byte as number)) return -1;
  }
  return -1;
}

function isAddressByte(byte: number): boolean {
  const lower = byte | 0x20;
  return (byte >= 0x30 && byte <= 0x39) || byte === 0x2e || (lower >= 0x61 && lower <= 0x66);
}

function endOfName(bytes: Uint8Array, from: number, to: number): number {
  let at = from;
  for (; at < to && bytes[at] !== COLON; at++)
    if (bytes[at] === OPEN || bytes[at] === CLOSE) return -1;
  return at;
}

/** Nothing, or a colon and up to five digits; a colon alone is the default port. */
function isPort(bytes: Uint8Array, from: number, to: number): boolean {
  if (from === to) return true;
  if (bytes[from] !== COLON || to - from > 1 + MAX_PORT_DIGITS) return false;
  let port = 0;
  for (let at = from + 1; at < to; at++) {
    const digit = (bytes[at] as number) - 0x30;
    if (digit < 0 || digit > 9) return false;
    port = port * 10 + digit;
  }
  return port <= 65_535;
}
