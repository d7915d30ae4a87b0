/** Which origins are allowed. */

/** Origins as texts, compared without their case: `https://a.example`, `https://*.a.example`, `http://localhost:*`, `*`. */
export class Origins {
  /** Is everybody allowed? */
  readonly isAny: boolean;
  readonly #exact: ReadonlySet<string>;
  readonly #patterns: readonly RegExp[];

  constructor(origins: readonly string[]) {
    const lower = origins.map((origin) => origin.toLowerCase());
    this.isAny = lower.includes('*');
    this.#exact = new Set(lower.filter((origin) => !origin.includes('*')));
    this.#patterns = lower
      .filter((origin) => origin !== '*' && origin.includes('*'))
      .map(patternOf);
  }

  allow(origin: string): boolean {
    if (this.isAny) return true;
    const lower = origin.toLowerCase();
    return this.#exact.has(lower) || this.#patterns.some((pattern) => pattern.test(lower));
  }
}

/** No part of the pattern can match in two ways: it takes time linear in the origin. */
function patternOf(origin: string): RegExp {
  const source = origin
    .replace(/[.+?^${}()|[\]\\]/g, '\\$&')
    .replace(/:\*$/, '(:\\d{1,5})?')
    .replace('*\\.', '[a-z0-9_-]+(\\.[a-z0-9_-]+)*\\.');
  return new RegExp(`^${source}$`);
}
