/**
 * A socket as the engine sees it: bytes in, bytes out, and four events. Reading goes through one buffer for all sockets
 * where Node lets us (`onread`), so that reads allocate nothing: {@link StreamOwner.onBytes} has to use up or copy what
 * it is given before it returns.
 */
import net from 'node:net';
import tls from 'node:tls';
import type { SecureTarget } from './secure-target.ts';

export interface StreamOwner {
  /** Bytes from `from` to `to`, good until the call returns. */
  onBytes(bytes: Buffer, from: number, to: number): void;
  /** The peer sends nothing more. */
  onEnd(): void;
  /** A stream whose `write` returned false takes bytes again. */
  onDrain(): void;
  /** A stream that was being connected is. */
  onConnect(): void;
  /** The last event of every stream, once. */
  onClose(error: Error | undefined): void;
}

/** Bytes per read. */
const READ_BYTES = 65_536;

/** A read is used up before the next one begins, whichever socket it is from. */
const sharedBuffer = Buffer.allocUnsafeSlow(READ_BYTES);

/** What is behind a socket that a server accepted; not documented, hence tried out at the start. */
interface WithHandle {
  _handle?: unknown;
}

export class ByteStream {
  readonly socket: net.Socket;
  /** The socket on the wire, below TLS. */
  readonly #transport: net.Socket;
  readonly #isSecure: boolean;
  #owner: StreamOwner;
  #error: Error | undefined = undefined;
  #paused = false;

  constructor(socket: net.Socket, owner: StreamOwner, transport: net.Socket = socket) {
    this.socket = socket;
    this.#transport = transport;
    this.#isSecure = 'encrypted' in socket;
    this.#owner = owner;
    socket.on('end', () => this.#owner.onEnd());
    socket.on('drain', () => this.#owner.onDrain());
    socket.on('error', (error) => {
      this.#error ??= error;
    });
    socket.on('close', () => this.#owner.onClose(this.#error));
  }

  /** Another owner for the events from now on. */
  set owner(owner: StreamOwner) {
    this.#owner = owner;
  }

  get owner(): StreamOwner {
    return this.#owner;
  }

  get paused(): boolean {
    return this.#paused;
  }

  /** Are bytes of earlier writes still to be sent? Until then their buffer must not change. */
  get holdsBytes(): boolean {
    return !this.#isSecure && this.socket.writableLength > 0;
  }

  /** @returns may more be sent at once? If not, {@link StreamOwner.onDrain} follows */
  write(bytes: Buffer): boolean {
    // TLS is never done when the call returns. Without a copy, each message would take the whole output buffer along.
    return this.socket.write(this.#isSecure ? Buffer.from(bytes) : bytes);
  }

  /** Sends what is pending, and then that nothing more comes. */
  end(): void {
    this.socket.end();
  }

  destroy(): void {
    this.socket.destroy();
  }

  /** Closes with RST, so that the peer cannot take what it has for the whole. */
  reset(): void {
    // TLS over a socket of its own, as connections to endpoints have it, cannot do that.
    if (this.#isSecure && this.#transport === this.socket) this.socket.destroy();
    else this.#transport.resetAndDestroy();
  }

  pause(): void {
    if (this.#paused) return;
    this.#paused = true;
    this.socket.pause();
  }

  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.socket.resume();
  }
}

/** Listens to an accepted socket. With `rebuild` it is read through the shared buffer; it has to be paused then. */
export function acceptStream(
  accepted: net.Socket,
  owner: StreamOwner,
  rebuild: boolean,
): ByteStream {
  const handle = (accepted as WithHandle)._handle;
  if (rebuild && handle !== null && handle !== undefined) {
    let stream: ByteStream | undefined = undefined;
    const options = {
      handle,
      allowHalfOpen: true,
      onread: {
        buffer: sharedBuffer,
        callback: (count: number, bytes: Uint8Array): boolean => {
          stream?.owner.onBytes(bytes as Buffer, 0, count);
          return true;
        },
      },
    };
    const socket = new net.Socket(options as unknown as net.SocketConstructorOpts);
    socket.setNoDelay(true);
    stream = new ByteStream(socket, owner);
    socket.resume();
    return stream;
  }
  const stream = new ByteStream(accepted, owner);
  accepted.on('data', (bytes: Buffer) => stream.owner.onBytes(bytes, 0, bytes.length));
  if (rebuild) accepted.resume();
  return stream;
}

/** Listens to a socket that is secure by now. @param transport the socket below */
export function acceptSecureStream(
  secure: net.Socket,
  owner: StreamOwner,
  transport: net.Socket,
): ByteStream {
  const stream = new ByteStream(secure, owner, transport);
  secure.setNoDelay(true);
  secure.on('data', (bytes: Buffer) => stream.owner.onBytes(bytes, 0, bytes.length));
  return stream;
}

export type ConnectTarget =
  { readonly host: string; readonly port: number } | { readonly path: string };

/** Begins to connect. @param secure for TLS; the stream is connected when its handshake is over */
export function connectStream(
  target: ConnectTarget,
  owner: StreamOwner,
  secure?: SecureTarget,
): ByteStream {
  let stream: ByteStream | undefined = undefined;
  const options = {
    ...target,
    noDelay: true,
    allowHalfOpen: true,
    onread: {
      buffer: sharedBuffer,
      callback: (count: number, bytes: Uint8Array): boolean => {
        stream?.owner.onBytes(bytes as Buffer, 0, count);
        return true;
      },
    },
  };
  const socket = secure === undefined ? net.connect(options) : connectSecure(options, secure);
  stream = new ByteStream(socket, owner);
  const connected = stream;
  socket.on(secure === undefined ? 'connect' : 'secureConnect', () => connected.owner.onConnect());
  return stream;
}

function connectSecure(options: tls.ConnectionOptions, secure: SecureTarget): tls.TLSSocket {
  const security = secure.options();
  const socket = tls.connect({ ...options, ...security });
  socket.on('session', (session: Buffer) => secure.keep(session, security.secureContext));
  return socket;
}
