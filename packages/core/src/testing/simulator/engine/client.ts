import { createCluster } from '../../../cluster/create-cluster.ts';
import type { Cluster } from '../../../cluster/face.ts';
import type { ClusterOptions } from '../../../config/cluster-config.ts';
import type { Endpoint } from '../../../model/endpoint.ts';
import type { Policy } from '../../../policy/policy.ts';
import { RetryBudget } from '../../../resilience/retry-budget.ts';
import type { Runtime } from '../../../runtime/runtime.ts';
import type { Scenario } from '../scenario/scenario.ts';
import type { ProberFactory } from '../../../policy/probing.ts';
import type { World } from './environment.ts';

export interface SimulatedClientParts {
  readonly index: number;
  readonly zone: string;
  readonly runtime: Runtime;
  readonly options: ClusterOptions;
  readonly policies: readonly Policy[];
  readonly world: World;
  readonly retry: Scenario['retry'];
  readonly createProber: ProberFactory;
  readonly onEvent: Parameters<Cluster['subscribe']>[0];
}

/** A client: a real cluster, with policy and health, on simulated time. */
export class SimulatedClient {
  readonly index: number;
  readonly zone: string;
  readonly cluster: Cluster;
  readonly budget: RetryBudget | undefined;
  /** Does it want a load report with every answer? */
  readonly wantsReports: boolean;
  readonly #world: World;
  /** Server of each slot. */
  readonly #servers: number[] = [];

  constructor(parts: SimulatedClientParts) {
    const { index, zone, runtime, options, policies, createProber, world, retry } = parts;
    this.index = index;
    this.zone = zone;
    this.#world = world;
    this.budget =
      retry && new RetryBudget({ ratio: retry.budgetRatio, minPerSecond: retry.minPerSecond });
    this.cluster = createCluster(options, { ...runtime, policies, createProber });
    this.wantsReports = this.cluster.usesLoadReports;
    this.cluster.subscribe((event) => {
      if (event.type === 'endpoint-added') this.#place(event.slot, event.endpoint);
      parts.onEvent(event);
    });
    for (const { slot, endpoint } of this.cluster.snapshot().endpoints) this.#place(slot, endpoint);
  }

  /** Index of the server that sits in a slot. */
  serverAt(slot: number): number {
    return this.#servers[slot] as number;
  }

  #place(slot: number, { id }: Endpoint): void {
    this.#servers[slot] = this.#world.serverOf(id)?.index ?? 0;
  }
}
