/** A cluster that picks what the test says and writes down what it is told. */
import { PickError, type PickFailure } from '../../../error/pick-error.ts';
import { createEndpoint, type Endpoint, type EndpointInput } from '../../../model/endpoint.ts';
import type { HashKeySource } from '../../../model/hash-key-source.ts';
import { OUTCOME_NAMES, type Outcome } from '../../../model/outcome.ts';
import { ANY, isExcluded, NO_SLOT, type PickContext } from '../../../model/pick-context.ts';
import type { ClusterEvent, ClusterEventListener } from '../../../telemetry/events.ts';
import type { LoadReport } from '../../../load-report/load-report.ts';
import type { Admission } from '../../../resilience/admission.ts';
import { type Clock, systemClock } from '../../../runtime/clock.ts';
import type { DispatchableCluster } from '../route-options.ts';

export interface FakeClusterOptions {
  readonly name?: string;
  readonly endpoints?: readonly EndpointInput[];
  readonly hashKeySource?: HashKeySource;
  readonly clock?: Clock;
  readonly admission?: Admission;
  readonly usesLoadReports?: boolean;
}

export class FakeCluster implements DispatchableCluster {
  readonly name: string;
  readonly hashKeySource: HashKeySource | undefined;
  readonly usesLoadReports: boolean;
  readonly admission: Admission | undefined;
  /** Everything the client reported, in order: `start 0`, `respond 0`, `finish 0 success`. */
  readonly log: string[] = [];
  /** The contexts of all picks. */
  readonly contexts: PickContext[] = [];
  readonly latencies: number[] = [];
  readonly active: number[] = [];
  failure: PickFailure = 'no-eligible-endpoint';

  readonly #endpoints: Endpoint[];
  readonly #clock: Clock;
  readonly #listeners = new Set<ClusterEventListener>();
  #next = 0;
  #ready: PromiseWithResolvers<void> | undefined;

  constructor(options: FakeClusterOptions = {}) {
    this.name = options.name ?? 'users';
    this.hashKeySource = options.hashKeySource;
    this.admission = options.admission;
    this.usesLoadReports = options.usesLoadReports ?? false;
    this.#clock = options.clock ?? systemClock;
    this.#endpoints = (options.endpoints ?? []).map((input) => createEndpoint(input));
  }

  /** Requests in flight on all slots. */
  get activeCount(): number {
    return this.active.reduce((sum, count) => sum + count, 0);
  }

  get listenerCount(): number {
    return this.#listeners.size;
  }

  /** From now on nothing is known, until {@link deliver}. */
  forget(): void {
    this.failure = 'not-ready';
    this.#endpoints.length = 0;
    this.#ready = Promise.withResolvers<void>();
    this.#ready.promise.catch(() => undefined);
  }

  deliver(endpoints: readonly EndpointInput[]): void {
    this.failure = endpoints.length === 0 ? 'no-endpoints' : 'no-eligible-endpoint';
    this.#endpoints.push(...endpoints.map((input) => createEndpoint(input)));
    this.#ready?.resolve();
  }

  emit(event: ClusterEvent): void {
    for (const listener of this.#listeners) listener(event);
  }

  /** Replaces the endpoint of a slot and says so. */
  replace(slot: number, input: EndpointInput): void {
    const endpoint = createEndpoint(input);
    this.#endpoints[slot] = endpoint;
    this.emit({ type: 'endpoint-updated', cluster: this.name, wallMs: 0, endpoint, slot });
  }

  remove(slot: number): void {
    const endpoint = this.#endpoints[slot] as Endpoint;
    this.emit({
      type: 'endpoint-removed',
      cluster: this.name,
      wallMs: 0,
      endpoint,
      slot,
      forced: false,
    });
  }

  ready(): Promise<void> {
    return this.#ready?.promise ?? Promise.resolve();
  }

  /** Round robin from slot 0. */
  pick(context: PickContext = ANY): number {
    this.contexts.push(context);
    for (let step = 0; step < this.#endpoints.length; step++) {
      const slot = (this.#next + step) % this.#endpoints.length;
      if (isExcluded(context, slot)) continue;
      this.#next = slot + 1;
      return slot;
    }
    return NO_SLOT;
  }

  pickFailure(): PickFailure {
    return this.failure;
  }

  start(slot: number): void {
    this.active[slot] = (this.active[slot] ?? 0) + 1;
    this.log.push(`start ${slot}`);
  }

  respond(slot: number, latencyMs: number): void {
    this.latencies.push(latencyMs);
    this.log.push(`respond ${slot}`);
  }

  finish(slot: number, outcome: Outcome): void {
    this.active[slot] = (this.active[slot] ?? 0) - 1;
    this.log.push(`finish ${slot} ${OUTCOME_NAMES[outcome] ?? '?'}`);
  }

  report(slot: number, { cpuUtilization }: LoadReport): void {
    this.log.push(`report ${slot} ${cpuUtilization}`);
  }

  pushback(slot: number, delayMs: number): void {
    this.log.push(`pushback ${slot} ${delayMs}`);
  }

  endpoint(slot: number): Endpoint | undefined {
    return this.#endpoints[slot];
  }

  nowMs(): number {
    return this.#clock.nowMs();
  }

  subscribe(listener: ClusterEventListener): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  close(): Promise<void> {
    this.failure = 'closed';
    this.#ready?.reject(new PickError(this.name, 'closed'));
    return Promise.resolve();
  }
}
