/**
 * Tells a client that speaks HTTP/2 without asking (prior knowledge, RFC 9113 section 3.3) from all others, by its first
 * bytes. Others lose nothing: the byte that says that it is not HTTP/2 is passed on at once.
 */
import { ascii } from '../http1/byte-class.ts';
import type { StreamOwner } from '../socket/byte-stream.ts';

/** What such a client sends first; the engine would take its beginning for a request with an unknown version. */
const PREFACE = ascii('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');

export interface FirstBytesOwner {
  /** Gets whatever is not HTTP/2; also the end, when nothing comes. */
  readonly client: StreamOwner;
  /** From now on all bytes are the client's. */
  passOn(): void;
  /** @param bytes with the preface, and all that came with it */
  takeOver(bytes: Buffer): void;
}

export class FirstBytes implements StreamOwner {
  readonly #owner: FirstBytesOwner;
  #held: Buffer | undefined = undefined;

  constructor(owner: FirstBytesOwner) {
    this.#owner = owner;
  }

  onBytes(bytes: Buffer, from: number, to: number): void {
    const held = this.#held;
    // Nearly always: no method in use begins like this.
    if (held === undefined && bytes[from] !== PREFACE[0]) {
      this.#owner.passOn();
      this.#owner.client.onBytes(bytes, from, to);
      return;
    }
    const part = bytes.subarray(from, to);
    const all = held === undefined ? part : Buffer.concat([held, part]);
    const known = Math.min(all.length, PREFACE.length);
    for (let at = 0; at < known; at++) {
      if (all[at] === PREFACE[at]) continue;
      this.#held = undefined;
      this.#owner.passOn();
      this.#owner.client.onBytes(all, 0, all.length);
      return;
    }
    if (all.length >= PREFACE.length) this.#owner.takeOver(Buffer.from(all));
    else this.#held = Buffer.from(all);
  }

  onEnd(): void {
    this.#owner.client.onEnd();
  }

  onDrain(): void {
    this.#owner.client.onDrain();
  }

  onConnect(): void {
    // It was accepted.
  }

  onClose(error: Error | undefined): void {
    this.#owner.client.onClose(error);
  }
}
