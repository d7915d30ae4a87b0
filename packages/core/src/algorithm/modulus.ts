import { checkInteger } from './check.ts';

/** Exclusive upper end of divisors: see the bounds in `reduce`. */
const MAX_DIVISOR = 2 ** 26;
/** Up to this divisor the upper half need not be reduced first. */
const MAX_ONE_STEP_DIVISOR = 2 ** 20;

/**
 * `hash mod divisor` for 64-bit hashes in halves, exact and without BigInt.
 *
 * The `%` of doubles costs 20 ns or more, and a 64-bit hash does not fit one anyway. Instead the quotient is estimated
 * by a multiplication with the reciprocal; its error is at most one, which one correction step repairs.
 */
export class Modulus {
  readonly divisor: number;
  readonly #reciprocal: number;
  /** 2^32 mod divisor: what one unit of the upper half is worth. */
  readonly #wrap: number;

  /** @param divisor integer between 1 and 2^26 - 1 @throws RangeError */
  constructor(divisor: number) {
    this.divisor = checkInteger('divisor', divisor, { min: 1, max: MAX_DIVISOR - 1 });
    this.#reciprocal = 1 / divisor;
    this.#wrap = 2 ** 32 % divisor;
  }

  /**
   * The remainder of `hi * 2^32 + lo`, an integer in [0, divisor).
   *
   * `hi * (2^32 mod d) + lo` has the same remainder. It is below 2^32 * 2^20 + 2^32 < 2^53 for d <= 2^20, and with hi
   * reduced first below 2^26 * 2^26 + 2^32 < 2^53 for the others: every step is exact in a double.
   */
  reduce(hi: number, lo: number): number {
    const { divisor } = this;
    const upper = divisor <= MAX_ONE_STEP_DIVISOR ? hi >>> 0 : this.#remainder(hi >>> 0);
    return this.#remainder(upper * this.#wrap + (lo >>> 0));
  }

  /** `value mod divisor` for an integer below 2^53: the estimated quotient is off by one at most. */
  #remainder(value: number): number {
    const { divisor } = this;
    const rest = value - Math.floor(value * this.#reciprocal) * divisor;
    if (rest < 0) return rest + divisor;
    return rest >= divisor ? rest - divisor : rest;
  }
}
