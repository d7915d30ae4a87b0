/**
 * The TLS of a listener: takes sockets, gives back secure ones. The credentials in force are a server of Node that never
 * listens; new ones are another server, so that a change is one assignment, and connections under way know nothing of it.
 */
import { randomBytes } from 'node:crypto';
import type { Socket } from 'node:net';
import { createServer, type Server, type TLSSocket } from 'node:tls';
import type { ServerCredentials } from './server-credentials.ts';

/** A session ticket is sealed with 16 + 16 + 16 bytes: name, HMAC key, AES key. */
const TICKET_KEY_BYTES = 48;

/** Node's way to be given an OCSP response, or told that there is none. */
type Staple = (error: Error | null, response: Buffer | null) => void;

export class TlsTerminator {
  readonly #onSecure: (secure: TLSSocket) => void;
  #credentials: ServerCredentials;
  #ticketKeys = randomBytes(TICKET_KEY_BYTES);
  #server: Server;

  /** @param onSecure a handshake is over; where one fails, the socket below is closed */
  constructor(credentials: ServerCredentials, onSecure: (secure: TLSSocket) => void) {
    this.#onSecure = onSecure;
    this.#credentials = credentials;
    this.#server = this.#serverOf(credentials);
  }

  /** What new connections get. */
  get credentials(): ServerCredentials {
    return this.#credentials;
  }

  /** For handshakes that begin from now on. Sessions go on, unless other clients are trusted now. */
  replace(credentials: ServerCredentials): void {
    if (credentials.trustKey !== this.#credentials.trustKey)
      this.#ticketKeys = randomBytes(TICKET_KEY_BYTES);
    const server = this.#serverOf(credentials);
    this.#credentials = credentials;
    this.#server = server;
  }

  /** Begins a handshake on a socket from which nobody reads. */
  begin(transport: Socket): void {
    // Whoever leaves within the handshake is gone; half-open is for requests.
    transport.allowHalfOpen = false;
    this.#server.emit('connection', transport);
  }

  #serverOf({ options, certificates }: ServerCredentials): Server {
    const server = createServer({
      ...options,
      ticketKeys: this.#ticketKeys,
      // One for all generations: sessions are bound to it.
      sessionIdContext: 'evenkeel',
    });
    server.on('secureConnection', (secure) => {
      // Asked for, shown, and signed by somebody else.
      const isRefused =
        options.requestCert === true &&
        !secure.authorized &&
        secure.getPeerX509Certificate() !== undefined;
      if (isRefused) {
        secure.destroy();
        return;
      }
      secure.allowHalfOpen = true;
      this.#onSecure(secure);
    });
    if (certificates.some(({ ocspResponse }) => ocspResponse !== undefined))
      server.on('OCSPRequest', (shown: Buffer, _issuer: Buffer, staple: Staple) => {
        const certificate = certificates.find(({ x509 }) => x509.raw.equals(shown));
        staple(null, certificate?.ocspResponse ?? null);
      });
    server.on('tlsClientError', (_error, secure) => secure.destroy());
    return server;
  }
}
