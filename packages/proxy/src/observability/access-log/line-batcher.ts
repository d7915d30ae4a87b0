/** Gathers lines and hands them on in batches. Adding never waits: what does not fit is dropped and counted. */
import type { Scheduler, Timer } from '@evenkeel/core';

/** Takes whole lines. While what it returns has not settled it is given nothing more. */
export type WriteLines = (lines: string) => unknown;

export interface LineBatcherOptions {
  readonly scheduler: Scheduler;
  readonly write: WriteLines;
  /** Characters that wait at most, those being written left out. */
  readonly maxCharacters: number;
}

/** How long a line waits for others. */
const BATCH_MS = 100;

/** So much is written without waiting any longer. */
const BATCH_CHARACTERS = 65_536;

export class LineBatcher {
  /** Lines that did not fit, or whose writing failed. */
  droppedCount = 0;

  readonly #options: LineBatcherOptions;
  #lines = '';
  #lineCount = 0;
  #timer: Timer | undefined = undefined;
  #writing: Promise<void> | undefined = undefined;

  constructor(options: LineBatcherOptions) {
    this.#options = options;
  }

  /** @param line without its end */
  add(line: string): void {
    const { maxCharacters, scheduler } = this.#options;
    if (this.#lines.length + line.length >= maxCharacters) {
      this.droppedCount++;
      return;
    }
    this.#lines += `${line}\n`;
    this.#lineCount++;
    if (this.#writing !== undefined) return;
    if (this.#lines.length >= BATCH_CHARACTERS) this.#flush();
    else this.#timer ??= scheduler.after(BATCH_MS, () => this.#flush());
  }

  /** @returns once everything has been written, or the time is over */
  close(limitMs: number): Promise<void> {
    const { scheduler } = this.#options;
    return new Promise((resolve) => {
      const held = scheduler.hold();
      const settle = (): void => {
        held.cancel();
        timer.cancel();
        resolve();
      };
      const timer = scheduler.after(limitMs, settle);
      void this.#drain().then(settle);
    });
  }

  async #drain(): Promise<void> {
    while (this.#writing !== undefined || this.#lineCount > 0) {
      if (this.#writing === undefined) this.#flush();
      await this.#writing;
    }
  }

  #flush(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    const lines = this.#lines;
    const count = this.#lineCount;
    this.#lines = '';
    this.#lineCount = 0;
    this.#writing = this.#write(lines, count).then(() => {
      this.#writing = undefined;
      if (this.#lineCount > 0)
        this.#timer ??= this.#options.scheduler.after(0, () => this.#flush());
    });
  }

  /** Whatever is wrong with the log, requests go on. */
  async #write(lines: string, count: number): Promise<void> {
    try {
      await this.#options.write(lines);
    } catch {
      this.droppedCount += count;
    }
  }
}
