import type { DocumentPath } from './document.ts';

/**
 * Finds places in a JSON text (RFC 8259). Values come from `JSON.parse`, which is fast but names no position in half of
 * its messages and none for a value; this scanner runs only when there is an error to be placed.
 */

/** Deeper than any endpoint file; keeps the recursion far from the end of the stack. */
const MAX_DEPTH = 64;

/** Offset of the first thing that is not JSON; undefined when the text is well formed. */
export function findJsonError(text: string): number | undefined {
  return new JsonScanner(text, []).run().errorOffset;
}

/** Offset of the value at `path`, or of the deepest value on the way to it. */
export function findJsonValue(text: string, path: DocumentPath): number {
  return new JsonScanner(text, path).run().valueOffset;
}

/** Thrown and caught in this file only: unwinds the recursion. */
class Stop extends Error {}

class JsonScanner {
  readonly #text: string;
  readonly #path: DocumentPath;
  #offset = 0;
  #valueOffset = 0;

  constructor(text: string, path: DocumentPath) {
    this.#text = text;
    this.#path = path;
  }

  run(): { valueOffset: number; errorOffset: number | undefined } {
    let failed = false;
    try {
      this.#value(0, true);
      this.#space();
      failed = this.#offset < this.#text.length;
    } catch (error) {
      if (!(error instanceof Stop)) throw error;
      failed = true;
    }
    return { valueOffset: this.#valueOffset, errorOffset: failed ? this.#offset : undefined };
  }

  /** @param onPath is this value on the way to the path looked for? */
  #value(depth: number, onPath: boolean): void {
    this.#space();
    if (onPath) this.#valueOffset = this.#offset;
    if (depth > MAX_DEPTH) throw new Stop();
    switch (this.#text[this.#offset]) {
      case '{':
        return this.#object(depth, onPath);
      case '[':
        return this.#array(depth, onPath);
      case '"':
        return void this.#string();
      default:
        return this.#match(LITERAL);
    }
  }

  #object(depth: number, onPath: boolean): void {
    this.#offset += 1;
    if (this.#closes('}')) return;
    do {
      this.#space();
      const key = this.#string();
      this.#space();
      this.#expect(':');
      this.#value(depth + 1, onPath && this.#path[depth] === key);
    } while (this.#continues('}'));
  }

  #array(depth: number, onPath: boolean): void {
    this.#offset += 1;
    if (this.#closes(']')) return;
    let index = 0;
    do {
      this.#value(depth + 1, onPath && this.#path[depth] === index);
      index += 1;
    } while (this.#continues(']'));
  }

  #string(): string {
    const start = this.#offset;
    this.#match(STRING);
    return JSON.parse(this.#text.slice(start, this.#offset)) as string;
  }

  #closes(bracket: string): boolean {
    this.#space();
    if (this.#text[this.#offset] !== bracket) return false;
    this.#offset += 1;
    return true;
  }

  /** After an element: true at a comma, false at the closing bracket. */
  #continues(bracket: string): boolean {
    if (this.#closes(bracket)) return false;
    this.#expect(',');
    return true;
  }

  #expect(character: string): void {
    if (this.#text[this.#offset] !== character) throw new Stop();
    this.#offset += 1;
  }

  #space(): void {
    while (WHITE_SPACE.has(this.#text.charCodeAt(this.#offset))) this.#offset += 1;
  }

  #match(token: RegExp): void {
    token.lastIndex = this.#offset;
    if (!token.test(this.#text)) throw new Stop();
    this.#offset = token.lastIndex;
  }
}

/** RFC 8259 section 2. */
const WHITE_SPACE: ReadonlySet<number> = new Set([0x20, 0x09, 0x0a, 0x0d]);
/** RFC 8259 sections 3 and 6. */
const LITERAL = /(?:true|false|null|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?)(?![\w.])/y;
/** RFC 8259 section 7. Each character can match in one way only, so there is no backtracking. */
const STRING = /"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[\da-fA-F]{4}))*"/y;
