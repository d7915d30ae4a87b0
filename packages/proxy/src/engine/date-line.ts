import type { Clock } from '@evenkeel/core';
import { ascii } from '../http1/byte-class.ts';
import { formatHttpDate } from '../runtime/http-date.ts';

/** The line `date: ...`, made once a second. */
export class DateLine {
  readonly #clock: Clock;
  #second = -1;
  #line: Uint8Array = ascii('');

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get bytes(): Uint8Array {
    const wallMs = this.#clock.wallMs();
    const second = Math.floor(wallMs / 1_000);
    if (second !== this.#second) {
      this.#second = second;
      this.#line = ascii(`date: ${formatHttpDate(second * 1_000)}\r\n`);
    }
    return this.#line;
  }
}
