/** The two fields by which HTTP/1.1 makes sure that a WebSocket is meant (RFC 6455 section 4); HTTP/2 has none of them. */
import { createHash, randomBytes } from 'node:crypto';

const NONCE_BYTES = 16;
const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';

export function newWebSocketKey(): string {
  return randomBytes(NONCE_BYTES).toString('base64');
}

/** What the other side has to answer to a key. */
export function webSocketAcceptOf(key: string): string {
  return createHash('sha1').update(`${key}${GUID}`).digest('base64');
}
