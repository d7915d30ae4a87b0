/**
 * Finds the route of a request in a time that does not depend on how many there are. Hosts first (the exact name, then
 * the longest `*.suffix`, then all), then paths (the exact one, then the longest prefix): the most specific rule wins,
 * wherever it stands in the configuration.
 */
import type { Route, RouteTable } from '../engine/route.ts';

/** Where one route applies. */
export interface RouteRule {
  /** `example.com`, `*.example.com`, `*`; in lower case. */
  readonly domain: string;
  readonly match: PathMatch;
  readonly route: Route;
}

export type PathMatch =
  | { readonly kind: 'exact'; readonly path: string }
  | { readonly kind: 'prefix'; readonly path: string };

/** The routes of one host. */
class PathIndex {
  readonly #exact = new Map<string, Route>();
  readonly #prefixes = new Map<string, Route>();
  /** Lengths of the prefixes, longest first: one look-up per length. */
  #lengths: number[] = [];

  /** The first rule for the same path stays. */
  add(match: PathMatch, route: Route): void {
    const { kind, path } = match;
    const map = kind === 'exact' ? this.#exact : this.#prefixes;
    if (map.has(path)) return;
    map.set(path, route);
    if (kind === 'prefix' && !this.#lengths.includes(path.length))
      this.#lengths = [...this.#lengths, path.length].sort((a, b) => b - a);
  }

  find(path: string): Route | undefined {
    const exact = this.#exact.get(path);
    if (exact !== undefined) return exact;
    for (const length of this.#lengths) {
      if (length > path.length) continue;
      const route = this.#prefixes.get(length === path.length ? path : path.slice(0, length));
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
    for (const { domain, match, route } of rules) this.#pathsOf(domain).add(match, route);
  }

  find(host: string, path: string): Route | undefined {
    return this.#byHost(hostName(host))?.find(path) ?? this.#any.find(path);
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
