export interface SampleWindowOptions {
  /** Shortest length; 0: one request. */
  readonly windowMs: number;
  readonly minWindowSamples: number;
  /** Part of dropped requests above which the window counts as dropped. */
  readonly dropRatio: number;
}

/** Gathers the requests of a short time into one sample. Reused from window to window, so it allocates nothing. */
export class SampleWindow {
  /** Most requests in flight. */
  maxInFlight = 0;
  /** Requests with a time. */
  count = 0;

  readonly #windowMs: number;
  readonly #minCount: number;
  readonly #dropRatio: number;
  #sumMs = 0;
  #drops = 0;
  #beganMs = Number.NaN;

  constructor({ windowMs, minWindowSamples, dropRatio }: SampleWindowOptions) {
    this.#windowMs = windowMs;
    this.#minCount = windowMs === 0 ? 1 : minWindowSamples;
    this.#dropRatio = dropRatio;
  }

  /** Were more requests dropped than happens now and then? */
  get dropped(): boolean {
    return this.#drops > this.#dropRatio * (this.#drops + this.count);
  }

  /** Mean time of the requests that were not dropped; 0 when all were. */
  get meanRttMs(): number {
    return this.count === 0 ? 0 : this.#sumMs / this.count;
  }

  add(rttMs: number, inFlight: number): void {
    this.count++;
    this.#sumMs += rttMs;
    if (inFlight > this.maxInFlight) this.maxInFlight = inFlight;
  }

  addDrop(inFlight: number): void {
    this.#drops++;
    if (inFlight > this.maxInFlight) this.maxInFlight = inFlight;
  }

  /** Is it long enough, with enough in it? A window begins with its first request. */
  isComplete(nowMs: number): boolean {
    if (Number.isNaN(this.#beganMs)) this.#beganMs = nowMs;
    return this.count + this.#drops >= this.#minCount && nowMs - this.#beganMs >= this.#windowMs;
  }

  /** Begins the next window. */
  restart(nowMs: number): void {
    this.maxInFlight = 0;
    this.count = 0;
    this.#sumMs = 0;
    this.#drops = 0;
    this.#beganMs = nowMs;
  }
}
