import { discoveryError } from '../../discovery-error.ts';

/** A list of 65,536 names of 250 characters has 17 MB; anything beyond is no answer to a question of ours. */
const MAX_FRAME_BYTES = 32 * 1024 * 1024;
const LENGTH_BYTES = 4;

/**
 * Cuts a stream of bytes into frames: a length of 32 bits, and as many bytes. Every byte is copied at most once, however
 * the network cuts the stream. Frames come with their length in front, as the library wants them.
 */
export class FrameReader {
  #chunks: Buffer[] = [];
  #size = 0;

  /** @returns the frames that are complete now. @throws EvenkeelError for a length that cannot be */
  push(chunk: Buffer): Buffer[] {
    this.#chunks.push(chunk);
    this.#size += chunk.length;
    const frames: Buffer[] = [];
    for (let need = this.#needed(); this.#size >= need; need = this.#needed()) {
      frames.push(this.#take(need));
    }
    return frames;
  }

  /** Size of the frame that is under way, or of its length field while that is not known. */
  #needed(): number {
    if (this.#size < LENGTH_BYTES) return LENGTH_BYTES;
    const [first] = this.#chunks;
    const head = first !== undefined && first.length >= LENGTH_BYTES ? first : this.#join();
    const length = head.readInt32BE(0);
    if (length < 0 || length > MAX_FRAME_BYTES) {
      throw discoveryError(`no ZooKeeper server: a frame of ${length} bytes`);
    }
    return LENGTH_BYTES + length;
  }

  #take(size: number): Buffer {
    const [first] = this.#chunks;
    const all = first !== undefined && first.length >= size ? first : this.#join();
    const frame = all.subarray(0, size);
    if (all.length === size) this.#chunks.shift();
    else this.#chunks[0] = all.subarray(size);
    this.#size -= size;
    return frame;
  }

  #join(): Buffer {
    const all = Buffer.concat(this.#chunks, this.#size);
    this.#chunks = [all];
    return all;
  }
}
