/**
 * Flow control of what comes in (RFC 9113 section 5.2): the peer gets credit for data that was handed on, and not
 * before, so that a slow receiver behind us bounds what we hold. Credit is gathered up to half a window, which keeps a
 * sender going without a frame for each of its own.
 */
import { INITIAL_WINDOW_BYTES } from '../frame/frame-type.ts';
import type { Sender } from './sender.ts';
import type { Http2Limits } from './session-options.ts';
import type { SessionStream } from './session-stream.ts';

export class ReceiveFlow {
  readonly #sender: Sender;
  readonly #limits: Http2Limits;
  /** What the peer may still send on all streams together. */
  #window: number = INITIAL_WINDOW_BYTES;
  #credit = 0;
  /** What new streams begin with. */
  #streamWindow: number;

  constructor(sender: Sender, limits: Http2Limits) {
    this.#sender = sender;
    this.#limits = limits;
    // A smaller window holds when the peer knows of it.
    this.#streamWindow = Math.max(INITIAL_WINDOW_BYTES, limits.streamWindowBytes);
  }

  /** Widens the connection's window to what it is to be; follows the settings. */
  begin(): void {
    const more = this.#limits.connectionWindowBytes - this.#window;
    if (more <= 0) return;
    this.#window += more;
    this.#sender.writer.windowUpdate(0, more);
  }

  /** The peer knows our settings: windows of open streams shrink with them (section 6.9.2). */
  settingsAcknowledged(open: Iterable<SessionStream>): void {
    const change = this.#limits.streamWindowBytes - this.#streamWindow;
    if (change === 0) return;
    this.#streamWindow += change;
    for (const stream of open) stream.receiveWindow += change;
  }

  open(stream: SessionStream): void {
    stream.receiveWindow = this.#streamWindow;
  }

  /** The payload of a frame of DATA, whatever becomes of it. @returns false when it is too much */
  take(byteCount: number): boolean {
    this.#window -= byteCount;
    return this.#window >= 0;
  }

  /** The same for its stream. */
  takeOn(stream: SessionStream, byteCount: number): boolean {
    stream.receiveWindow -= byteCount;
    return stream.receiveWindow >= 0;
  }

  /** So much was handed on, or thrown away. */
  give(byteCount: number): void {
    this.#credit += byteCount;
    if (2 * this.#credit < this.#limits.connectionWindowBytes) return;
    this.#sender.writer.windowUpdate(0, this.#credit);
    this.#sender.touchControl();
    this.#window += this.#credit;
    this.#credit = 0;
  }

  /** The same on a stream, and for the connection. */
  giveOn(stream: SessionStream, byteCount: number): void {
    this.give(byteCount);
    if (stream.remoteEnded) return;
    stream.creditBytes += byteCount;
    if (2 * stream.creditBytes < this.#limits.streamWindowBytes) return;
    this.#sender.writer.windowUpdate(stream.id, stream.creditBytes);
    this.#sender.touchControl();
    stream.receiveWindow += stream.creditBytes;
    stream.creditBytes = 0;
  }
}
