/**
 * The header with which a load balancer tells who is at the other end of a connection: "The PROXY protocol", versions 1
 * and 2, by HAProxy Technologies. Strict: whoever sends one knows how, so what is odd is refused rather than guessed.
 */
import type { ProxiedClient, Unread } from './proxied-client.ts';
import { readVersion1 } from './version1.ts';
import { readVersion2 } from './version2.ts';

/** Both versions are told apart by their first byte. */
const FIRST_OF_VERSION_1 = 0x50;

/** @param bytes all of the connection so far */
export function readProxyHeader(bytes: Uint8Array): ProxiedClient | Unread {
  if (bytes.length === 0) return 'incomplete';
  return bytes[0] === FIRST_OF_VERSION_1 ? readVersion1(bytes) : readVersion2(bytes);
}
