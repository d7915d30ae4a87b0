import { RouteMeter } from './route-meter.ts';

/**
 * The meters of a proxy: one per route and cluster, also where several listeners have a route of one name. Those of
 * routes that a new configuration has, too, go on counting; the others are gone after their last request, so that their
 * number is bounded by what is configured and what is under way.
 */
export class RouteMeters {
  /** Of requests that meet no route, or cannot be read. */
  readonly none: RouteMeter = new RouteMeter('', '');
  #current = new Map<string, RouteMeter>([['\0', this.none]]);
  /** Of former configurations, with requests under way. */
  readonly #leaving = new Map<string, RouteMeter>();

  /** Those of the configuration in force first, in its order. */
  all(): readonly RouteMeter[] {
    this.#sweep();
    return [...this.#current.values(), ...this.#leaving.values()];
  }

  /** Meters for a configuration that may come into force. */
  plan(): MeterPlan {
    return new MeterPlan(this.none, (key) => this.#current.get(key) ?? this.#leaving.get(key));
  }

  commit(plan: MeterPlan): void {
    for (const [key, meter] of this.#current)
      if (!plan.meters.has(key)) this.#leaving.set(key, meter);
    for (const key of plan.meters.keys()) this.#leaving.delete(key);
    this.#current = plan.meters;
    this.#sweep();
  }

  #sweep(): void {
    for (const [key, { activeCount }] of this.#leaving)
      if (activeCount === 0) this.#leaving.delete(key);
  }
}

export class MeterPlan {
  readonly meters: Map<string, RouteMeter>;
  readonly #knownOf: (key: string) => RouteMeter | undefined;

  constructor(none: RouteMeter, knownOf: (key: string) => RouteMeter | undefined) {
    this.meters = new Map([['\0', none]]);
    this.#knownOf = knownOf;
  }

  of(route: string, cluster: string): RouteMeter {
    // Neither contains a zero byte.
    const key = `${route}\0${cluster}`;
    const planned = this.meters.get(key);
    if (planned !== undefined) return planned;
    const meter = this.#knownOf(key) ?? new RouteMeter(route, cluster);
    this.meters.set(key, meter);
    return meter;
  }
}
