/** Reads who a connection is said to be from, before anything else of it. */
import type { ProxiedClient } from '../proxy-protocol/proxied-client.ts';
import { readProxyHeader } from '../proxy-protocol/proxy-header.ts';
import type { ByteStream, StreamOwner } from '../socket/byte-stream.ts';

export interface IntroductionOwner {
  /** The header is complete; `rest` came after it, and is good until the call returns. */
  onIntroduced(stream: ByteStream, client: ProxiedClient, rest: Buffer): void;
  /** There is no header, or it will not come any more. */
  onUnknown(): void;
}

export class Introduction implements StreamOwner {
  readonly #owner: IntroductionOwner;
  #stream: ByteStream | undefined = undefined;
  #held: Buffer | undefined = undefined;
  #isOver = false;

  constructor(owner: IntroductionOwner) {
    this.#owner = owner;
  }

  /** Right after the stream was made, before its first event. */
  attach(stream: ByteStream): void {
    this.#stream = stream;
  }

  onBytes(bytes: Buffer, from: number, to: number): void {
    if (this.#isOver || this.#stream === undefined) return;
    const part = bytes.subarray(from, to);
    const all = this.#held === undefined ? part : Buffer.concat([this.#held, part]);
    const read = readProxyHeader(all);
    if (read === 'incomplete') {
      this.#held = this.#held === undefined ? Buffer.from(part) : all;
      return;
    }
    this.#isOver = true;
    this.#held = undefined;
    if (read === 'bad') this.#owner.onUnknown();
    else this.#owner.onIntroduced(this.#stream, read, all.subarray(read.length));
  }

  onEnd(): void {
    this.#fail();
  }

  onDrain(): void {
    // Nothing is written.
  }

  onConnect(): void {
    // It was accepted.
  }

  onClose(): void {
    this.#fail();
  }

  #fail(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#owner.onUnknown();
  }
}
