/** The same fields, each of which may be left out or be undefined: what a user writes where all have a default. */
export type Optional<T> = { readonly [Key in keyof T]?: T[Key] | undefined };
