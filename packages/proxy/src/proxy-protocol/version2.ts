/**
 * Version 2 (section 2.2): binary.
 *
 * ```text
 *  bytes 0..11   signature
 *  byte  12      version 2 in the high half, command in the low one: 0 own connection, 1 somebody else's
 *  byte  13      family in the high half (1 IPv4, 2 IPv6, 3 Unix), 1 for streams in the low one
 *  bytes 14..15  length of what follows
 *  addresses     source, destination, source port, destination port
 *  the rest      type (1 byte), length (2), value, and so on; nothing of it is used here
 * ```
 */
import { SocketAddress } from 'node:net';
import { beginsLike, OWN_CONNECTION, type ProxiedClient, type Unread } from './proxied-client.ts';

const SIGNATURE: Uint8Array = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1');
const FIXED_BYTES = 16;

/** After the fixed part: the addresses take at most 216, certificates of clients and the like some hundreds more. */
const MAX_FOLLOWING_BYTES = 4_096;

const OWN = 0x20;
const PROXIED = 0x21;

/** Bytes of the addresses by family and transport; datagrams do not come over a stream. */
const ADDRESS_BYTES: ReadonlyMap<number, number> = new Map([
  [0x00, 0],
  [0x11, 12],
  [0x21, 36],
  [0x31, 216],
]);

export function readVersion2(bytes: Uint8Array): ProxiedClient | Unread {
  if (!beginsLike(bytes, SIGNATURE)) return 'bad';
  if (bytes.length > 12 && bytes[12] !== OWN && bytes[12] !== PROXIED) return 'bad';
  if (bytes.length < FIXED_BYTES) return 'incomplete';
  const { buffer, byteOffset, byteLength } = bytes;
  const view = new DataView(buffer, byteOffset, byteLength);
  const following = view.getUint16(14);
  if (following > MAX_FOLLOWING_BYTES) return 'bad';
  const length = FIXED_BYTES + following;
  // Of a connection of its own nothing but the length is to be looked at.
  if (bytes[12] === OWN)
    return bytes.length < length ? 'incomplete' : { ...OWN_CONNECTION, length };
  const addressBytes = ADDRESS_BYTES.get(view.getUint8(13));
  if (addressBytes === undefined || following < addressBytes) return 'bad';
  if (bytes.length < length) return 'incomplete';
  if (!isListOfValues(view, FIXED_BYTES + addressBytes, length)) return 'bad';
  return { ...sourceOf(view), length };
}

/** Do they end where the header ends? */
function isListOfValues(view: DataView, from: number, to: number): boolean {
  let at = from;
  while (at + 3 <= to) at += 3 + view.getUint16(at + 1);
  return at === to;
}

function sourceOf(view: DataView): Omit<ProxiedClient, 'length'> {
  switch (view.getUint8(13)) {
    case 0x11: {
      const parts = [16, 17, 18, 19].map((at) => view.getUint8(at));
      return { address: parts.join('.'), port: view.getUint16(24) };
    }
    case 0x21: {
      const groups = [16, 18, 20, 22, 24, 26, 28, 30].map((at) => view.getUint16(at).toString(16));
      // In canonical form (RFC 5952).
      const { address } = new SocketAddress({ family: 'ipv6', address: groups.join(':') });
      return { address, port: view.getUint16(48) };
    }
    default:
      // A Unix socket, or unknown to the sender: there is no address to be told.
      return OWN_CONNECTION;
  }
}
