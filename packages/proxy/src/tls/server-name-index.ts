/**
 * Finds what belongs to a server name: the exact one, else the wildcard one label up (`*.example.com` covers
 * `a.example.com`, but neither `example.com` nor `a.b.example.com`; RFC 9525 section 6.3).
 */
export class ServerNameIndex<T> {
  readonly #exact = new Map<string, T>();
  /** By what follows the star, with its dot. */
  readonly #wildcards = new Map<string, T>();

  /** Of several for one name the first stays. @param name in lower case */
  add(name: string, value: T): void {
    const isWildcard = name.startsWith('*.');
    const map = isWildcard ? this.#wildcards : this.#exact;
    const key = isWildcard ? name.slice(1) : name;
    if (!map.has(key)) map.set(key, value);
  }

  /** @param name as a client wrote it */
  find(name: string): T | undefined {
    const lower = name.toLowerCase();
    const plain = lower.endsWith('.') ? lower.slice(0, -1) : lower;
    const exact = this.#exact.get(plain);
    if (exact !== undefined) return exact;
    const dot = plain.indexOf('.');
    return dot > 0 ? this.#wildcards.get(plain.slice(dot)) : undefined;
  }
}
