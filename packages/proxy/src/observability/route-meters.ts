import { RouteMeter } from './route-meter.ts';

/** The meters of a proxy: one per route and cluster, also where several listeners have a route of one name. */
export class RouteMeters {
  readonly #meters = new Map<string, RouteMeter>();
  /** Of requests that meet no route, or cannot be read. */
  readonly none: RouteMeter = this.of('', '');

  of(route: string, cluster: string): RouteMeter {
    // Neither contains a zero byte.
    const key = `${route}\0${cluster}`;
    const known = this.#meters.get(key);
    if (known !== undefined) return known;
    const made = new RouteMeter(route, cluster);
    this.#meters.set(key, made);
    return made;
  }

  all(): readonly RouteMeter[] {
    return [...this.#meters.values()];
  }
}
