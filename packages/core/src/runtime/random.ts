/** Randomness as a port. Structurally the `RandomSource` that the algorithms take. */
export interface Random {
  /** 32 random bits as a signed integer, which V8 keeps unboxed. */
  nextInt32(): number;
}

/**
 * xorshift128 (Marsaglia, "Xorshift RNGs", 2003, section 4): period 2^128 - 1, four words of state, about 3 ns a draw.
 * Not for secrets.
 */
export class XorShift128 implements Random {
  #x: number;
  #y: number;
  #z: number;
  #w: number;

  /** @param seed any integer; equal seeds give equal sequences */
  constructor(seed: number) {
    // SplitMix32 spreads a small seed over the state, which must not be all zero.
    let state = seed | 0;
    const next = (): number => {
      state = (state + 0x9e3779b9) | 0;
      let mixed = state ^ (state >>> 16);
      mixed = Math.imul(mixed, 0x21f0aaad);
      mixed ^= mixed >>> 15;
      mixed = Math.imul(mixed, 0x735a2d97);
      return mixed ^ (mixed >>> 15);
    };
    this.#x = next();
    this.#y = next();
    this.#z = next();
    this.#w = next() | 1;
  }

  nextInt32(): number {
    const t = this.#x ^ (this.#x << 11);
    this.#x = this.#y;
    this.#y = this.#z;
    this.#z = this.#w;
    this.#w = this.#w ^ (this.#w >>> 19) ^ t ^ (t >>> 8);
    return this.#w;
  }
}

/** A generator with a seed of the process's own: two processes differ, so that fleets do not march in step. */
export function createRandom(seed: number = Math.floor(Math.random() * 2 ** 32)): Random {
  return new XorShift128(seed);
}

/** `baseMs` moved by up to `ratio` of itself in either direction. */
export function jittered(random: Random, baseMs: number, ratio: number): number {
  const unit = random.nextInt32() / 2 ** 31; // [-1, 1)
  return baseMs * (1 + unit * ratio);
}
