/** A byte stream that keeps what is written to it. */
import type { ByteStream, StreamOwner } from '../../../socket/byte-stream.ts';

export class MemoryStream implements ByteStream {
  owner: StreamOwner;
  paused = false;
  holdsBytes = false;
  /** Does the next write fill it? */
  isFull = false;
  isEnded = false;
  isDestroyed = false;
  writeCount = 0;
  #written: Buffer[] = [];

  constructor(owner: StreamOwner) {
    this.owner = owner;
  }

  write(bytes: Buffer): boolean {
    if (this.isEnded || this.isDestroyed) throw new Error('written after its end');
    this.#written.push(Buffer.from(bytes));
    this.writeCount++;
    return !this.isFull;
  }

  /** What was written since the last call. */
  take(): Buffer {
    const all = Buffer.concat(this.#written);
    this.#written = [];
    return all;
  }

  end(): void {
    this.isEnded = true;
  }

  destroy(): void {
    if (this.isDestroyed) return;
    this.isDestroyed = true;
    this.owner.onClose(undefined);
  }

  reset(): void {
    this.destroy();
  }

  pause(): void {
    this.paused = true;
  }

  resume(): void {
    this.paused = false;
  }
}
