/** A stream that is none, for what is to go nowhere; and an owner that hears nothing. */
import type { Http2Stream, Http2StreamOwner } from '../http2-stream.ts';

const nothing = (): void => undefined;

export const NOBODY: Http2StreamOwner = Object.freeze({
  onFields: nothing,
  onData: nothing,
  onTrailers: nothing,
  onDrain: nothing,
  onClose: nothing,
});

/** Takes everything. */
export const NOWHERE: Http2Stream = Object.freeze({
  id: 0,
  get owner() {
    return NOBODY;
  },
  set owner(_owner) {
    // Nothing ever happens on it.
  },
  sendFields: nothing,
  sendData: () => true,
  consume: nothing,
  reset: nothing,
  hold: nothing,
  release: nothing,
});
