/** Which media types are on a list: `text/html`, `text/*`, `application/*+json`. */
export class MediaTypes {
  readonly #exact: ReadonlySet<string>;
  readonly #patterns: readonly { readonly prefix: string; readonly suffix: string }[];

  /** @param types in lower case, with one `*` at most */
  constructor(types: readonly string[]) {
    this.#exact = new Set(types.filter((type) => !type.includes('*')));
    this.#patterns = types
      .filter((type) => type.includes('*'))
      .map((type) => {
        const [prefix = '', suffix = ''] = type.split('*', 2);
        return { prefix, suffix };
      });
  }

  /** @param contentType the field, parameters included */
  has(contentType: string): boolean {
    const end = contentType.indexOf(';');
    const type = (end < 0 ? contentType : contentType.slice(0, end)).trim().toLowerCase();
    if (this.#exact.has(type)) return true;
    return this.#patterns.some(
      ({ prefix, suffix }) =>
        type.length > prefix.length + suffix.length &&
        type.startsWith(prefix) &&
        type.endsWith(suffix),
    );
  }
}
