/** What a route asks of a request beside host and path. A route that asks for nothing has none of this. */
import { type BlockList, isIPv6 } from 'node:net';
import type { RouteRequest } from '../engine/route.ts';
import type { SafeRegex } from './safe-regex.ts';

/** What a field or parameter has to be like. */
export type ValueMatch =
  | { readonly kind: 'exact'; readonly value: string }
  | { readonly kind: 'prefix'; readonly value: string }
  | { readonly kind: 'regex'; readonly value: SafeRegex }
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
  readonly cookies: readonly NamedMatch[];
  /** Undefined for all clients. */
  readonly sources: BlockList | undefined;
}

export class Conditions {
  readonly #methods: ReadonlySet<string> | undefined;
  readonly #parts: ConditionParts;

  constructor(parts: ConditionParts) {
    this.#methods = parts.methods.length === 0 ? undefined : new Set(parts.methods);
    this.#parts = parts;
  }

  /** Undefined for parts that ask for nothing. */
  static of(parts: ConditionParts): Conditions | undefined {
    const { methods, headers, query, cookies, sources } = parts;
    const count = methods.length + headers.length + query.length + cookies.length;
    return count === 0 && sources === undefined ? undefined : new Conditions(parts);
  }

  /** The cheap ones first. */
  hold(request: RouteRequest): boolean {
    const methods = this.#methods;
    if (methods !== undefined && !methods.has(request.method)) return false;
    const { headers, query, cookies, sources } = this.#parts;
    if (sources !== undefined && !isFrom(sources, request.sourceAddress)) return false;
    for (const { name, match } of headers) if (!fits(match, request.header(name))) return false;
    for (const { name, match } of cookies) if (!fits(match, request.cookie(name))) return false;
    for (const { name, match } of query) if (!fits(match, request.query(name))) return false;
    return true;
  }
}

function isFrom(sources: BlockList, address: string | undefined): boolean {
  return address !== undefined && sources.check(address, isIPv6(address) ? 'ipv6' : 'ipv4');
}

function fits(match: ValueMatch, value: string | undefined): boolean {
  switch (match.kind) {
    case 'exact':
      return value === match.value;
    case 'prefix':
      return value?.startsWith(match.value) === true;
    case 'regex':
      return value !== undefined && match.value.test(value);
    case 'present':
      return (value !== undefined) === match.value;
  }
}
