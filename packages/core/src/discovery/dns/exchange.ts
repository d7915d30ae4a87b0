import type { DnsMessage } from './message.ts';
import type { DnsServer } from './server.ts';

/** One query to one server, and its answer: the port to the network. */
export type Exchange = (request: ExchangeRequest) => Promise<DnsMessage>;

export interface ExchangeRequest {
  readonly server: DnsServer;
  readonly protocol: 'udp' | 'tcp';
  readonly query: Uint8Array;
  /** The exchange rejects when no acceptable answer has come after this time. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  /**
   * Judges what came back: the answer; undefined for what belongs to another question and is passed over; throws for
   * what this server should not have sent.
   */
  readonly accept: (bytes: Uint8Array) => DnsMessage | undefined;
}
