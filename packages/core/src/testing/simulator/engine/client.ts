import type { ClusterPorts } from '../../../cluster/create-cluster.ts';
import { createCluster } from '../../../cluster/create-cluster.ts';
import type { Cluster } from '../../../cluster/face.ts';
import type { ClusterOptions } from '../../../config/cluster-config.ts';
import type { Endpoint } from '../../../model/endpoint.ts';
import type { PickContext } from '../../../model/pick-context.ts';
import { DeadlinePolicy } from '../../../resilience/deadline.ts';
import { HedgePolicy } from '../../../resilience/hedge-policy.ts';
import { RetryBudget } from '../../../resilience/retry-budget.ts';
import { RetryPolicy } from '../../../resilience/retry-policy.ts';
import type { Runtime } from '../../../runtime/runtime.ts';
import type { Scenario } from '../scenario/scenario.ts';
import { BrowserCookies } from './browser-cookies.ts';
import type { World } from './environment.ts';

export interface SimulatedClientParts {
  readonly index: number;
  readonly zone: string;
  readonly runtime: Runtime;
  readonly options: ClusterOptions;
  readonly ports: Pick<
    ClusterPorts,
    'policies' | 'createProber' | 'createChecker' | 'createCircuitBreakers'
  >;
  readonly world: World;
  readonly scenario: Pick<Scenario, 'retry' | 'hedge' | 'affinity' | 'deadlineMs'>;
  readonly onEvent: Parameters<Cluster['subscribe']>[0];
}

/**
 * A client: a real cluster, and the real rules of retries, hedges and deadlines, on simulated time. What a transport
 * would do with them, `RequestFlow` does.
 */
export class SimulatedClient {
  readonly index: number;
  readonly zone: string;
  readonly cluster: Cluster;
  readonly deadline: DeadlinePolicy;
  /** Shared by retries and hedges. */
  readonly budget: RetryBudget | undefined;
  readonly retry: RetryPolicy | undefined;
  readonly hedge: HedgePolicy | undefined;
  /** Undefined: keys lead to servers by the policy. */
  readonly cookies: BrowserCookies | undefined;
  /** Does it want a load report with every answer? */
  readonly wantsReports: boolean;
  readonly #world: World;
  /** Server of each slot. */
  readonly #servers: number[] = [];

  constructor(parts: SimulatedClientParts) {
    const { index, zone, runtime, options, ports, world, scenario } = parts;
    const { retry, hedge, deadlineMs, affinity } = scenario;
    this.index = index;
    this.zone = zone;
    this.#world = world;
    this.deadline = new DeadlinePolicy({ totalMs: deadlineMs, perTryTimeoutMs: retry?.perTryMs });
    if (retry !== undefined || hedge !== undefined) {
      this.budget = new RetryBudget({
        ratio: retry?.budgetRatio,
        minPerSecond: retry?.minPerSecond,
      });
      const { budget } = this;
      const { random } = runtime;
      this.retry =
        retry &&
        new RetryPolicy({ attempts: retry.attempts - 1, statuses: RETRIED }, { random, budget });
      this.hedge = hedge && new HedgePolicy(hedge, { budget });
    }
    this.cluster = createCluster(options, { ...runtime, ...ports });
    this.wantsReports = this.cluster.usesLoadReports;
    this.cluster.subscribe((event) => {
      if (event.type === 'endpoint-added') this.#place(event.slot, event.endpoint);
      parts.onEvent(event);
    });
    for (const { slot, endpoint } of this.cluster.snapshot().endpoints) this.#place(slot, endpoint);
    if (affinity === 'cookie') this.cookies = new BrowserCookies(this.cluster, runtime.clock);
  }

  /** @param key of the request @returns a slot, or `NO_SLOT` */
  pick(key: number, context: PickContext, nowMs: number): number {
    return this.cookies === undefined
      ? this.cluster.pick(context, nowMs)
      : this.cookies.pick(key, context);
  }

  /** Index of the server that sits in a slot. */
  serverAt(slot: number): number {
    return this.#servers[slot] as number;
  }

  close(): void {
    this.cookies?.close();
    void this.cluster.close();
  }

  #place(slot: number, { id }: Endpoint): void {
    this.#servers[slot] = this.#world.serverOf(id)?.index ?? 0;
  }
}

/** The default, and 500: what fails here is always the server, never the request. */
const RETRIED: readonly number[] = [429, 500, 502, 503, 504];
