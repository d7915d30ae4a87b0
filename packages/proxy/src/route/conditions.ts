/** What a route asks of a request beside host and path. A route that asks for nothing has none of this. */
import type { CidrSet } from '../address/cidr-set.ts';
import type { RouteRequest } from '../engine/route.ts';
import type { ClientCertificate } from '../filter/filter.ts';
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
  readonly sources: CidrSet | undefined;
  /** Undefined for clients with any certificate, and without one. */
  readonly certificate: CertificateMatch | undefined;
}

/** All that is named has to fit. */
export interface CertificateMatch {
  /** Has the client to have one, or not to? What else is asked for asks for one. */
  readonly present: boolean;
  /** Of the subject's common name; undefined for any. */
  readonly subject: ValueMatch | undefined;
  /** Of one of the alternative names, with its kind: `DNS:a.example`; undefined for any. */
  readonly name: ValueMatch | undefined;
  /** Any of them, in lower-case hexadecimal; none for all. */
  readonly fingerprints: ReadonlySet<string>;
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
    const { methods, headers, query, cookies, sources, certificate } = parts;
    const count = methods.length + headers.length + query.length + cookies.length;
    const isOpen = count === 0 && sources === undefined && certificate === undefined;
    return isOpen ? undefined : new Conditions(parts);
  }

  /** The cheap ones first. */
  hold(request: RouteRequest): boolean {
    const methods = this.#methods;
    if (methods !== undefined && !methods.has(request.method)) return false;
    const { headers, query, cookies, sources, certificate } = this.#parts;
    if (sources !== undefined && !sources.has(request.sourceAddress ?? '')) return false;
    if (certificate !== undefined && !shows(certificate, request.certificate)) return false;
    for (const { name, match } of headers) if (!fits(match, request.header(name))) return false;
    for (const { name, match } of cookies) if (!fits(match, request.cookie(name))) return false;
    for (const { name, match } of query) if (!fits(match, request.query(name))) return false;
    return true;
  }
}

function shows(
  { present, subject, name, fingerprints }: CertificateMatch,
  certificate: ClientCertificate | undefined,
): boolean {
  if (certificate === undefined) return !present;
  if (!present) return false;
  if (subject !== undefined && !fits(subject, certificate.subject)) return false;
  if (name !== undefined && !certificate.names.some((one) => fits(name, one))) return false;
  return fingerprints.size === 0 || fingerprints.has(certificate.fingerprint);
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
