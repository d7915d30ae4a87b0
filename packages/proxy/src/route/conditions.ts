/** What a route asks of a request beside host and path. A route that asks for nothing has none of this. */
import type { RouteRequest } from '../engine/route.ts';

/** What a field or parameter has to be like. */
export type ValueMatch =
  | { readonly kind: 'exact'; readonly value: string }
  | { readonly kind: 'prefix'; readonly value: string }
  | { readonly kind: 'present'; readonly value: boolean };

export interface NamedMatch {
  /** Of a header in lower case. */
  readonly name: string;
  readonly match: ValueMatch;
}

/** All of them have to hold. */
export interface ConditionParts {
  /** Any of them; none for all. */
  readonly methods: readonly string[];
  readonly headers: readonly NamedMatch[];
  readonly query: readonly NamedMatch[];
}

export class Conditions {
  readonly #methods: ReadonlySet<string> | undefined;
  readonly #headers: readonly NamedMatch[];
  readonly #query: readonly NamedMatch[];

  constructor({ methods, headers, query }: ConditionParts) {
    this.#methods = methods.length === 0 ? undefined : new Set(methods);
    this.#headers = headers;
    this.#query = query;
  }

  /** Undefined for parts that ask for nothing. */
  static of(parts: ConditionParts): Conditions | undefined {
    const { methods, headers, query } = parts;
    return methods.length + headers.length + query.length === 0 ? undefined : new Conditions(parts);
  }

  hold(request: RouteRequest): boolean {
    const methods = this.#methods;
    if (methods !== undefined && !methods.has(request.method)) return false;
    for (const { name, match } of this.#headers)
      if (!fits(match, request.header(name))) return false;
    for (const { name, match } of this.#query) if (!fits(match, request.query(name))) return false;
    return true;
  }
}

function fits(match: ValueMatch, value: string | undefined): boolean {
  switch (match.kind) {
    case 'exact':
      return value === match.value;
    case 'prefix':
      return value?.startsWith(match.value) === true;
    case 'present':
      return (value !== undefined) === match.value;
  }
}
