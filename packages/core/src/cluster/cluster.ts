import { configError } from '../error/config-error.ts';
import { EvenkeelError } from '../error/evenkeel-error.ts';
import { PickError, type PickFailure } from '../error/pick-error.ts';
import type { ActiveHealthChecker, OutlierDetector } from '../health/health.ts';
import type { LoadReport } from '../load-report/load-report.ts';
import { type Endpoint, isWeight, MAX_WEIGHT } from '../model/endpoint.ts';
import { type EndpointSet, MAX_ENDPOINTS } from '../model/endpoint-set.ts';
import type { HashKeySource } from '../model/hash-key-source.ts';
import { HealthFlag, type HealthState } from '../model/health-state.ts';
import type { LoadTable } from '../model/load-table.ts';
import { Outcome, OUTCOME_COUNT } from '../model/outcome.ts';
import { ANY, isExcluded, NO_SLOT, type PickContext } from '../model/pick-context.ts';
import type { Balancer, Picker } from '../policy/policy.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Resolver } from '../discovery/resolver.ts';
import type { Criticality } from '../resilience/load-shedder.ts';
import type { ClusterEventListener } from '../telemetry/events.ts';
import { acquireAdmitted } from './admission/acquire-admitted.ts';
import { admissionHostOf } from './admission/admission-host.ts';
import type { ClusterAdmission } from './admission/cluster-admission.ts';
import { explainPick } from './explain.ts';
import type { Cluster, ClusterSnapshot, Lease, PickExplanation } from './face.ts';
import { HealthBook } from './health-book.ts';
import { LatencyHistogram } from './latency-histogram.ts';
import { ClusterLease } from './lease.ts';
import type { Member } from './member.ts';
import { Membership } from './membership.ts';
import type { ClusterParts } from './parts.ts';
import { hasAnyone, type Publication } from './publication.ts';
import { PublicationBuilder } from './publication-builder.ts';
import { Publisher } from './publisher.ts';
import { ReadyGate } from './ready-gate.ts';
import { Reporter } from './reporter.ts';
import { snapshotOf } from './snapshot.ts';
import { TopologyBook } from './topology-book.ts';

/**
 * The facade: composes discovery, membership, health, publication and policy, and is the hot path itself. What changes
 * rarely goes through the {@link Publisher}; a pick reads one field, the current picker.
 */
export class BalancedCluster implements Cluster {
  readonly name: string;
  readonly hashKeySource: HashKeySource | undefined;
  readonly admission: ClusterAdmission | undefined;

  readonly #clock: Clock;
  readonly #load: LoadTable;
  readonly #balancer: Balancer;
  readonly #outlier: OutlierDetector | undefined;
  readonly #checker: ActiveHealthChecker | undefined;
  readonly #resolver: Resolver;
  readonly #membership: Membership;
  readonly #health: HealthBook;
  readonly #topology: TopologyBook;
  readonly #publisher: Publisher;
  readonly #reporter: Reporter;
  readonly #latency = new LatencyHistogram();
  readonly #ready: ReadyGate;
  readonly #policyName: string;
  readonly #keyed: boolean;
  /** Health flags of an endpoint of which no check is known. */
  readonly #initialFlags: number;
  #picker: Picker;
  #closing: Promise<void> | undefined;

