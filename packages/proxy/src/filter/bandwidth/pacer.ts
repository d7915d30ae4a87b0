/**
 * When bytes may go on, so that they keep to a rate: what was sent by a time never exceeds
 *
 * ```text
 *   burst + rate * (time since the start)
 * ```
 *
 * It keeps one number, the moment at which all bytes so far are paid for (the generic cell rate algorithm, ITU-T I.371,
 * with debts): a chunk larger than the burst is not refused, it waits.
 */
export class Pacer {
  readonly #msPerByte: number;
  readonly #burstMs: number;
  #paidAtMs = Number.NEGATIVE_INFINITY;

  constructor(bytesPerSecond: number, burstBytes: number) {
    this.#msPerByte = 1_000 / bytesPerSecond;
    this.#burstMs = burstBytes * this.#msPerByte;
  }

  /** @returns for how long these bytes have to wait, in milliseconds; they count as sent from now on */
  take(nowMs: number, bytes: number): number {
    this.#paidAtMs = Math.max(nowMs - this.#burstMs, this.#paidAtMs) + bytes * this.#msPerByte;
    return Math.max(0, this.#paidAtMs - nowMs);
  }
}
