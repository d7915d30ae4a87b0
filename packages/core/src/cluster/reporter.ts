import type { CircuitChange } from '../model/circuit-state.ts';
import { type EvenkeelError, messageOf } from '../error/evenkeel-error.ts';
import type { Ejection, SkippedEjection } from '../health/health.ts';
import type { HealthState } from '../model/health-state.ts';
import type { Runtime } from '../runtime/runtime.ts';
import { type ClusterEvent, type ClusterEventListener, EventHub } from '../telemetry/events.ts';
import type { Member } from './member.ts';
import type { MembershipChange, MembershipListener } from './membership.ts';
import { levelNow, type PanicLevel, type Publication } from './publication.ts';

/** Says what happens to a cluster, once as an event and once in the log. */
export class Reporter implements MembershipListener {
  readonly #cluster: string;
  readonly #runtime: Runtime;
  readonly #hub: EventHub;

  constructor(cluster: string, runtime: Runtime) {
    this.#cluster = cluster;
    this.#runtime = runtime;
    this.#hub = new EventHub((error) => {
      runtime.logger.error({ cluster, error: messageOf(error) }, 'an event listener threw');
    });
  }

  subscribe(listener: ClusterEventListener): () => void {
    return this.#hub.subscribe(listener);
  }

  close(): void {
    this.#hub.clear();
  }

  onAdded(member: Member): void {
    this.#emit({ type: 'endpoint-added', ...this.#about(member) });
  }

  onUpdated(member: Member): void {
    this.#emit({ type: 'endpoint-updated', ...this.#about(member) });
  }

  onDraining(member: Member): void {
    this.#emit({ type: 'endpoint-draining', ...this.#about(member) });
  }

  onRevived(member: Member): void {
    this.#emit({ type: 'endpoint-added', ...this.#about(member) });
  }

  onRemoved(member: Member, forced: boolean): void {
    if (forced)
      this.#runtime.logger.warn(this.#fields(member), 'drain time over with requests in flight');
    this.#emit({ type: 'endpoint-removed', ...this.#about(member), forced });
  }

  healthChanged(member: Member, from: HealthState): void {
    const { state: to, reason } = member;
    this.#runtime.logger.info(
      { ...this.#fields(member), from, to, reason },
      'endpoint health changed',
    );
    this.#emit({ type: 'health-changed', ...this.#about(member), from, to, reason });
  }

  ejected(member: Member, ejection: Ejection): void {
    const { detector, reason, durationMs } = ejection;
    const about = { detector, reason, durationMs };
    this.#runtime.logger.warn({ ...this.#fields(member), ...about }, 'endpoint ejected');
    this.#emit({ type: 'endpoint-ejected', ...this.#about(member), ...about });
  }

  ejectionSkipped(member: Member, ejection: SkippedEjection): void {
    const { detector, reason, durationMs, skippedBecause } = ejection;
    const about = { detector, reason, durationMs, skippedBecause };
    this.#runtime.logger.warn({ ...this.#fields(member), ...about }, 'endpoint not ejected');
    this.#emit({ type: 'ejection-skipped', ...this.#about(member), ...about });
  }

  /** Tells which groups have begun to ignore health and which have ended it. */
  published(publication: Publication, previous: Publication): void {
    for (const [group, level] of publication.panics) {
      if (!previous.panics.has(group)) this.#panicChanged(group, true, level);
    }
    for (const [group, level] of previous.panics) {
      if (!publication.panics.has(group))
        this.#panicChanged(group, false, levelNow(publication, level));
    }
    const { subsetsLeftOutCount } = publication;
    if (subsetsLeftOutCount > 0 && previous.subsetsLeftOutCount === 0) {
      this.#runtime.logger.warn(
        { cluster: this.#cluster, subsetsLeftOutCount },
        'too many subsets: requests for the last of them find nobody',
      );
    }
  }

  membershipChanged(change: MembershipChange, totalCount: number): void {
    if (change.addedCount + change.updatedCount + change.removedCount === 0) return;
    this.#runtime.logger.info(
      { cluster: this.#cluster, ...change, totalCount },
      'membership changed',
    );
    this.#emit({ type: 'membership-changed', ...this.#base(), ...change, totalCount });
  }

  /** @param member whose circuit it is; undefined: the cluster's */
  circuitChanged(member: Member | undefined, change: CircuitChange): void {
    const fields = member === undefined ? { cluster: this.#cluster } : this.#fields(member);
    const level = change.to === 'open' ? 'warn' : 'info';
    this.#runtime.logger[level]({ ...fields, ...change }, 'circuit changed');
    const { endpoint, slot } = member ?? { endpoint: undefined, slot: undefined };
    this.#emit({ type: 'circuit-changed', ...this.#base(), endpoint, slot, ...change });
  }

  discoveryFailed(error: EvenkeelError): void {
    this.#runtime.logger.warn(
      { cluster: this.#cluster, error: error.message },
      'discovery failed; the last set stays',
    );
    this.#emit({ type: 'discovery-error', ...this.#base(), error });
  }

  #panicChanged(group: string, entered: boolean, level: PanicLevel): void {
    const { healthyCount, candidateCount: totalCount } = level;
    this.#runtime.logger.warn(
      { cluster: this.#cluster, group, healthyCount, totalCount },
      entered ? 'panic: too few healthy endpoints, health is ignored' : 'panic is over',
    );
    const type = entered ? 'panic-entered' : 'panic-left';
    this.#emit({ type, ...this.#base(), group, healthyCount, totalCount });
  }

  #emit(event: ClusterEvent): void {
    this.#hub.emit(event);
  }

  #base(): { cluster: string; wallMs: number } {
    return { cluster: this.#cluster, wallMs: this.#runtime.clock.wallMs() };
  }

  #about(member: Member): {
    cluster: string;
    wallMs: number;
    endpoint: Member['endpoint'];
    slot: number;
  } {
    return { ...this.#base(), endpoint: member.endpoint, slot: member.slot };
  }

  #fields(member: Member): object {
    return { cluster: this.#cluster, endpoint: member.endpoint.id };
  }
}