  constructor(parts: ClusterParts) {
    const { name, runtime } = parts;
    this.name = name;
    this.hashKeySource = parts.hashKeySource;
    this.#policyName = parts.policyName;
    this.#keyed = parts.keyed;
    this.#clock = runtime.clock;
    this.#ready = new ReadyGate(name, runtime.scheduler);
    this.#reporter = new Reporter(name, runtime);
    this.#load = parts.load;
    this.#balancer = parts.balancer;
    this.#initialFlags = parts.waitsForFirstCheck ? HealthFlag.unchecked : 0;
    this.#membership = new Membership({
      load: this.#load,
      scheduler: runtime.scheduler,
      drainTimeoutMs: parts.drainTimeoutMs,
      initialFlags: this.#initialFlags,
      listener: this.#reporter,
    });
    this.#health = new HealthBook(this.#membership, this.#reporter, () =>
      this.#publisher.request(),
    );
    this.#checker = parts.createChecker?.(this.#health);
    this.#outlier = parts.createDetector?.(this.#health);
    this.#health.detector = this.#outlier;
    this.#topology = new TopologyBook({
      config: parts.topology,
      runtime,
      panicThresholdPercent: parts.panicThresholdPercent,
      onPeersChanged: () => this.#onPeersChanged(),
    });
    this.#health.warmUp = this.#topology.warmUp;
    this.#publisher = new Publisher({
      runtime,
      builder: new PublicationBuilder({
        balancer: this.#balancer,
        keyed: parts.keyed,
        random: runtime.random,
        topology: this.#topology,
      }),
      warmUp: parts.keyed ? undefined : this.#topology.warmUp,
      members: () => this.#membership.all(),
      onPublished: (publication, previous) => this.#onPublished(publication, previous),
    });
    this.#picker = this.#publisher.current.picker;
    this.admission = parts.createAdmission?.(
      admissionHostOf({
        membership: this.#membership,
        publisher: this.#publisher,
        health: this.#health,
        reporter: this.#reporter,
        outlier: this.#outlier,
      }),
    );
    this.#resolver = parts.createResolver();
    this.#resolver.start({
      onEndpoints: (set) => this.#apply(set),
      onError: (error) => this.#reporter.discoveryFailed(error),
    });
  }

  ready(signal?: AbortSignal): Promise<void> {
    return this.#ready.wait(signal);
  }

  acquire(context: PickContext = ANY, criticality?: Criticality): Lease {
    if (this.admission !== undefined)
      return acquireAdmitted(this, this.admission, { context, criticality });
    const nowMs = this.#clock.nowMs();
    const slot = this.pick(context, nowMs);
    const endpoint = this.#membership.at(slot)?.endpoint;
    if (endpoint === undefined) throw new PickError(this.name, this.pickFailure());
    this.start(slot, nowMs);
    return new ClusterLease(this, endpoint, slot, nowMs);
  }

  pick(context: PickContext = ANY, nowMs: number = this.#clock.nowMs()): number {
    const outlier = this.#outlier;
    if (
      outlier !== undefined &&
      outlier.trialSlot !== NO_SLOT &&
      this.#mayTry(context, outlier.trialSlot)
    ) {
      return outlier.takeTrial(nowMs);
    }
    return this.#picker.pick(context, nowMs);
  }

  pickFailure(): PickFailure {
    if (this.#closing !== undefined) return 'closed';
    if (!this.#ready.open) return 'not-ready';
    return this.#membership.size === 0 ? 'no-endpoints' : 'no-eligible-endpoint';
  }

  start(slot: number, nowMs: number = this.#clock.nowMs()): void {
    const { active } = this.#load;
    active[slot] = (active[slot] as number) + 1;
    this.#balancer.onStart?.(slot, nowMs);
  }

  respond(slot: number, latencyMs: number, nowMs: number = this.#clock.nowMs()): void {
    this.#latency.record(latencyMs);
    this.#balancer.onResponse?.(slot, latencyMs, nowMs);
  }

  /** Four parameters: an options object would be an allocation per request. */
  // oxlint-disable-next-line max-params
  finish(
    slot: number,
    outcome: Outcome,
    latencyMs: number,
    nowMs: number = this.#clock.nowMs(),
  ): void {
    const { active, outcomes } = this.#load;
    const before = active[slot] as number;
    // A second end of the same request must not drive the count below zero, nor be counted.
    if (!(before > 0)) return;
    active[slot] = before - 1;
    const counter = slot * OUTCOME_COUNT + outcome;
    outcomes[counter] = (outcomes[counter] as number) + 1;
    if (latencyMs >= 0 && outcome === Outcome.success) this.#latency.record(latencyMs);
    this.#balancer.onFinish?.(slot, outcome, latencyMs, nowMs);
    this.#outlier?.record(slot, outcome, nowMs);
    if (before === 1 && this.#membership.leavingCount > 0) this.#onIdle(slot);
  }

  pushback(slot: number, delayMs: number, nowMs: number = this.#clock.nowMs()): void {
    this.#balancer.onPushback?.(slot, delayMs, nowMs);
  }

  get usesLoadReports(): boolean {
    return this.#balancer.onLoadReport !== undefined;
  }

  report(slot: number, report: LoadReport, nowMs: number = this.#clock.nowMs()): void {
    this.#balancer.onLoadReport?.(slot, report, nowMs);
  }

  endpoint(slot: number): Endpoint | undefined {
    return this.#membership.at(slot)?.endpoint;
  }

  stateOf(slot: number): HealthState | undefined {
    return this.#closing === undefined ? this.#membership.at(slot)?.state : undefined;
  }

  isInPanic(slot: number): boolean {
    const { panics, scopes } = this.#publisher.current;
    return (
      panics.size > 0 &&
      scopes.some(({ groups }) =>
        groups.some(({ id, eligible }) => panics.has(id) && eligible.slots.includes(slot)),
      )
    );
  }

  nowMs(): number {
    return this.#clock.nowMs();
  }

  snapshot(): ClusterSnapshot {
    return snapshotOf({
      name: this.name,
      policy: this.#policyName,
      ready: this.#ready.open,
      closed: this.#closing !== undefined,
      publication: this.#publisher.current,
      topology: this.#topology,
      members: this.#membership.all(),
      load: this.#load,
      checker: this.#checker,
      outlier: this.#outlier,
      discovery: this.#resolver.status(),
      policyStats: this.#balancer.stats?.() ?? {},
      latency: this.#latency.read(),
      admission: this.admission,
      nowMs: this.#clock.nowMs(),
    });
  }

  explain(context: PickContext = ANY): PickExplanation {
    const trialSlot = this.#outlier?.trialSlot ?? NO_SLOT;
    return explainPick({
      cluster: this.name,
      policy: this.#policyName,
      context,
      nowMs: this.#clock.nowMs(),
      publication: this.#publisher.current,
      members: [...this.#membership.all()],
      trialSlot: trialSlot !== NO_SLOT && this.#mayTry(context, trialSlot) ? trialSlot : NO_SLOT,
      warmthOf: (member) => this.#topology.warmUp?.factorOf(member) ?? 1,
      admission: this.admission,
      keyed: this.#keyed,
      keyedSplit: this.#topology.split !== undefined,
    });
  }

  setEnabled(endpointId: string, enabled: boolean): void {
    this.#health.set(this.#memberOf(endpointId), HealthFlag.disabled, {
      on: !enabled,
      reason: enabled ? 'enabled' : 'disabled by an operator',
    });
    this.#publisher.publish();
  }

  setWeight(endpointId: string, weight: number | undefined): void {
    const member = this.#memberOf(endpointId);
    if (weight !== undefined && !isWeight(weight))
      throw configError('weight', `a whole number from 0 to ${MAX_WEIGHT}`, weight);
    member.weigh(weight);
    this.#reporter.onUpdated(member);
    this.#publisher.publish();
  }

  setDegraded(endpointId: string, degraded: boolean): void {
    this.#health.set(this.#memberOf(endpointId), HealthFlag.degraded, {
      on: degraded,
      reason: degraded ? 'degraded by an operator' : 'no longer degraded by an operator',
    });
    this.#publisher.publish();
  }

  setSplit(weights: Readonly<Record<string, number>>): void {
    this.#topology.setSplit(weights);
    this.#publisher.publish();
  }

  subscribe(listener: ClusterEventListener): () => void {
    return this.#reporter.subscribe(listener);
  }

  refresh(): void {
    if (this.#closing === undefined) this.#resolver.refresh();
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  #memberOf(endpointId: string): Member {
    const member = this.#membership.byId(endpointId);
    if (member === undefined)
      throw configError('endpointId', `an endpoint of cluster '${this.name}'`, endpointId);
    return member;
  }

  #mayTry(context: PickContext, slot: number): boolean {
    if (this.#closing !== undefined || context.probe === false || isExcluded(context, slot))
      return false;
    const member = this.#membership.at(slot);
    return (
      member?.isTrialCandidate === true &&
      this.#publisher.current.routing.admits(context, member.endpoint)
    );
  }

  #apply(set: EndpointSet): void {
    if (this.#closing !== undefined) return;
    if (set.endpoints.length > MAX_ENDPOINTS) {
      this.#reporter.discoveryFailed(
        new EvenkeelError(
          'EVENKEEL_DISCOVERY',
          `cluster '${this.name}': refused a set of ${set.endpoints.length} endpoints (at most ${MAX_ENDPOINTS})`,
          { cluster: this.name },
        ),
      );
      return;
    }
    const change = this.#membership.apply(set);
    this.admission?.guards?.sweep();
    const members = this.#listed();
    this.#health.onListed(members);
    this.#outlier?.update(members);
    this.#checkThoseInReach(members);
    this.#publisher.publish();
    this.#reporter.membershipChanged(change, members.length);
    // An empty set is an answer too; endpoints that wait for their first check are not one yet.
    if (!members.some((member) => member.reach > 0 && member.has(HealthFlag.unchecked)))
      this.#ready.pass();
  }

  #onIdle(slot: number): void {
    this.#membership.onIdle(slot);
    this.admission?.guards?.sweepSlot(slot);
  }

  /** A deterministic aperture depends on the peers, and so does the division between zones. */
  #onPeersChanged(): void {
    if (this.#closing !== undefined) return;
    this.#checkThoseInReach(this.#listed());
    this.#publisher.request();
  }

  /** Only those in reach are checked: with apertures, the whole of a large cluster is nobody's job. */
  #checkThoseInReach(members: readonly Member[]): void {
    for (const member of this.#topology.updateReach(members)) {
      this.#health.forgetActiveHealth(member, this.#initialFlags);
    }
    this.#checker?.update(members.filter(({ reach }) => reach > 0));
  }

  #listed(): readonly Member[] {
    return [...this.#membership.all()].filter((member) => !member.has(HealthFlag.draining));
  }

  #onPublished(publication: Publication, previous: Publication): void {
    this.#picker = publication.picker;
    if (hasAnyone(publication)) this.#ready.pass();
    this.#reporter.published(publication, previous);
  }

  async #close(): Promise<void> {
    this.#picker = CLOSED_PICKER;
    this.#publisher.close();
    this.#topology.close();
    this.#ready.close();
    this.#membership.close();
    this.#outlier?.close();
    this.admission?.close();
    await Promise.all([this.#resolver.close(), this.#checker?.close()]);
    this.#balancer.close?.();
    this.#reporter.close();
  }
}

const CLOSED_PICKER: Picker = { pick: () => NO_SLOT, explain: () => [] };
