/** What a listener knows of a connection when its protocol begins. */
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';

export interface Peer {
  /** In text, as the socket or the proxy in front says it. */
  readonly address: string;
  readonly port: number;
}

export interface Arrived {
  /** The socket on the wire; nobody reads it. */
  readonly transport: Socket;
  /** Over it, after its handshake. */
  readonly secure: TLSSocket | undefined;
  readonly client: Peer;
  /** Bytes of the client that were read before. */
  readonly early: Buffer | undefined;
  /** What the sniffer of the listener said, if it has one. */
  readonly kind: string | undefined;
}

export interface ArrivalCounters {
  handshakeErrorCount: number;
  handshakeTimeoutCount: number;
}

/**
 * Tells by the first bytes what a connection is.
 *
 * @returns a word for it, `incomplete` when more bytes are needed, or `bad` for what is closed
 */
export type Sniffer = (bytes: Buffer) => string;
