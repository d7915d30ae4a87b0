/**
 * Exponential decay without an exponential per read ("forward decay", Cormode et al., ICDE 2009).
 *
 * Instead of shrinking every old value by exp(-(now - then) / tau) when it is read, each value is stored multiplied by
 * `scale` = exp((then - origin) / tau). All stored values then share one factor, exp(-(now - origin) / tau), which the
 * comparison of two of them does not need, and the value itself is one multiplication away:
 *
 * ```text
 * value at now = stored * inverse        stored = value * scale        inverse = 1 / scale, both of now
 * decay since then = scale(then) / scale(now) = stored scale * inverse
 * ```
 *
 * The scale moves in steps of tau / 1024: values are off by less than 0.1 %, and a busy policy calls `Math.exp` some
 * hundred times a second rather than twice per pick.
 */
export class DecayScale {
  /** exp((now - origin) / tau), as of the last step. */
  scale = 1;
  inverse = 1;
  readonly #decayMs: number;
  readonly #onRescale: (factor: number) => void;
  #originMs = Number.NaN;
  #nextStepMs = Number.NEGATIVE_INFINITY;

  /** @param onRescale multiplies everything that is stored, seldom, before the scale outgrows a double */
  constructor(decayMs: number, onRescale: (factor: number) => void) {
    this.#decayMs = decayMs;
    this.#onRescale = onRescale;
  }

  /** Follows the clock. Time that goes back changes nothing. */
  advance(nowMs: number): void {
    if (!(nowMs < this.#nextStepMs)) this.#step(nowMs);
  }

  /** What `inverse` would be after `advance(nowMs)`, unchanged. */
  inverseAt(nowMs: number): number {
    if (nowMs < this.#nextStepMs) return this.inverse;
    return Number.isNaN(this.#originMs) ? 1 : Math.exp((this.#originMs - nowMs) / this.#decayMs);
  }

  /** How long ago, as of the last step, the scale had a value; Infinity for 0. */
  elapsedMsSince(scale: number): number {
    return this.#decayMs * Math.log(this.scale / scale);
  }

  #step(nowMs: number): void {
    if (Number.isNaN(this.#originMs)) this.#originMs = nowMs;
    const exponent = (nowMs - this.#originMs) / this.#decayMs;
    if (exponent > MAX_EXPONENT) {
      this.#originMs = nowMs;
      this.scale = 1;
      this.#onRescale(Math.exp(-exponent));
    } else this.scale = Math.exp(exponent);
    this.inverse = 1 / this.scale;
    this.#nextStepMs = nowMs + this.#decayMs / STEPS_PER_DECAY;
  }
}

const STEPS_PER_DECAY = 1024;

/**
 * exp(256) = 1.5e111. Costs multiply it by a latency (< 1e8 ms), in-flight counts (< 1e10) and the cube of a success
 * rate, which stays far below the largest double of 1.8e308. With the default tau this comes every 43 minutes.
 */
const MAX_EXPONENT = 256;
