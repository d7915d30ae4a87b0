/**
 * A way of bytes as the engine sees it: bytes in, bytes out, and four events. Mostly a socket; a stream of HTTP/2 in the
 * words of HTTP/1.1 is one, too.
 */

export interface StreamOwner {
  /** Bytes from `from` to `to`, good until the call returns: they have to be used up or copied. */
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

export interface ByteStream {
  /** Who hears of its events; another one from when it is set. */
  owner: StreamOwner;
  readonly paused: boolean;
  /** Are bytes of earlier writes still to be sent? Until then their buffer must not change. */
  readonly holdsBytes: boolean;
  /** @returns may more be sent at once? If not, {@link StreamOwner.onDrain} follows */
  write(bytes: Buffer): boolean;
  /** Sends what is pending, and then that nothing more comes. */
  end(): void;
  destroy(): void;
  /** Closes so that the peer cannot take what it has for the whole. */
  reset(): void;
  /** No more bytes, but for those that are under way. */
  pause(): void;
  resume(): void;
}

/** Why a stream closed that was to carry a request which the endpoint certainly has not begun with. */
export class NotTakenError extends Error {}
