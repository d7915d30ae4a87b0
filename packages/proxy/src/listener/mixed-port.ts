/** One port for requests in clear text and over TLS, and for TLS that is passed through to endpoints. */
import { ClientHelloReader } from '../tls/client-hello.ts';
import type { Arrived, Sniffer } from './arrived.ts';

/** What a connection is by its first bytes. */
export type MixedKind = 'clear' | 'secure' | 'passed';

export interface MixedPort {
  /** Are requests in clear text taken? */
  readonly isClearTaken: boolean;
  /** Is TLS for this name passed through? Undefined for a client that asks for none. */
  passes(name: string | undefined): boolean;
  /** A connection whose bytes, those of its first message included, go to an endpoint. @param onGone to be called once */
  pass(arrived: Arrived, onGone: () => void): void;
}

const BAD = 'bad';
const INCOMPLETE = 'incomplete';

/** Whole first messages are judged, because that is where the name is. */
export function snifferOf(port: MixedPort): Sniffer {
  return (bytes) => {
    const reader = new ClientHelloReader();
    switch (reader.push(bytes)) {
      case 'incomplete':
        return INCOMPLETE;
      case 'malformed':
        return BAD;
      case 'not-tls':
        return port.isClearTaken ? ('clear' satisfies MixedKind) : BAD;
      case 'complete':
        return (port.passes(reader.serverName) ? 'passed' : 'secure') satisfies MixedKind;
    }
  };
}
