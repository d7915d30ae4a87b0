/**
 * Finds the route of a request in a time that does not depend on how many there are, regular expressions aside. Hosts
 * first (the exact name, then the longest `*.suffix`, then all), then paths (the exact one, a template, an expression,
 * the longest prefix): the most specific rule wins, wherever it stands in the configuration. Rules for the same host and
 * path are tried in order; when the conditions of none of them hold, the next less specific path is looked at.
 */
import type { Route, RouteRequest, RouteTable } from '../engine/route.ts';
import type { Candidate } from './candidates.ts';
import { PathIndex, type PathMatch } from './path-index.ts';

/** Where one route applies. */
export interface RouteRule extends Candidate {
  /** `example.com`, `*.example.com`, `*`; in lower case. */
  readonly domain: string;
  readonly match: PathMatch;
}

export class RouteIndex implements RouteTable {
  readonly #exact = new Map<string, PathIndex>();
  /** By the suffix with its dot: `.example.com`. */
  readonly #suffixes = new Map<string, PathIndex>();
  readonly #any = new PathIndex();

  constructor(rules: Iterable<RouteRule>) {
    for (const rule of rules) this.#pathsOf(rule.domain).add(rule.match, rule);
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
