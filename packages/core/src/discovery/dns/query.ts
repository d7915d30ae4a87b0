import type { RecordType } from './record-data.ts';
import { encodeName } from './name.ts';

/**
 * UDP payload that we accept. DNS Flag Day 2020 recommends 1232 bytes: 1280, the least MTU of IPv6, minus 48 bytes of
 * headers, so that an answer is not fragmented.
 */
export const UDP_PAYLOAD_BYTES = 1_232;

/** What is asked. `name` is one that `normalizeName` returned. */
export interface Query {
  readonly id: number;
  readonly name: string;
  readonly type: RecordType;
  /** With EDNS(0)? Servers that know nothing of it answer FORMERR (RFC 6891 section 7). */
  readonly edns: boolean;
}

/** A standard query with recursion desired (RFC 1035 section 4.1). */
export function encodeQuery({ id, name, type, edns }: Query): Uint8Array {
  const wireName = encodeName(name);
  const bytes = new Uint8Array(12 + wireName.length + 4 + (edns ? 11 : 0));
  const view = new DataView(bytes.buffer);
  view.setUint16(0, id);
  view.setUint16(2, 0x0100); // RD
  view.setUint16(4, 1); // QDCOUNT
  view.setUint16(10, edns ? 1 : 0); // ARCOUNT
  bytes.set(wireName, 12);
  const end = 12 + wireName.length;
  view.setUint16(end, type);
  view.setUint16(end + 2, 1); // IN
  if (edns) {
    // RFC 6891 section 6.1.2: root name, type OPT, payload size in the class field, version 0, no options.
    view.setUint16(end + 5, 41);
    view.setUint16(end + 7, UDP_PAYLOAD_BYTES);
  }
  return bytes;
}
