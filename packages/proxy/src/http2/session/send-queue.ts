/** Bytes of one stream that could not be sent yet; copies, in the order they came. */
export class SendQueue {
  length = 0;
  #chunks: Buffer[] = [];
  /** Where the first chunk goes on. */
  #from = 0;

  push(bytes: Buffer, from: number, to: number): void {
    if (from === to) return;
    this.#chunks.push(Buffer.from(bytes.subarray(from, to)));
    this.length += to - from;
  }

  /** Hands the first `count` bytes to `take`, in one piece or several. @param count at most {@link length} */
  shift(count: number, take: (bytes: Buffer, from: number, to: number) => void): void {
    let left = count;
    this.length -= count;
    while (left > 0) {
      const chunk = this.#chunks[0] as Buffer;
      const to = Math.min(chunk.length, this.#from + left);
      take(chunk, this.#from, to);
      left -= to - this.#from;
      this.#from = to;
      if (to < chunk.length) return;
      this.#chunks.shift();
      this.#from = 0;
    }
  }

  clear(): void {
    this.#chunks = [];
    this.#from = 0;
    this.length = 0;
  }
}
