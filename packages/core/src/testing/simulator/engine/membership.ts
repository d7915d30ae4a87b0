import type { Discovery, ResolverListener } from '../../../discovery/resolver.ts';
import { createEndpoint, type Endpoint } from '../../../model/endpoint.ts';
import { createEndpointSet, type EndpointSet } from '../../../model/endpoint-set.ts';
import type { Scheduler } from '../../../runtime/scheduler.ts';
import type { Server } from './server.ts';

/** Who is listed, and the discovery that tells the clients. */
export class Membership {
  /** For the options of clusters. */
  readonly discovery: Discovery;
  readonly #endpoints: readonly Endpoint[];
  readonly #listed: boolean[];
  readonly #listeners = new Set<ResolverListener>();
  readonly #scheduler: Scheduler;
  readonly #delayMs: number;
  #set: EndpointSet;

  /** @param delayMs how long a change takes to reach the clients */
  constructor(servers: readonly Server[], scheduler: Scheduler, delayMs: number) {
    this.#endpoints = servers.map(({ id, weight, zone, priority, labels }) =>
      createEndpoint({ address: id, weight, priority, metadata: labels, locality: { zone } }),
    );
    this.#listed = servers.map(() => true);
    this.#scheduler = scheduler;
    this.#delayMs = delayMs;
    this.#set = createEndpointSet(this.#endpoints);
    this.discovery = { kind: 'simulated', create: () => this.#createResolver() };
  }

  setListed(server: Server, listed: boolean): void {
    this.#listed[server.index] = listed;
    this.#scheduler.after(this.#delayMs, () => this.#publish());
  }

  #publish(): void {
    this.#set = createEndpointSet(this.#endpoints.filter((_, index) => this.#listed[index]));
    for (const listener of this.#listeners) listener.onEndpoints(this.#set);
  }

  #createResolver(): ReturnType<Discovery['create']> {
    let own: ResolverListener | undefined;
    return {
      start: (listener) => {
        own = listener;
        this.#listeners.add(listener);
        listener.onEndpoints(this.#set);
      },
      refresh: () => undefined,
      status: () => ({
        kind: 'simulated',
        source: `${this.#set.endpoints.length} servers`,
        healthy: true,
        lastSuccessMs: undefined,
        lastError: undefined,
        refreshCount: 0,
        errorCount: 0,
      }),
      close: () => {
        if (own !== undefined) this.#listeners.delete(own);
        return Promise.resolve();
      },
    };
  }
}
