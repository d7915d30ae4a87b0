/**
 * Finds the route of a request in a time that does not depend on how many there are. Hosts first (the exact name, then
 * the longest `*.suffix`, then all), then paths (the exact one, then the longest prefix): the most specific rule wins,
 * wherever it stands in the configuration. Rules for the same host and path are tried in order; when the conditions of
 * none of them hold, the next less specific path is looked at.
 */
import type { Route, RouteRequest, RouteTable } from '../engine/route.ts';
import type { Conditions } from './conditions.ts';

/** Where one route applies. */
export interface RouteRule {
  /** `example.com`, `*.example.com`, `*`; in lower case. */
  readonly domain: string;
  readonly match: PathMatch;
  /** What else has to hold; undefined for nothing. */
  readonly conditions?: Conditions | undefined;
  readonly route: Route;
}

export type PathMatch =
  | { readonly kind: 'exact'; readonly path: string }
  | { readonly kind: 'prefix'; readonly path: string };

/** Rules for the same path, as a list: nearly all have one member, without conditions. */
interface Candidate {
  readonly conditions: Conditions | undefined;
  readonly route: Route;
  next: Candidate | undefined;
}

/** The candidates of each path. */
class CandidateMap {
  readonly #first = new Map<string, Candidate>();
  /** Where the next one goes. */
  readonly #last = new Map<string, Candidate>();

  add(path: string, { conditions, route }: RouteRule): void {
    const last = this.#last.get(path);
    // Behind one that always holds no other one is ever reached.
    if (last !== undefined && last.conditions === undefined) return;
    const made: Candidate = { conditions, route, next: undefined };
    if (last === undefined) this.#first.set(path, made);
    else last.next = made;
    this.#last.set(path, made);
  }

  find(path: string, request: RouteRequest): Route | undefined {
    let candidate = this.#first.get(path);
    while (candidate !== undefined) {
      if (candidate.conditions === undefined || candidate.conditions.hold(request))
        return candidate.route;
      candidate = candidate.next;
    }
    return undefined;
  }
}

/** The routes of one host. */
class PathIndex {
  readonly #exact = new CandidateMap();
  readonly #prefixes = new CandidateMap();
  /** Lengths of the prefixes, longest first: one look-up per length. */
  #lengths: number[] = [];

  add(rule: RouteRule): void {
    const { kind, path } = rule.match;
    if (kind === 'exact') {
      this.#exact.add(path, rule);
      return;
    }
    this.#prefixes.add(path, rule);
    if (!this.#lengths.includes(path.length))
      this.#lengths = [...this.#lengths, path.length].sort((a, b) => b - a);
  }

  find(request: RouteRequest): Route | undefined {
    const { path } = request;
    const exact = this.#exact.find(path, request);
    if (exact !== undefined) return exact;
    for (const length of this.#lengths) {
      if (length > path.length) continue;
      const prefix = length === path.length ? path : path.slice(0, length);
      const route = this.#prefixes.find(prefix, request);
      if (route !== undefined) return route;
    }
    return undefined;
  }
}

export class RouteIndex implements RouteTable {
  readonly #exact = new Map<string, PathIndex>();
  /** By the suffix with its dot: `.example.com`. */
  readonly #suffixes = new Map<string, PathIndex>();
  readonly #any = new PathIndex();

  constructor(rules: Iterable<RouteRule>) {
    for (const rule of rules) this.#pathsOf(rule.domain).add(rule);
  }

  find(request: RouteRequest): Route | undefined {
    // Without rules for hosts the host need not even be read.
    const isPlain = this.#exact.size === 0 && this.#suffixes.size === 0;
    const own = isPlain ? undefined : this.#byHost(hostName(request.host))?.find(request);
    return own ?? this.#any.find(request);
  }

  #byHost(name: string): PathIndex | undefined {
    const exact = this.#exact.get(name);
    if (exact !== undefined || this.#suffixes.size === 0) return exact;
    for (let dot = name.indexOf('.'); dot >= 0; dot = name.indexOf('.', dot + 1)) {
      const paths = this.#suffixes.get(name.slice(dot));
      if (paths !== undefined) return paths;
    }
    return undefined;
  }

  #pathsOf(domain: string): PathIndex {
    if (domain === '*') return this.#any;
    const isSuffix = domain.startsWith('*.');
    const map = isSuffix ? this.#suffixes : this.#exact;
    const key = isSuffix ? domain.slice(1) : domain;
    const known = map.get(key);
    if (known !== undefined) return known;
    const made = new PathIndex();
    map.set(key, made);
    return made;
  }
}

/** Without port and final dot, in lower case: `Example.com.:80` is `example.com`. */
function hostName(host: string): string {
  const end = host.startsWith('[') ? host.indexOf(']') + 1 : host.indexOf(':');
  const name = (end <= 0 ? host : host.slice(0, end)).toLowerCase();
  return name.endsWith('.') ? name.slice(0, -1) : name;
}
