/** The admission of one cluster: asks the building blocks that its options name, and keeps their counts in step. */
import type { CircuitChange } from '../../model/circuit-state.ts';
import type { Outcome } from '../../model/outcome.ts';
import type { Runtime } from '../../runtime/runtime.ts';
import type { Admission } from '../../resilience/admission.ts';
import type { AdmissionConfig } from '../../resilience/admission-config.ts';
import { AdmissionError, type AdmissionReason } from '../../resilience/admission-error.ts';
import type { TryRefusalReason } from '../../resilience/admission-snapshot.ts';
import type { Circuit, CircuitSource } from '../../resilience/circuit.ts';
import { ClientThrottle } from '../../resilience/client-throttle.ts';
import { ConcurrencyLimiter } from '../../resilience/concurrency/limiter.ts';
import { Criticality, LoadShedder } from '../../resilience/load-shedder.ts';
import { RateLimiter } from '../../resilience/rate-limiter.ts';
import { type Threshold, Thresholds } from '../../resilience/thresholds.ts';
import type { Member } from '../member.ts';
import { EndpointGuards } from './endpoint-guards.ts';

/** The cluster, as its admission sees it. */
export interface AdmissionHost {
  memberAt(slot: number): Member | undefined;
  /** Endpoints that take traffic now. */
  takingCount(): number;
  /** @param member whose circuit it is; undefined: the cluster's */
  onCircuitChanged(member: Member | undefined, change: CircuitChange): void;
  /** A try that a pick had sent to this endpoint was refused. */
  onTryRefused(member: Member, nowMs: number): void;
}

export interface AdmissionParts {
  readonly cluster: string;
  readonly config: AdmissionConfig;
  readonly runtime: Runtime;
  readonly host: AdmissionHost;
  /** Where circuits come from, if the options ask for them. */
  readonly clusterCircuits: CircuitSource | undefined;
  readonly endpointCircuits: CircuitSource | undefined;
}

/** What of it `snapshot` and `explain` read. */
export interface AdmissionGates {
  readonly thresholds: Thresholds | undefined;
  readonly circuit: Circuit | undefined;
  readonly shedder: LoadShedder | undefined;
  readonly throttle: ClientThrottle | undefined;
  /** Of the cluster. */
  readonly limiter: ConcurrencyLimiter | undefined;
  readonly rate: RateLimiter | undefined;
  readonly guards: EndpointGuards | undefined;
}

export class ClusterAdmission implements Admission, AdmissionGates {
  readonly config: AdmissionConfig;
  readonly thresholds: Thresholds | undefined;
  readonly circuit: Circuit | undefined;
  readonly shedder: LoadShedder | undefined;
  readonly throttle: ClientThrottle | undefined;
  readonly limiter: ConcurrencyLimiter | undefined;
  readonly rate: RateLimiter | undefined;
  readonly guards: EndpointGuards | undefined;
  activeCount = 0;
  admittedCount = 0;
  readonly refused: Record<AdmissionReason, number> = {
    threshold: 0,
    'concurrency-limit': 0,
    'load-shedding': 0,
    'client-throttle': 0,
    'rate-limit': 0,
    'circuit-open': 0,
  };
  readonly triesRefused: Record<TryRefusalReason, number> = {
    threshold: 0,
    'concurrency-limit': 0,
    'circuit-open': 0,
  };
  readonly #cluster: string;
  readonly #host: AdmissionHost;
  #closed = false;

  constructor({
    cluster,
    config,
    runtime,
    host,
    clusterCircuits,
    endpointCircuits,
  }: AdmissionParts) {
    this.#cluster = cluster;
    this.#host = host;
    this.config = config;
    const { thresholds, loadShedding, clientThrottle, concurrency, rateLimit } = config;
    this.thresholds = thresholds && new Thresholds(thresholds);
    this.circuit = clusterCircuits?.create(cluster, (change) =>
      host.onCircuitChanged(undefined, change),
    );
    this.shedder = loadShedding && new LoadShedder(loadShedding);
    this.throttle = clientThrottle && new ClientThrottle(clientThrottle, runtime);
    this.rate = rateLimit && new RateLimiter(rateLimit, runtime.clock.nowMs());
    const { per, ...limit } = concurrency ?? { per: undefined };
    this.limiter = per === 'cluster' ? new ConcurrencyLimiter(limit, runtime) : undefined;
    if (per === 'endpoint' || endpointCircuits !== undefined) {
      this.guards = new EndpointGuards({
        cluster,
        runtime,
        circuits: endpointCircuits,
        concurrency: per === 'endpoint' ? limit : undefined,
        memberAt: (slot) => host.memberAt(slot),
        onCircuitChanged: (member, change) => host.onCircuitChanged(member, change),
      });
    }
  }

  admit(nowMs: number, criticality: Criticality = Criticality.normal): AdmissionError | undefined {
    const reason = this.#ask(nowMs, criticality);
    if (reason !== undefined) {
      this.refused[reason]++;
      return this.#error(reason, nowMs);
    }
    this.activeCount++;
    this.admittedCount++;
    return undefined;
  }

  // oxlint-disable-next-line max-params -- the contract
  complete(
    outcome: Outcome,
    latencyMs: number,
    nowMs: number,
    admittedMs: number = startOf(latencyMs, nowMs),
  ): void {
    // An end too many must not open a place that somebody else holds.
    if (this.activeCount === 0) return;
    this.activeCount--;
    this.thresholds?.requests.release();
    this.limiter?.release(outcome, latencyMs, nowMs);
    this.throttle?.finish(outcome, nowMs);
    this.circuit?.leave(outcome, admittedMs);
  }

