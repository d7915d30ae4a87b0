/**
 * One end of a relayed connection: a socket that is read through a buffer of its own, in lock-step. What one read brings
 * is handed to the other end's socket as it is; while that socket cannot take it, nothing is read. So no byte is copied,
 * no read allocates, and a connection holds two buffers, however fast one side and slow the other.
 *
 * The buffer begins small, because most connections wait most of the time, and grows where reads keep filling it: with
 * 256 KiB a byte costs less than half of what it does with 64 KiB.
 */
import net from 'node:net';
import tls from 'node:tls';
import type { SecureTarget } from '../socket/secure-target.ts';

export interface RelayOwner {
  /** Bytes that stay good until the end is read again. @returns may that be at once? Otherwise `resume` follows */
  onBytes(end: RelayEnd, bytes: Buffer): boolean;
  /** What was written is on its way, and the end that it came from is read again. */
  onProgress(): void;
  onConnect(end: RelayEnd): void;
  /** The peer sends nothing more. */
  onEnd(end: RelayEnd): void;
  /** The last event, once. */
  onClose(end: RelayEnd, error: Error | undefined): void;
}

export const START_BYTES = 16_384;
export const LARGEST_BYTES = 262_144;
const GROWTH = 4;
/** Full reads in a row before the buffer grows, and ones that would fit into the first before it is small again. */
const FULL_READS = 2;
const SMALL_READS = 64;

/** What is behind a socket that a server accepted; not documented, hence tried out at the start. */
interface WithHandle {
  _handle?: unknown;
}

interface OnRead {
  readonly buffer: () => Buffer;
  readonly callback: (count: number, bytes: Uint8Array) => boolean;
}

export class RelayEnd {
  readonly socket: net.Socket;
  /** Read from this end so far. */
  byteCount = 0;
  /** Has the peer said that it sends nothing more? */
  ended = false;

  readonly #owner: RelayOwner;
  /** The socket on the wire, below TLS. */
  #transport: net.Socket;
  #buffer: Buffer = Buffer.allocUnsafeSlow(START_BYTES);
  #fullReads = 0;
  #smallReads = 0;
  /** Writes to the other end that use {@link #buffer} and are not over. */
  #writes = 0;
  /** Is reading stopped until they are? */
  #waits = false;
  #error: Error | undefined = undefined;

