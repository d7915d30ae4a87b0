/**
 * How the last streams ended. Frames for a stream that is gone mean different things: one that we reset may still get
 * some, because the peer did not know yet (RFC 9113 section 5.1, "closed"); one that the peer ended must not.
 */

/** How many are remembered: more than are under way. */
const REMEMBERED = 256;

export const Ending = {
  /** Longer ago, or never opened. */
  unknown: 0,
  /** Both sides were done. */
  complete: 1,
  resetByPeer: 2,
  resetByUs: 3,
} as const;
export type Ending = (typeof Ending)[keyof typeof Ending];

export class ClosedStreams {
  readonly #ids: Int32Array = new Int32Array(REMEMBERED);
  readonly #endings: Uint8Array = new Uint8Array(REMEMBERED);

  add(streamId: number, ending: Ending): void {
    const place = (streamId >>> 1) % REMEMBERED;
    this.#ids[place] = streamId;
    this.#endings[place] = ending;
  }

  endingOf(streamId: number): Ending {
    const place = (streamId >>> 1) % REMEMBERED;
    return this.#ids[place] === streamId ? (this.#endings[place] as Ending) : Ending.unknown;
  }
}