  enter(slot: number, nowMs: number): boolean {
    const { guards } = this;
    const guard = guards?.take(slot);
    if (guards === undefined || guard === undefined) return true;
    if (guard.tryEnter(nowMs)) {
      guards.count(guard, 1);
      return true;
    }
    this.triesRefused[guard.lastRefusal]++;
    this.#host.onTryRefused(guard.member, nowMs);
    return false;
  }

  // oxlint-disable-next-line max-params -- the contract
  leave(
    slot: number,
    outcome: Outcome,
    latencyMs: number,
    nowMs: number,
    enteredMs: number = startOf(latencyMs, nowMs),
  ): void {
    const { guards } = this;
    const guard = guards?.at(slot);
    if (guards === undefined || guard === undefined) return;
    if (guard.leave(outcome, latencyMs, nowMs, enteredMs)) guards.count(guard, -1);
  }

  refusal(slot: number): AdmissionError {
    const guard = this.guards?.at(slot);
    const reason = guard?.lastRefusal ?? 'concurrency-limit';
    return new AdmissionError(reason, {
      cluster: this.#cluster,
      subject: guard && `endpoint ${guard.member.endpoint.id}`,
    });
  }

  tryExtra(): boolean {
    return this.#tryOpen(this.thresholds?.retries);
  }

  endExtra(): void {
    this.thresholds?.retries.release();
  }

  tryPending(): boolean {
    return this.#tryOpen(this.thresholds?.pending);
  }

  endPending(): void {
    this.thresholds?.pending.release();
  }

  tryConnection(): boolean {
    return this.#tryOpen(this.thresholds?.connections);
  }

  endConnection(): void {
    this.thresholds?.connections.release();
  }

  /** The worst of what is known about how full the endpoints are: 1 is full. */
  utilisation(): number {
    const { thresholds, limiter, guards } = this;
    let utilisation = 0;
    if (thresholds !== undefined)
      utilisation = ratioOf(this.activeCount, thresholds.requests.limit);
    if (limiter !== undefined)
      utilisation = Math.max(utilisation, ratioOf(limiter.inFlight, limiter.limit));
    // Endpoints that have had no request yet are presumed to be like the others.
    if (guards !== undefined && guards.meanLimit > 0) {
      const limit = guards.meanLimit * Math.max(1, this.#host.takingCount());
      utilisation = Math.max(utilisation, ratioOf(guards.activeCount, limit));
    }
    return utilisation;
  }

  /** Leaves no timer behind. What is inside may still leave; that the cluster is closed is for its picks to say. */
  close(): void {
    this.#closed = true;
    this.circuit?.close();
    this.guards?.close();
  }

  /** Asks one after the other; whoever refuses gives back what those before it gave. */
  #ask(nowMs: number, criticality: Criticality): AdmissionReason | undefined {
    const { circuit } = this;
    const requests = this.thresholds?.requests;
    if (requests !== undefined && !requests.tryAcquire()) return 'threshold';
    if (circuit !== undefined && !this.#closed && !circuit.tryEnter(nowMs)) {
      requests?.release();
      return 'circuit-open';
    }
    const reason = this.#askRest(nowMs, criticality);
    if (reason === undefined) return undefined;
    circuit?.giveBack();
    requests?.release();
    return reason;
  }

  #askRest(nowMs: number, criticality: Criticality): AdmissionReason | undefined {
    const { shedder, throttle, limiter, rate } = this;
    if (shedder !== undefined) {
      shedder.observe(this.utilisation(), nowMs);
      if (!shedder.tryAcquire(criticality)) return 'load-shedding';
    }
    // What it admits counts when it has ended, so there is nothing to give back.
    if (throttle !== undefined && !throttle.tryAcquire(nowMs)) return 'client-throttle';
    if (limiter !== undefined && !limiter.tryAcquire()) return 'concurrency-limit';
    if (rate !== undefined && !rate.tryAcquire(nowMs)) {
      limiter?.giveBack();
      return 'rate-limit';
    }
    return undefined;
  }

  #tryOpen(threshold: Threshold | undefined): boolean {
    if (threshold === undefined || threshold.tryAcquire()) return true;
    this.triesRefused.threshold++;
    return false;
  }

  #error(reason: AdmissionReason, nowMs: number): AdmissionError {
    return new AdmissionError(reason, {
      cluster: this.#cluster,
      subject: reason === 'threshold' ? 'requests' : undefined,
      retryAfterMs: this.#retryAfterMs(reason, nowMs),
    });
  }

  #retryAfterMs(reason: AdmissionReason, nowMs: number): number | undefined {
    switch (reason) {
      case 'rate-limit':
        return this.rate?.waitMs(nowMs);
      case 'circuit-open':
        return this.circuit?.retryAfterMs(nowMs);
      case 'threshold':
      case 'concurrency-limit':
      case 'load-shedding':
      case 'client-throttle':
        return undefined;
    }
  }
}

/** When something began that had its first byte after this time; the latest it can have been. */
function startOf(latencyMs: number, nowMs: number): number {
  return latencyMs > 0 ? nowMs - latencyMs + ROUNDING_MS : nowMs;
}

/** What adding and taking away may have lost of the time of a trial that began with its state. */
const ROUNDING_MS = 0.001;

function ratioOf(count: number, limit: number): number {
  return limit > 0 ? count / limit : 1;
}
