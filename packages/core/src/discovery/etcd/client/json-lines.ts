import { discoveryError } from '../../discovery-error.ts';

/**
 * A line holds one answer of a watch. etcd splits what is larger than a request may be (1.5 MiB by default, and as much
 * again for base64) into fragments.
 */
const MAX_LINE_BYTES: number = 16 * 1024 * 1024;
const NEWLINE = 0x0a;

/**
 * Puts lines together again that a network cut anywhere, within a character, too. JSON has no raw line breaks, so a line
 * is a message.
 */
export class JsonLines {
  readonly #maxBytes: number;
  #parts: Buffer[] = [];
  #length = 0;

  constructor(maxBytes: number = MAX_LINE_BYTES) {
    this.#maxBytes = maxBytes;
  }

  /**
   * @returns what the lines that are now complete say, in order; empty lines say nothing
   * @throws EvenkeelError for a line that is no JSON or too long; nothing more can be made of the stream then
   */
  push(chunk: Buffer): unknown[] {
    const messages: unknown[] = [];
    let start = 0;
    for (;;) {
      const end = chunk.indexOf(NEWLINE, start);
      this.#add(end < 0 ? chunk.subarray(start) : chunk.subarray(start, end));
      if (end < 0) return messages;
      const line = Buffer.concat(this.#parts, this.#length).toString('utf8').trim();
      this.#parts = [];
      this.#length = 0;
      if (line !== '') messages.push(parseJson(line));
      start = end + 1;
    }
  }

  #add(part: Buffer): void {
    this.#length += part.length;
    if (this.#length > this.#maxBytes) {
      throw discoveryError(`a message of more than ${this.#maxBytes} bytes`);
    }
    if (part.length > 0) this.#parts.push(part);
  }
}

/** @throws EvenkeelError. What it was is not told: it may hold anything. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw discoveryError('the answer is no JSON', error);
  }
}
