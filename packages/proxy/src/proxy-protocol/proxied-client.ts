/** What the versions of the PROXY protocol have in common. */

/** What a header says. */
export interface ProxiedClient {
  /** Address of the client in text; undefined when the connection is the sender's own (a health check). */
  readonly address: string | undefined;
  /** 0 without an address. */
  readonly port: number;
  /** Bytes of the header. */
  readonly length: number;
}

export const OWN_CONNECTION: Omit<ProxiedClient, 'length'> = { address: undefined, port: 0 };

/** More bytes are needed; no header at all, or a broken one. */
export type Unread = 'incomplete' | 'bad';

/** Is what is there of the bytes like the beginning that is wanted? */
export function beginsLike(bytes: Uint8Array, beginning: Uint8Array): boolean {
  const length = Math.min(bytes.length, beginning.length);
  for (let at = 0; at < length; at++) if (bytes[at] !== beginning[at]) return false;
  return true;
}
