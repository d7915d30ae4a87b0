/** A session with an endpoint, among those that share its streams. */
import type { ByteStream } from '../../socket/byte-stream.ts';
import {
  ErrorCode,
  type Http2Session,
  type Http2SessionOwner,
  type Http2Stream,
  type Http2StreamOwner,
} from '../http2-stream.ts';
import { NOBODY } from '../translate/detached.ts';

export interface UpstreamSessionHost {
  readonly maxStreams: number;
  /** Is nobody to use it any more, once its last stream is over? */
  readonly isClosing: boolean;
  open(owner: Http2SessionOwner): Http2Session;
  /** There may be room for more streams. */
  roomMade(): void;
  /** The session is there. */
  ready(session: UpstreamSession): void;
  /** It takes no streams any more, or is closed: before it was ready, or after. */
  left(session: UpstreamSession, isClosed: boolean): void;
}

export class UpstreamSession implements Http2SessionOwner {
  readonly session: Http2Session;
  readonly stream: ByteStream;
  /** Are the endpoint's settings there? Whoever sends none speaks something else. */
  isReady = false;
  isLeaving = false;

  readonly #host: UpstreamSessionHost;

  constructor(host: UpstreamSessionHost, stream: ByteStream) {
    this.#host = host;
    this.stream = stream;
    this.session = host.open(this);
    stream.owner = this.session;
    this.session.attach(stream);
  }

  get hasRoom(): boolean {
    const { session } = this;
    const { maxStreams } = this.#host;
    return this.isReady && !this.isLeaving && session.canOpen && session.openCount < maxStreams;
  }

  onStream(stream: Http2Stream): Http2StreamOwner {
    // Push is switched off: nobody may open one (RFC 9113 section 8.4).
    stream.reset(ErrorCode.refusedStream);
    return NOBODY;
  }

  onGoaway(): void {
    this.isLeaving = true;
    this.#host.left(this, false);
  }

  onSettings(): void {
    if (this.isReady) {
      this.#host.roomMade();
      return;
    }
    this.isReady = true;
    this.#host.ready(this);
  }

  onIdleChange(isIdle: boolean): void {
    if (isIdle && this.#host.isClosing) this.session.drain();
  }

  onClose(): void {
    this.isLeaving = true;
    this.#host.left(this, true);
  }
}
