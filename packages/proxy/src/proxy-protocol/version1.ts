/**
 * Version 1 (section 2.1): a line of text.
 *
 * ```text
 *  PROXY TCP4 192.0.2.1 198.51.100.7 56324 443\r\n
 *  PROXY UNKNOWN whatever\r\n
 * ```
 */
import { isIPv4, isIPv6 } from 'node:net';
import { beginsLike, OWN_CONNECTION, type ProxiedClient, type Unread } from './proxied-client.ts';

/** With the line's end; the longest that the specification counts out, 104 and some, fits in. */
const MAX_BYTES = 107;

const BEGINNING: Uint8Array = Buffer.from('PROXY ');
const CR = 0x0d;
const LF = 0x0a;

const PORT = /^(0|[1-9]\d{0,4})$/;

export function readVersion1(bytes: Uint8Array): ProxiedClient | Unread {
  if (!beginsLike(bytes, BEGINNING)) return 'bad';
  const limit = Math.min(bytes.length, MAX_BYTES);
  for (let at = 0; at < limit; at++) {
    const byte = bytes[at] as number;
    if (byte === LF) return bytes[at - 1] === CR ? readLine(bytes, at - 1) : 'bad';
    // A CR is good only right before the LF.
    if (bytes[at - 1] === CR || (byte !== CR && (byte < 0x20 || byte > 0x7e))) return 'bad';
  }
  return bytes.length >= MAX_BYTES ? 'bad' : 'incomplete';
}

function readLine(bytes: Uint8Array, to: number): ProxiedClient | Unread {
  const length = to + 2;
  const line = Buffer.from(bytes.buffer, bytes.byteOffset, to).toString('latin1');
  const [, family, ...rest] = line.split(' ');
  // Whatever follows is to be ignored.
  if (family === 'UNKNOWN') return { ...OWN_CONNECTION, length };
  const [source = '', destination = '', sourcePort = '', destinationPort = ''] = rest;
  const isGood =
    rest.length === 4 &&
    isAddress(family, source) &&
    isAddress(family, destination) &&
    isPort(sourcePort) &&
    isPort(destinationPort);
  return isGood ? { address: source.toLowerCase(), port: Number(sourcePort), length } : 'bad';
}

function isAddress(family: string | undefined, text: string): boolean {
  if (family === 'TCP4') return isIPv4(text);
  // Node takes scopes (`fe80::1%eth0`), which mean nothing on another machine.
  return family === 'TCP6' && isIPv6(text) && !text.includes('%');
}

function isPort(text: string): boolean {
  return PORT.test(text) && Number(text) <= 65_535;
}