  private constructor(
    owner: RelayOwner,
    open: (onread: OnRead, end: RelayEnd) => net.Socket,
    transport?: net.Socket,
  ) {
    this.#owner = owner;
    const onread: OnRead = {
      buffer: () => this.#buffer,
      callback: (count, bytes) => this.#read(bytes as Buffer, count),
    };
    this.socket = open(onread, this);
    this.#transport = transport ?? this.socket;
    this.socket.on('end', () => {
      this.ended = true;
      owner.onEnd(this);
    });
    this.socket.on('error', (error) => {
      this.#error ??= error;
    });
    this.socket.on('close', () => owner.onClose(this, this.#error));
  }

  /**
   * An accepted socket, which has to be paused; {@link resume} begins to read it.
   *
   * @param rebuild may it be read through a buffer of ours? Otherwise through 'data' events, at twice the cost
   */
  static accept(accepted: net.Socket, owner: RelayOwner, rebuild: boolean): RelayEnd {
    const handle = (accepted as WithHandle)._handle;
    if (!rebuild || handle === null || handle === undefined)
      return new RelayEnd(owner, (_, end) => end.#readEvents(accepted).pause());
    return new RelayEnd(owner, (onread) => {
      const options = { handle, allowHalfOpen: true, onread };
      return new net.Socket(options as unknown as net.SocketConstructorOpts).setNoDelay(true);
    });
  }

  /** A socket that is secure by now; {@link resume} begins to read it. @param transport the socket below */
  static acceptSecure(secure: tls.TLSSocket, transport: net.Socket, owner: RelayOwner): RelayEnd {
    secure.setNoDelay(true);
    return new RelayEnd(owner, (_, end) => end.#readEvents(secure).pause(), transport);
  }

  /** Begins to connect. The end is connected when what comes before the bytes of the client is over. */
  static connect(
    target: RelayTarget,
    owner: RelayOwner,
    { header, secure }: Dialing = {},
  ): RelayEnd {
    if (secure !== undefined) return RelayEnd.#connectSecure(target, owner, { header, secure });
    return new RelayEnd(owner, (onread, end) => {
      const socket = net.connect({ ...target, noDelay: true, allowHalfOpen: true, onread });
      return socket.on('connect', () => {
        if (header !== undefined) socket.write(header);
        owner.onConnect(end);
      });
    });
  }

  static #connectSecure(
    target: RelayTarget,
    owner: RelayOwner,
    { header, secure }: Dialing & { readonly secure: SecureTarget },
  ): RelayEnd {
    const transport = net.connect({ ...target, noDelay: true, allowHalfOpen: true });
    // The header is for whoever takes the connection, before TLS.
    if (header !== undefined) transport.write(header);
    return new RelayEnd(
      owner,
      (_, end) => {
        const security = secure.options();
        // The host is who has to be in the certificate, where there is no name.
        const socket = tls.connect({
          ...target,
          ...security,
          ALPNProtocols: [],
          socket: transport,
        });
        socket.allowHalfOpen = true;
        socket.on('session', (session: Buffer) => secure.keep(session, security.secureContext));
        socket.on('secureConnect', () => owner.onConnect(end));
        return end.#readEvents(socket).pause();
      },
      transport,
    );
  }

  /** Bytes that one read may bring now. */
  get bufferBytes(): number {
    return this.#buffer.length;
  }

  resume(): void {
    if (!this.socket.destroyed) this.socket.resume();
  }

  /** Sends bytes of this end to the other one. @returns are they out, so that their buffer may be used again? */
  sendTo(other: RelayEnd, bytes: Buffer): boolean {
    this.#writes++;
    other.socket.write(bytes, this.#written);
    // Not the return value: that tells whether more may be queued, and nothing ever is.
    if (other.socket.writableLength === 0) return true;
    this.#waits = true;
    return false;
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
    const { socket } = this;
    if (socket.destroyed) return;
    if (this.#transport !== socket) {
      this.#transport.resetAndDestroy();
      socket.destroy();
      return;
    }
    // libuv refuses while the FIN is on its way; an address that is a path knows no RST.
    const isEnding =
      socket.writableEnded && !socket.writableFinished && socket.writableLength === 0;
    if (isEnding || socket.connecting || socket.remotePort === undefined) socket.destroy();
    else socket.resetAndDestroy();
  }

  /** Made once: it would be an allocation per read. */
  readonly #written = (): void => {
    this.#writes--;
    if (!this.#waits || this.#writes > 0) return;
    this.#waits = false;
    this.#owner.onProgress();
    this.resume();
  };

  /** For sockets that have no way to read into a buffer of ours. */
  #readEvents(socket: net.Socket): net.Socket {
    return socket.on('data', (bytes: Buffer) => {
      if (!this.#read(bytes, bytes.length)) socket.pause();
    });
  }

  #read(bytes: Buffer, count: number): boolean {
    this.byteCount += count;
    const mayGoOn = this.#owner.onBytes(this, bytes.subarray(0, count));
    if (bytes === this.#buffer) this.#fit(count);
    return mayGoOn;
  }

  /** The next read gets the new buffer; a write that uses the old one keeps it. */
  #fit(count: number): void {
    const size = this.#buffer.length;
    this.#fullReads = count === size ? this.#fullReads + 1 : 0;
    this.#smallReads = count < START_BYTES ? this.#smallReads + 1 : 0;
    if (this.#fullReads >= FULL_READS && size < LARGEST_BYTES) this.#use(size * GROWTH);
    else if (this.#smallReads >= SMALL_READS && size > START_BYTES) this.#use(START_BYTES);
  }

  #use(size: number): void {
    this.#buffer = Buffer.allocUnsafeSlow(size);
    this.#fullReads = 0;
    this.#smallReads = 0;
  }
}

/** What comes before the bytes of the client. */
export interface Dialing {
  /** The header of the PROXY protocol. */
  readonly header?: Buffer | undefined;
  readonly secure?: SecureTarget | undefined;
}

export type RelayTarget =
  { readonly host: string; readonly port: number } | { readonly path: string };
