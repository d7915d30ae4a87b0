/** One cluster as a dispatcher reaches it: its connections, and the requests that wait for its discovery. */
import type { Dispatcher } from 'undici';
import { PickError } from '../../error/pick-error.ts';
import { formatAddress } from '../../model/address.ts';
import type { Endpoint } from '../../model/endpoint.ts';
import { Outcome } from '../../model/outcome.ts';
import { AdmissionError } from '../../resilience/admission-error.ts';
import { Criticality } from '../../resilience/load-shedder.ts';
import type { Scheduler } from '../../runtime/scheduler.ts';
import type { ClusterEvent } from '../../telemetry/events.ts';
import type { Attempt } from './attempt.ts';
import { EndpointPools } from './endpoint-pools.ts';
import { closedError } from './lifecycle.ts';
import { LimitQueue } from './limit-queue.ts';
import type { ManagedPool, PoolEnvironment } from './managed-pool.ts';
import type { DispatchableCluster } from './route-options.ts';
import { RouteRules } from './route-rules.ts';

/** Most requests that wait for the first endpoint set. More would only pile up memory while discovery is down. */
const MAX_WAITING = 10_000;

/** A request that waits and is on no connection. */
export interface Waiter {
  /** Discovery has delivered, or never will. */
  onReady(): void;
  onDestroy(error: Error): void;
}

export class Route {
  readonly cluster: DispatchableCluster;
  readonly rules: RouteRules;
  /** The limits of requests that began a first try: its own and the deadline, whichever is nearer. */
  readonly limits: LimitQueue;
  readonly #environment: PoolEnvironment;
  readonly #bySlot: (EndpointPools | undefined)[] = [];
  /** Waiting for discovery. */
  readonly #waiting = new Set<Waiter>();
  /** Between two tries. */
  readonly #pausing = new Set<Waiter>();
  readonly #unsubscribe: () => void;
  #asked = false;
  #ended = false;

  constructor(environment: PoolEnvironment) {
    this.#environment = environment;
    const { config, runtime, route } = environment;
    const { cluster } = route;
    this.cluster = cluster;
    this.rules = new RouteRules(route, config.headersTimeoutMs, runtime);
    const limitMs = Math.min(this.rules.tryLimitMs, this.rules.totalMs);
    this.limits = new LimitQueue(limitMs, runtime.scheduler, () => cluster.nowMs());
    this.#unsubscribe = this.cluster.subscribe((event) => this.#onEvent(event));
  }

  get name(): string {
    return this.cluster.name;
  }

  get scheduler(): Scheduler {
    return this.#environment.runtime.scheduler;
  }

  get waitingCount(): number {
    return this.#waiting.size;
  }

  /** Open pools with the endpoints that they lead to. */
  *pools(): Generator<readonly [Endpoint, ManagedPool], void, undefined> {
    for (const pools of this.#bySlot) {
      for (const pool of pools?.pools ?? []) yield [(pools as EndpointPools).endpoint, pool];
    }
  }

  /**
   * @returns false when the pool is saturated
   * @throws PickError when the slot is free: the cluster broke its contract
   * @throws EvenkeelError when the dispatcher was destroyed since the pick
   */
  send(attempt: Attempt, request: Dispatcher.DispatchOptions): boolean {
    if (this.#ended) throw closedError();
    const { slot } = attempt;
    let pools = this.#bySlot[slot];
    if (pools === undefined) {
      const endpoint = this.cluster.endpoint(slot);
      if (endpoint === undefined) throw new PickError(this.name, 'no-endpoints');
      pools = new EndpointPools(endpoint, this.#environment);
      this.#bySlot[slot] = pools;
    }
    const { origin } = request;
    return pools.send(
      typeof origin === 'string' ? origin : String(origin?.origin),
      request,
      attempt,
    );
  }

  /** Lets a request in; {@link complete} follows exactly once. @throws AdmissionError when it may not */
  admit(request: Dispatcher.DispatchOptions, nowMs: number): void {
    const { admission } = this.cluster;
    if (admission === undefined) return;
    const { criticalityOf, counters } = this.rules;
    const refusal = admission.admit(
      nowMs,
      criticalityOf === undefined ? undefined : Criticality[criticalityOf(request)],
    );
    if (refusal === undefined) return;
    counters.admissionRefusedCount++;
    throw refusal;
  }

  /**
   * @param last the try that answered or failed last; undefined when none was made
   * @param admittedMs the time of {@link admit}
   */
  complete(last: Attempt | undefined, admittedMs: number): void {
    this.cluster.admission?.complete(
      last?.outcome ?? Outcome.cancelled,
      last?.latencyMs ?? 0,
      this.cluster.nowMs(),
      admittedMs,
    );
  }

  /** The error of something that a threshold of the cluster does not allow. */
  refusal(subject: string): AdmissionError {
    this.rules.counters.admissionRefusedCount++;
    return new AdmissionError('threshold', { cluster: this.name, subject });
  }

  /** An exchange has come to its end. */
  ended(): void {
    this.rules.counters.runningCount--;
  }

  /** Calls back when discovery has delivered or failed for good. @returns false when too many wait already */
  waitReady(waiter: Waiter): boolean {
    if (this.#waiting.size >= MAX_WAITING) return false;
    this.#waiting.add(waiter);
    if (!this.#asked) {
      this.#asked = true;
      const wake = (): void => this.#wake();
      // Rejected or not, the next pick says what is the matter.
      this.cluster.ready().then(wake, wake);
    }
    return true;
  }

  /** Knows of a request between two tries. */
  pause(waiter: Waiter): void {
    this.#pausing.add(waiter);
  }

  /** A request waits no longer. */
  leave(waiter: Waiter): void {
    this.#waiting.delete(waiter);
    this.#pausing.delete(waiter);
  }

  /** Closes all connections that no request uses, and the others when theirs is done. */
  async close(): Promise<void> {
    this.#ended = true;
    this.limits.close();
    this.#unsubscribe();
    for (const slot of this.#bySlot.keys()) this.#retire(slot);
    await this.#environment.closer.idle();
  }

  /** Breaks everything off. */
  async destroy(error: Error): Promise<void> {
    this.#ended = true;
    this.limits.close();
    this.#unsubscribe();
    for (const waiter of [...this.#waiting, ...this.#pausing]) waiter.onDestroy(error);
    for (const slot of this.#bySlot.keys()) this.#retire(slot);
    await this.#environment.closer.destroy(error);
  }

  #wake(): void {
    this.#asked = false;
    const waiters = [...this.#waiting];
    this.#waiting.clear();
    for (const waiter of waiters) waiter.onReady();
  }

  #onEvent(event: ClusterEvent): void {
    if (event.type === 'endpoint-removed') this.#retire(event.slot);
    else if (event.type === 'endpoint-updated') {
      const pools = this.#bySlot[event.slot];
      if (pools !== undefined && !sameWay(pools.endpoint, event.endpoint)) this.#retire(event.slot);
    }
  }

  #retire(slot: number): void {
    const pools = this.#bySlot[slot];
    this.#bySlot[slot] = undefined;
    for (const pool of pools?.takeAll() ?? []) this.#environment.closer.retire(pool);
  }
}

/** Do connections to one also serve the other? */
function sameWay(a: Endpoint, b: Endpoint): boolean {
  return formatAddress(a.address) === formatAddress(b.address) && a.hostname === b.hostname;
}
