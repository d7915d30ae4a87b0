import type { WriteStream } from 'node:tty';

/** A terminal that is drawn over and over. It gets its own page, and the user's page is back when it is closed. */
export class Screen {
  readonly #stream: WriteStream;
  #open = true;

  constructor(stream: WriteStream) {
    this.#stream = stream;
    this.#stream.write(`${ESC}?1049h${ESC}?25l`); // alternate page, no cursor
  }

  get rows(): number {
    return this.#stream.rows;
  }

  /** Replaces the picture without clearing it first, so that nothing flickers. */
  draw(lines: readonly string[]): void {
    if (!this.#open) return;
    const shown = lines.slice(0, this.rows - 1).map((line) => `${line}${ESC}K\n`);
    this.#stream.write(`${ESC}H${shown.join('')}${ESC}J`);
  }

  close(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#stream.write(`${ESC}?25h${ESC}?1049l`);
  }
}

const ESC = '\u001b[';
