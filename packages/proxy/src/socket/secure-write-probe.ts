/**
 * Is a secure socket done with the bytes of a write when the call returns? It says so only later, when what it made of
 * them is on its way; but it encrypts them at once, or copies them. That is not documented, so it is tried out before it
 * is relied on: a buffer is overwritten right after the call, over the loopback interface, and has to arrive as it was.
 *
 * Copies would cost more than TLS itself: they are memory outside of the heap, for which the collector runs in full.
 */
import type { AddressInfo } from 'node:net';
import tls from 'node:tls';

/** Longest time for the attempt: it takes some milliseconds. */
const LIMIT_MS = 2_000;

/** More than a socket takes at once, so that some of it waits in TLS. */
const BYTES = 1_048_576;

const BEFORE = 1;
const AFTER = 2;

/** No certificate is needed with a key that both sides know. */
const KEY = { psk: Buffer.alloc(16, 7), identity: 'probe' };
const OPTIONS = { ciphers: 'PSK-AES128-GCM-SHA256', maxVersion: 'TLSv1.2' } as const;

let result: Promise<boolean> | undefined = undefined;
let isUsedUp = false;

/** Tried once per process. */
export function probeSecureWrites(): Promise<boolean> {
  result ??= probe()
    .catch(() => false)
    .then((works) => {
      isUsedUp = works;
      return works;
    });
  return result;
}

/** What the attempt has shown; false until it has. */
export function usesUpSecureWrites(): boolean {
  return isUsedUp;
}

function probe(): Promise<boolean> {
  return new Promise((resolve) => {
    const server = tls.createServer({ ...OPTIONS, pskCallback: () => KEY.psk });
    let peer: tls.TLSSocket | undefined = undefined;
    const sent = Buffer.alloc(BYTES, BEFORE);
    let received = 0;
    const settle = (works: boolean): void => {
      peer?.destroy();
      server.close();
      resolve(works);
    };
    const read = (bytes: Buffer): void => {
      received += bytes.length;
      if (!bytes.equals(sent.subarray(0, bytes.length))) settle(false);
      else if (received === BYTES) settle(true);
    };
    server.on('error', () => settle(false));
    server.on('secureConnection', (socket) => {
      socket.on('error', () => undefined);
      const bytes = Buffer.from(sent);
      socket.write(bytes);
      bytes.fill(AFTER);
      socket.end();
    });
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      peer = tls.connect({
        ...OPTIONS,
        host: '127.0.0.1',
        port,
        pskCallback: () => KEY,
        checkServerIdentity: () => undefined,
      });
      peer.setTimeout(LIMIT_MS, () => settle(false));
      peer.on('error', () => settle(false));
      peer.on('close', () => settle(false));
      peer.on('data', read);
    });
  });
}
