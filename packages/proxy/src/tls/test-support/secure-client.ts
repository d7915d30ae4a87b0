import { once } from 'node:events';
import tls from 'node:tls';

/** What came of an attempt to get a page over TLS. */
export interface Visit {
  /** The response as text; '' when there was none. */
  readonly response: string;
  /** SHA-256 of the server's certificate. */
  readonly fingerprint: string | undefined;
  readonly resumed: boolean;
  readonly alpn: string | false | null;
  /** For the next visit. */
  readonly session: Buffer | undefined;
  /** Why there was no response. */
  readonly failure: string | undefined;
}

export async function connectSecure(
  port: number,
  options: tls.ConnectionOptions,
): Promise<tls.TLSSocket> {
  const socket = tls.connect({ host: '127.0.0.1', port, ...options });
  socket.on('error', () => undefined);
  await once(socket, 'secureConnect');
  return socket;
}

/** One connection, one GET. Never rejects. */
export function visit(port: number, options: tls.ConnectionOptions): Promise<Visit> {
  const socket = tls.connect({ host: '127.0.0.1', port, ...options });
  let response = '';
  let failure: string | undefined = undefined;
  let session: Buffer | undefined = undefined;
  let fingerprint: string | undefined = undefined;
  let resumed = false;
  socket.on('secureConnect', () => {
    fingerprint = socket.getPeerX509Certificate()?.fingerprint256;
    resumed = socket.isSessionReused();
    socket.write('GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n');
  });
  socket.on('session', (made: Buffer) => {
    session = made;
  });
  socket.on('data', (bytes: Buffer) => {
    response += bytes.toString('latin1');
  });
  socket.on('error', (error: NodeJS.ErrnoException) => {
    failure ??= error.code ?? error.message;
  });
  return new Promise((resolve) => {
    socket.on('close', () => {
      const alpn = socket.alpnProtocol;
      resolve({ response, fingerprint, resumed, alpn, session, failure });
    });
  });
}
