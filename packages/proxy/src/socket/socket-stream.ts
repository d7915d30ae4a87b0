/**
 * A socket as a stream of bytes. Reading goes through one buffer for all sockets where Node lets us (`onread`), so that
 * reads allocate nothing: `onBytes` has to use up or copy what it is given before it returns.
 */
import net from 'node:net';
import tls from 'node:tls';
import type { ByteStream, StreamOwner } from './byte-stream.ts';
import type { SecureTarget } from './secure-target.ts';
import { probeSecureWrites, usesUpSecureWrites } from './secure-write-probe.ts';

/** Bytes per read. */
const READ_BYTES = 65_536;

/** A read is used up before the next one begins, whichever socket it is from. */
const sharedBuffer = Buffer.allocUnsafeSlow(READ_BYTES);

/** What is behind a socket that a server accepted; not documented, hence tried out at the start. */
interface WithHandle {
  _handle?: unknown;
}

export class SocketStream implements ByteStream {
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
    if (this.#isSecure) void probeSecureWrites();
    this.#owner = owner;
    socket.on('end', () => this.#owner.onEnd());
    socket.on('drain', () => this.#owner.onDrain());
    socket.on('error', (error) => {
      this.#error ??= error;
    });
    socket.on('close', () => this.#owner.onClose(this.#error));
  }

  set owner(owner: StreamOwner) {
    this.#owner = owner;
  }

  get owner(): StreamOwner {
    return this.#owner;
  }

  get paused(): boolean {
    return this.#paused;
  }

  /** What ALPN has chosen; '' for none. */
  get protocol(): string {
    const { alpnProtocol } = this.socket as Partial<tls.TLSSocket>;
    return typeof alpnProtocol === 'string' ? alpnProtocol : '';
  }

  get holdsBytes(): boolean {
    return !this.#isSecure && this.socket.writableLength > 0;
  }

  write(bytes: Buffer): boolean {
    const { socket } = this;
    // Behind others they wait in line, and their buffer is needed for the next message.
    const waits = this.#isSecure && (socket.writableLength > 0 || !usesUpSecureWrites());
    return socket.write(waits ? Buffer.from(bytes) : bytes);
  }

  end(): void {
    this.socket.end();
  }

  destroy(): void {
    this.socket.destroy();
  }

  /** With RST. */
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
): SocketStream {
  const handle = (accepted as WithHandle)._handle;
  if (rebuild && handle !== null && handle !== undefined) {
    let stream: SocketStream | undefined = undefined;
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
    stream = new SocketStream(socket, owner);
    socket.resume();
    return stream;
  }
  const stream = new SocketStream(accepted, owner);
  accepted.on('data', (bytes: Buffer) => stream.owner.onBytes(bytes, 0, bytes.length));
  if (accepted.isPaused()) accepted.resume();
  return stream;
}

/** Listens to a socket that is secure by now. @param transport the socket below */
export function acceptSecureStream(
  secure: net.Socket,
  owner: StreamOwner,
  transport: net.Socket,
): SocketStream {
  const stream = new SocketStream(secure, owner, transport);
  secure.setNoDelay(true);
  secure.on('data', (bytes: Buffer) => stream.owner.onBytes(bytes, 0, bytes.length));
  return stream;
}

export type ConnectTarget =
  { readonly host: string; readonly port: number } | { readonly path: string };

/** TLS for a connection. */
export interface Security {
  readonly target: SecureTarget;
  /** For ALPN, the best one first. */
  readonly protocols: readonly string[];
}

/** Begins to connect. @param security for TLS; the stream is connected when its handshake is over */
export function connectStream(
  target: ConnectTarget,
  owner: StreamOwner,
  security?: Security,
): SocketStream {
  let stream: SocketStream | undefined = undefined;
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
  const socket = security === undefined ? net.connect(options) : connectSecure(options, security);
  stream = new SocketStream(socket, owner);
  const connected = stream;
  socket.on(security === undefined ? 'connect' : 'secureConnect', () =>
    connected.owner.onConnect(),
  );
  return stream;
}

function connectSecure(
  options: tls.ConnectionOptions,
  { target, protocols }: Security,
): tls.TLSSocket {
  const security = target.options(protocols);
  const socket = tls.connect({ ...options, ...security });
  socket.on('session', (session: Buffer) => target.keep(session, security.secureContext));
  return socket;
}
