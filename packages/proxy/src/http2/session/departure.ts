/** PING and GOAWAY of ours: is the peer there, and how a session is left without losing a request. */
import { Flag, FrameType, MAX_STREAM_ID } from '../frame/frame-type.ts';
import { ErrorCode } from '../http2-stream.ts';
import type { Sender } from './sender.ts';
import type { Http2Role } from './session-options.ts';
import type { StreamTable } from './stream-table.ts';

/** Last bytes of our PINGs: one that asks whether the peer is there, and one behind the first GOAWAY. */
const KEEP_ALIVE_PING = 1;
export const DRAIN_PING = 2;

export class Departure {
  /** No new streams are to be opened, by whom they would be. */
  isDraining = false;
  /** Streams above this number are not taken any more, because GOAWAY said so. */
  lastTakenId: number = Number.POSITIVE_INFINITY;
  /** A PING of ours is not answered. */
  awaitsPong = false;

  readonly #role: Http2Role;
  readonly #sender: Sender;
  readonly #streams: StreamTable;

  constructor(role: Http2Role, sender: Sender, streams: StreamTable) {
    this.#role = role;
    this.#sender = sender;
    this.#streams = streams;
  }

  /** With no stream open, may the session end? */
  get isReady(): boolean {
    return this.#role === 'client' ? this.isDraining : Number.isFinite(this.lastTakenId);
  }

  begin(): void {
    this.isDraining = true;
    const { writer } = this.#sender;
    if (this.#role === 'client') {
      writer.goaway(0, ErrorCode.noError);
      this.#sender.touch();
      return;
    }
    // Streams may be under way that a lower number would refuse; the answer to a PING comes behind them (section 6.8).
    writer.goaway(MAX_STREAM_ID, ErrorCode.noError);
    this.#ping(DRAIN_PING);
  }

  ping(): void {
    this.#ping(KEEP_ALIVE_PING);
  }

  #ping(word: number): void {
    const { writer } = this.#sender;
    writer.head(8, FrameType.ping, Flag.none, 0);
    writer.word(0);
    writer.word(word);
    this.#sender.touch();
    this.awaitsPong = true;
  }

  /** @param word the last 4 bytes of the answer */
  answered(word: number): void {
    this.awaitsPong = false;
    if (word !== DRAIN_PING || !this.isDraining || this.#role === 'client') return;
    this.lastTakenId = this.#streams.lastPeerId;
    this.#sender.writer.goaway(this.lastTakenId, ErrorCode.noError);
    this.#sender.touch();
  }
}
